//! The steps of a convolution, for all layers that are made of some.

use super::border::Border;
use super::builder::Builder;
use super::initializer::Initializer;
use super::onnx::{int, pads, pair};
use super::onnx_schema::Attribute;
use super::place::Place;
use super::shape::{Padding, Pair, Windows, slide};
use super::step::{PlanError, Stage, Tensor};
use super::weights::{WeightSpec, WeightTensor};
use crate::ops::{ColumnSum, Conv2dBackwardInput, Conv2dBackwardKernel, Conv2dForward, ConvShape};

/// How a kernel is moved over images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Motion {
    pub(crate) kernel_size: Pair,
    pub(crate) strides: Pair,
    pub(crate) dilation: Pair,
    pub(crate) padding: Padding,
}

impl Motion {
    /// Where the kernel is put over images of this height and width.
    ///
    /// # Errors
    /// When a size is 0, or when the kernel does not fit.
    pub(crate) fn slide(&self, image: [usize; 2]) -> Result<Windows, String> {
        let apart = self.dilation != Pair::from(1);
        if apart && self.strides != Pair::from(1) {
            return Err(format!(
                "strides {} and dilation_rate {} are both above 1; set one of them to 1",
                self.strides, self.dilation
            ));
        }
        slide("kernel_size", image, self.kernel_size, self.strides, self.dilation, self.padding)
    }

    /// The attributes of a convolution over images of this height and width; defaults are left out.
    pub(crate) fn onnx(&self, image: [usize; 2], groups: usize) -> Vec<Attribute> {
        let windows = self.windows(image);
        let mut attributes = vec![pair("kernel_shape", self.kernel_size), pair("strides", self.strides)];
        if windows.has_border() {
            attributes.push(pads(&windows));
        }
        if self.dilation != Pair::from(1) {
            attributes.push(pair("dilations", self.dilation));
        }
        if groups != 1 {
            attributes.push(int("group", groups as i64));
        }
        attributes
    }

    pub(crate) fn windows(&self, image: [usize; 2]) -> Windows {
        Windows::new(image, self.kernel_size, self.strides, self.dilation, self.padding)
    }
}

/// A convolution within a layer.
pub(crate) struct Convolution<'a> {
    pub(crate) place: &'a Place<'a>,
    pub(crate) motion: Motion,
    /// Dimensions of a batch of its input.
    pub(crate) x: [usize; 4],
    pub(crate) filters: usize,
    pub(crate) groups: usize,
    /// What the names of its steps begin with.
    pub(crate) prefix: &'a str,
    /// The layer's name for its kernel.
    pub(crate) kernel: &'a str,
    /// Whether the weight `bias` is added.
    pub(crate) bias: bool,
}

impl Convolution<'_> {
    fn windows(&self) -> Windows {
        self.motion.windows([self.x[1], self.x[2]])
    }

    /// Dimensions of a batch of its output.
    pub(crate) fn y(&self) -> [usize; 4] {
        let [rows, columns] = self.windows().out;
        [self.x[0], rows, columns, self.filters]
    }

    fn border<'b>(&'b self, name: &'b str) -> Border<'b> {
        Border { place: self.place, name, image: self.x, windows: self.windows() }
    }

    /// The convolution over images with their border.
    fn shape(&self) -> ConvShape {
        let Motion { kernel_size, strides, dilation, .. } = self.motion;
        let (window, strides) = ([kernel_size.height, kernel_size.width], [strides.height, strides.width]);
        let x = self.border("").dims();
        // Gaps make the window larger: without them it fits as well.
        ConvShape::valid(x, window, strides, self.filters)
            .dilated([dilation.height, dilation.width])
            .grouped(self.groups)
    }

    fn step(&self, what: &str) -> String {
        self.place.step(&format!("{}{what}", self.prefix))
    }

    fn padding(&self) -> String {
        format!("{}pad", self.prefix)
    }

    /// Adds its steps forward, from x into y.
    pub(crate) fn forward(&self, b: &mut Builder, x: &Tensor, y: &Tensor) -> Result<(), PlanError> {
        let x = self.border(&self.padding()).pad(b, Stage::Forward, x, 0.0)?;
        b.hold(&self.step("input"), &x);
        let bias = if self.bias { b.weight(self.place, "bias") } else { b.zeros(self.filters) };
        let op = Conv2dForward { conv: self.shape(), relu: false };
        let args = vec![x, b.weight(self.place, self.kernel), bias, y.clone()];
        b.step(Stage::Forward, self.step("forward"), op, args)
    }

    /// Adds its steps back: gradients of its weights, where they are trained, and that of x, where there is a place for it.
    pub(crate) fn backward(
        &self,
        b: &mut Builder,
        dy: &Tensor,
        dx: Option<&Tensor>,
    ) -> Result<(), PlanError> {
        let conv = self.shape();
        if self.bias {
            bias_gradient(self.place, b, &self.step("backward_bias"), dy)?;
        }
        if let Some(gradient) = b.trained(self.place, self.kernel) {
            let args = vec![b.held(&self.step("input")), dy.clone()];
            let op = Conv2dBackwardKernel(conv);
            b.step_in_parts(Stage::Backward, self.step("backward_kernel"), op, args, gradient)?;
        }
        let Some(dx) = dx else { return Ok(()) };
        let op = Conv2dBackwardInput { conv, part: self.border("").within() };
        let args = vec![dy.clone(), b.weight(self.place, self.kernel), dx.clone()];
        b.step(Stage::Backward, self.step("backward_input"), op, args)
    }
}

