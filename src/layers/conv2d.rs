use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{
    Activation, ColumnSum, Conv2dBackwardInput, Conv2dBackwardKernel, Conv2dForward, ConvShape,
};
use crate::optimizers::Regularizer;

/// 2-D convolution (cross-correlation, as everywhere in this field).
///
/// `y[n, i, j, o] = bias[o] + sum_{p, q, c} x[n, i*sh + p, j*sw + q, c] * kernel[p, q, c, o]`
///
/// Input and output NHWC, kernel HWIO. Kernel: Glorot uniform, bias: zeros.
/// Source: `keras/src/layers/convolutional/conv2d.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2D {
    /// Name in weight files and messages; by default `conv2d`, `conv2d_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Number of output channels.
    pub filters: usize,
    /// Size of the kernel.
    pub kernel_size: Pair,
    /// Step of the window; default 1x1.
    #[serde(default = "one_by_one")]
    pub strides: Pair,
    /// Default `valid`.
    #[serde(default)]
    pub padding: Padding,
    /// Default `linear`.
    #[serde(default)]
    pub activation: Activation,
    /// Penalty of the kernel, part of the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_regularizer: Option<Regularizer>,
}

fn one_by_one() -> Pair {
    Pair::from(1)
}

impl Conv2D {
    /// `filters` output channels, a kernel of `kernel_size` (`3` or `(3, 5)`), stride 1, linear.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        Conv2D {
            name: None,
            filters,
            kernel_size: kernel_size.into(),
            strides: one_by_one(),
            padding: Padding::Valid,
            activation: Activation::Linear,
            kernel_regularizer: None,
        }
    }

    /// Sets the step of the window.
    pub fn strides(mut self, strides: impl Into<Pair>) -> Self {
        self.strides = strides.into();
        self
    }

    /// Sets the activation.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Sets the penalty of the kernel.
    pub fn kernel_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.kernel_regularizer = Some(regularizer);
        self
    }
}

named!(Conv2D);

impl Conv2D {
    /// The convolution of a batch.
    fn shape(&self, place: &Place<'_>, batch: usize) -> ConvShape {
        let [h, w, c] = place.image();
        let Pair { height, width } = self.kernel_size;
        let strides = [self.strides.height, self.strides.width];
        ConvShape::valid([batch, h, w, c], [height, width], strides, place.channels())
    }
}

impl LayerKind for Conv2D {
    const CLASS: &'static str = "Conv2D";
    const STEM: &'static str = "conv2d";
    const SETTINGS: &'static [&'static str] = &["filters", "kernel_size", "strides", "padding", "activation"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        check(self.kernel_regularizer)?;
        let [h, w, c] = image(single(inputs)?)?;
        let [oh, ow] = slide("kernel_size", [h, w], self.kernel_size, self.strides, self.padding)?;
        if self.filters == 0 {
            return Err("filters must be at least 1".to_owned());
        }
        let Pair { height, width } = self.kernel_size;
        // Keras: the fans of a convolution are channels times the kernel's area.
        let fan = |channels: usize| (height * width).saturating_mul(channels);
        let weights = kernel_and_bias(vec![height, width, c, self.filters], fan(c), fan(self.filters));
        Ok(Inferred { output: Shape::Image([oh, ow, self.filters]), weights })
    }

    fn applied(&self) -> Applied {
        self.activation.into()
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        of_kernel(self.kernel_regularizer)
    }

    fn keeps_sign(&self) -> bool {
        false
    }

    fn filters(&self) -> Option<&'static str> {
        Some("kernel")
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let y = b.output(place);
        let op = Conv2dForward { conv: self.shape(place, b.batch), relu: false };
        let args = vec![x[0].clone(), b.weight(place, "kernel"), b.weight(place, "bias"), y.clone()];
        b.step(Stage::Forward, place.step("forward"), op, args)?;
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
        let conv = self.shape(place, b.batch);
        let columns = conv.out_c;
        let op = ColumnSum { rows: dy.len() / columns, columns };
        let sums = b.gradient(place, "bias");
        b.step_in_parts(Stage::Backward, place.step("backward_bias"), op, vec![dy.clone()], sums)?;
        let args = vec![x[0].clone(), dy.clone()];
        let gradient = b.gradient(place, "kernel");
        let op = Conv2dBackwardKernel(conv);
        b.step_in_parts(Stage::Backward, place.step("backward_kernel"), op, args, gradient)?;
        if !wants[0] {
            return Ok(vec![None]);
        }
        let dx = b.input_gradient(place, 0, &x[0]);
        let args = vec![dy, b.weight(place, "kernel"), dx.clone()];
        b.step(Stage::Backward, place.step("backward_input"), Conv2dBackwardInput(conv), args)?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        graph.turn(Layout::First, place.name);
        let weights = [graph.turned_weight(place, "kernel", oihw), graph.weight(place, "bias")];
        let attributes = vec![pair("kernel_shape", self.kernel_size), pair("strides", self.strides)];
        graph.node(&place.step("conv"), "Conv", weights.into_iter().flatten().collect(), attributes);
    }
}

/// A kernel HWIO as ONNX wants it, OIHW.
fn oihw(tensor: &WeightTensor) -> (Vec<usize>, Vec<f32>) {
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
