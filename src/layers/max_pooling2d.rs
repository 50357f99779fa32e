use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{Dtype, MaxpoolBackward, MaxpoolForward, PoolShape};
use crate::optimizers::Regularizer;

/// The maximum of each window, per channel.
///
/// `y[n, i, j, c] = max_{p, q} x[n, i*sh + p - top, j*sw + q - left, c]`, over the elements inside of the image; the gradient goes
/// to the first maximum in row-major order. Source: `keras/src/layers/pooling/max_pooling2d.py`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPooling2D {
    /// Name in messages; by default `max_pooling2d`, `max_pooling2d_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Size of the window; default 2.
    #[serde(default = "two_by_two")]
    pub pool_size: Pair,
    /// Step of the window; by default its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strides: Option<Pair>,
    /// What is put around an image: `valid` nothing, `same` places that do not count, so that a window begins at every
    /// stride; default `valid`.
    #[serde(default)]
    pub padding: Padding,
}

impl MaxPooling2D {
    /// A window of `pool_size` (`2` or `(2, 3)`) that moves by its own size.
    pub fn new(pool_size: impl Into<Pair>) -> Self {
        MaxPooling2D { name: None, pool_size: pool_size.into(), strides: None, padding: Padding::Valid }
    }

    /// Sets what surrounds the image.
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Sets the step of the window.
    pub fn strides(mut self, strides: impl Into<Pair>) -> Self {
        self.strides = Some(strides.into());
        self
    }
}

named!(MaxPooling2D);

impl MaxPooling2D {
    /// The step of the window.
    fn step_of_window(&self) -> Pair {
        self.strides.unwrap_or(self.pool_size)
    }

    /// The image with the border that windows need.
    fn border<'a>(&self, place: &'a Place<'a>, batch: usize) -> Border<'a> {
        let [h, w, c] = place.image();
        let windows = Windows::new([h, w], self.pool_size, self.step_of_window(), one_by_one(), self.padding);
        Border { place, name: "pad", image: [batch, h, w, c], windows }
    }

    /// The pooling of a batch.
    fn shape(&self, border: &Border<'_>) -> PoolShape {
        let (window, strides) = (self.pool_size, self.step_of_window());
        let strides = [strides.height, strides.width];
        PoolShape::valid(border.dims(), [window.height, window.width], strides)
    }
}

impl LayerKind for MaxPooling2D {
    const CLASS: &'static str = "MaxPooling2D";
    const STEM: &'static str = "max_pooling2d";
    const SETTINGS: &'static [&'static str] = &["pool_size", "strides", "padding"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let [h, w, c] = image(single(inputs)?)?;
        let step = self.step_of_window();
        let [oh, ow] = slide("pool_size", [h, w], self.pool_size, step, one_by_one(), self.padding)?.out;
        Ok(Inferred { output: Shape::Image([oh, ow, c]), weights: Vec::new() })
    }

    fn applied(&self) -> Applied {
        Applied::Linear
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        Vec::new()
    }

    fn keeps_sign(&self) -> bool {
        true
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let border = self.border(place, b.batch);
        let pool = self.shape(&border);
        // Every window holds an element of the image, which is at least this.
        let x = border.pad(b, Stage::Forward, &x[0], f32::NEG_INFINITY)?;
        let y = b.output(place);
        let winner = b.leave(place, "winner", Dtype::U32, &pool.winner());
        let args = vec![x, y.clone(), winner];
        b.step(Stage::Forward, place.step("forward"), MaxpoolForward(pool), args)?;
        Ok(y)
    }

    fn backward(
        &self,
        place: &Place<'_>,
        b: &mut Builder,
        x: &[Tensor],
        dy: Tensor,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor>>, PlanError> {
        if !wants[0] {
            return Ok(vec![None]);
        }
        let border = self.border(place, b.batch);
        let dx = b.input_gradient(place, 0, &x[0]);
        let around = border.around(b, Role::ActivationGradient, &dx);
        let args = vec![dy, b.left(place, "winner"), around.clone()];
        let op = MaxpoolBackward(self.shape(&border));
        b.step(Stage::Backward, place.step("backward"), op, args)?;
        border.crop(b, Stage::Backward, around, &dx)?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        graph.turn(Layout::First, place.name);
        let mut attributes =
            vec![pair("kernel_shape", self.pool_size), pair("strides", self.step_of_window())];
        let windows = self.border(place, 1).windows;
        if windows.has_border() {
            attributes.push(pads(&windows));
        }
        graph.node(&place.step("max_pool"), "MaxPool", Vec::new(), attributes);
    }
}