/// Adds the step that sums the gradient of the weight `bias`, where it is trained: over all but the last axis of dy.
pub(crate) fn bias_gradient(
    place: &Place<'_>,
    b: &mut Builder,
    step: &str,
    dy: &Tensor,
) -> Result<(), PlanError> {
    let Some(sums) = b.trained(place, "bias") else { return Ok(()) };
    let op = ColumnSum { rows: dy.len() / sums.len(), columns: sums.len() };
    b.step_in_parts(Stage::Backward, step.to_owned(), op, vec![dy.clone()], sums)
}

/// Channels that come of `channels` inputs with `multiplier` outputs each.
///
/// # Errors
/// When there are none.
pub(crate) fn outputs(channels: usize, multiplier: usize) -> Result<usize, String> {
    match multiplier {
        0 => Err("depth_multiplier must be at least 1".to_owned()),
        _ => Ok(channels.saturating_mul(multiplier)),
    }
}

/// A kernel `[h, w, c, multiplier]`, whose outputs are groups with one input each, as ONNX wants it: `[c * multiplier, 1, h, w]`.
pub(crate) fn depthwise_oihw(tensor: &WeightTensor) -> (Vec<usize>, Vec<f32>) {
    let &[h, w, c, multiplier] = &tensor.shape[..] else {
        return (tensor.shape.clone(), tensor.values.clone());
    };
    oihw(&WeightTensor { shape: vec![h, w, 1, c * multiplier], ..tensor.clone() })
}

/// A trained bias for so many outputs, where the layer has one.
pub(crate) fn bias(used: bool, outputs: usize, initializer: Initializer) -> Option<WeightSpec> {
    used.then(|| WeightSpec::trainable("bias", vec![outputs], initializer))
}

/// A kernel HWIO as ONNX wants it, OIHW.
pub(crate) fn oihw(tensor: &WeightTensor) -> (Vec<usize>, Vec<f32>) {
    let WeightTensor { shape, values, .. } = tensor;
    let &[h, w, i, o] = &shape[..] else { return (shape.clone(), values.clone()) };
    let at = |[o_, i_, y, x]: [usize; 4]| values[((y * w + x) * i + i_) * o + o_];
    let mut turned = Vec::with_capacity(values.len());
    for o_ in 0..o {
        for i_ in 0..i {
            for y in 0..h {
                turned.extend((0..w).map(|x| at([o_, i_, y, x])));
            }
        }
    }
    (vec![o, i, h, w], turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_turned_from_hwio_to_oihw() {
        let [h, w, i, o] = [2, 3, 4, 5];
        let values: Vec<f32> = (0..h * w * i * o).map(|at| at as f32).collect();
        let kernel = WeightTensor { name: "k".to_owned(), shape: vec![h, w, i, o], values: values.clone() };
        let (dims, turned) = oihw(&kernel);
        assert_eq!(dims, [5, 4, 2, 3]);
        for (y, x, c, k) in [(0, 0, 0, 0), (1, 2, 3, 4), (0, 1, 2, 3), (1, 0, 3, 1)] {
            assert_eq!(turned[((k * i + c) * h + y) * w + x], values[((y * w + x) * i + c) * o + k]);
        }
    }
}
