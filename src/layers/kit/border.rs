//! Borders around images, for windows that begin before them.

use super::builder::Builder;
use super::place::Place;
use super::shape::Windows;
use super::step::{PlanError, Role, Stage, Tensor};
use crate::ops::{Crop, Dtype, ImagePart, Pad, PadShape};

/// An image `[n, h, w, c]` of the layer, with the border that windows need.
pub(crate) struct Border<'a> {
    pub(crate) place: &'a Place<'a>,
    /// The layer's name for the step that makes it; ends with `pad`.
    pub(crate) name: &'a str,
    /// Dimensions of the images in it.
    pub(crate) image: [usize; 4],
    pub(crate) windows: Windows,
}

impl Border<'_> {
    fn shape(&self) -> PadShape {
        let Windows { before, after, .. } = self.windows;
        PadShape::new(self.image, [before[0], after[0]], [before[1], after[1]])
    }

    /// Dimensions with the border.
    pub(crate) fn dims(&self) -> [usize; 4] {
        let PadShape { batch, out_h, out_w, channels, .. } = self.shape();
        [batch, out_h, out_w, channels]
    }

    /// Where the images lie within it.
    pub(crate) fn within(&self) -> ImagePart {
        let PadShape { in_h, in_w, top, left, .. } = self.shape();
        ImagePart { top, left, height: in_h, width: in_w }
    }

    /// Images with a border of this value: x itself where there is none.
    pub(crate) fn pad(
        &self,
        b: &mut Builder,
        stage: Stage,
        x: &Tensor,
        value: f32,
    ) -> Result<Tensor, PlanError> {
        if !self.windows.has_border() {
            return Ok(x.clone());
        }
        let shape = self.shape();
        let name = self.place.weight(&self.tensor());
        let y = b.tensor(&name, Role::Activation, Dtype::F32, &shape.y());
        let step = self.place.step(self.name);
        b.step(stage, step, Pad { shape, value }, vec![x.clone(), y.clone()])?;
        Ok(y)
    }

    /// A tensor with a border that [`Border::crop`] takes into y: y itself where there is none.
    pub(crate) fn around(&self, b: &mut Builder, role: Role, y: &Tensor) -> Tensor {
        if !self.windows.has_border() {
            return y.clone();
        }
        let of = &b.buffers[y.buffer].name;
        let name = format!("{of}.{}", self.tensor());
        b.tensor(&name, role, Dtype::F32, &self.shape().y())
    }

    /// Brings what is within the border into y.
    pub(crate) fn crop(
        &self,
        b: &mut Builder,
        stage: Stage,
        around: Tensor,
        y: &Tensor,
    ) -> Result<(), PlanError> {
        if !self.windows.has_border() {
            return Ok(());
        }
        let step = self.place.step(&format!("{}_crop", self.name));
        b.step(stage, step, Crop(self.shape()), vec![around, y.clone()])
    }

    /// The name of what has it: `padded` of the step `pad`.
    fn tensor(&self) -> String {
        format!("{}ded", self.name)
    }
}
