use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{Activation, BiasAdd, Conv2dBackwardInput, Conv2dBackwardKernel, Conv2dForward, ConvShape};
use crate::optimizers::Regularizer;

/// A transposed convolution: what a [`Conv2D`](super::Conv2D) with the same sizes does to the gradient of its output.
///
/// `y[n, h, w, o] = bias[o] + sum_{p, q, c} x[n, (h + top - p)/sh, (w + left - q)/sw, c] * kernel[p, q, o, c]`, over the taps for which
/// both quotients are whole and inside of the image. The output has `in * stride` rows and columns with `same`, and
/// `(in - 1) * stride + max(kernel, stride)` with `valid`.
///
/// Input and output NHWC, kernel `[h, w, filters, channels]`.
/// Source: `keras/src/layers/convolutional/conv2d_transpose.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2DTranspose {
    /// Name in weight files and messages; by default `conv2d_transpose`, `conv2d_transpose_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Number of output channels.
    pub filters: usize,
    /// Size of the kernel.
    pub kernel_size: Pair,
    /// Step of the window; default 1.
    #[serde(default = "one_by_one")]
    pub strides: Pair,
    /// What is put around an image: `valid` nothing, `same` zeros, so that a window begins at every stride; default `valid`.
    #[serde(default)]
    pub padding: Padding,
    /// What is applied to the output; default `linear`.
    #[serde(default)]
    pub activation: Activation,
    /// How the kernel starts; default `glorot_uniform`.
    #[serde(default, skip_serializing_if = "Initializer::is_glorot_uniform")]
    pub kernel_initializer: Initializer,
    /// How the bias starts; default `zeros`.
    #[serde(default = "Initializer::zeros", skip_serializing_if = "Initializer::is_zeros")]
    pub bias_initializer: Initializer,
    /// Penalty on the kernel, which is added to the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_regularizer: Option<Regularizer>,
    /// Whether a bias is added; default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub use_bias: bool,
}

impl Conv2DTranspose {
    /// `filters` output channels, a kernel of `kernel_size` (`3` or `(3, 5)`), stride 1, linear.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        Conv2DTranspose {
            name: None,
            filters,
            kernel_size: kernel_size.into(),
            strides: one_by_one(),
            padding: Padding::Valid,
            activation: Activation::Linear,
            kernel_regularizer: None,
            use_bias: true,
            kernel_initializer: Initializer::GlorotUniform,
            bias_initializer: Initializer::Zeros,
        }
    }

    /// Sets the step of the window.
    pub fn strides(mut self, strides: impl Into<Pair>) -> Self {
        self.strides = strides.into();
        self
    }

    /// Sets what surrounds the image.
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Sets the activation.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Sets whether a bias is added.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// Sets how the kernel starts.
    pub fn kernel_initializer(mut self, initializer: Initializer) -> Self {
        self.kernel_initializer = initializer;
        self
    }

    /// Sets how the bias starts.
    pub fn bias_initializer(mut self, initializer: Initializer) -> Self {
        self.bias_initializer = initializer;
        self
    }

    /// Sets the penalty of the kernel.
    pub fn kernel_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.kernel_regularizer = Some(regularizer);
        self
    }

    /// The convolution whose gradient this is; its input is our output.
    fn motion(&self) -> Motion {
        let Conv2DTranspose { kernel_size, strides, padding, .. } = *self;
        Motion { kernel_size, strides, dilation: one_by_one(), padding }
    }

    /// Our output with the border that the convolution needs.
    fn border<'a>(&self, place: &'a Place<'a>, batch: usize) -> Border<'a> {
        let [h, w, c] = place.images_out();
        Border { place, name: "pad", image: [batch, h, w, c], windows: self.motion().windows([h, w]) }
    }

    fn shape(&self, place: &Place<'_>, border: &Border<'_>) -> ConvShape {
        let (window, strides) = (self.kernel_size, self.strides);
        let [_, _, channels] = place.image();
        ConvShape::valid(
            border.dims(),
            [window.height, window.width],
            [strides.height, strides.width],
            channels,
        )
    }
}

/// Rows or columns of the output.
fn length(len: usize, window: usize, stride: usize, padding: Padding) -> usize {
    match padding {
        Padding::Same => len.saturating_mul(stride),
        Padding::Valid => (len - 1).saturating_mul(stride).saturating_add(window.max(stride)),
    }
}

named!(Conv2DTranspose);

impl LayerKind for Conv2DTranspose {
    const CLASS: &'static str = "Conv2DTranspose";
    const STEM: &'static str = "conv2d_transpose";
    const SETTINGS: &'static [&'static str] =
        &["filters", "kernel_size", "strides", "padding", "activation", "use_bias"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        check("kernel_regularizer", self.kernel_regularizer)?;
        let [h, w, c] = image(single(inputs)?)?;
        let Pair { height, width } = self.kernel_size;
        if self.filters == 0 {
            return Err("filters must be at least 1".to_owned());
        }
        let oh = length(h, height, self.strides.height, self.padding);
        let ow = length(w, width, self.strides.width, self.padding);
        self.motion().slide([oh.max(1), ow.max(1)])?;
        let kernel =
            WeightSpec::trainable("kernel", vec![height, width, self.filters, c], self.kernel_initializer);
        let weights =
            [kernel].into_iter().chain(bias(self.use_bias, self.filters, self.bias_initializer)).collect();
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
        None
    }

    fn of_torch(&self) -> &'static [OfTorch] {
        &[OfTorch { ours: "kernel", theirs: "weight", axes: Axes::Transposed }, TORCH_BIAS]
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        b.keep(&x[0]);
        let border = self.border(place, b.batch);
        let y = b.output(place);
        let op = Conv2dBackwardInput { conv: self.shape(place, &border), part: border.within() };
        let args = vec![x[0].clone(), b.weight(place, "kernel"), y.clone()];
        b.step(Stage::Forward, place.step("forward"), op, args)?;
        if self.use_bias {
            let op = BiasAdd { rows: y.len() / self.filters, columns: self.filters };
            b.step(Stage::Forward, place.step("bias_add"), op, vec![b.weight(place, "bias"), y.clone()])?;
        }
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
        if self.use_bias {
            bias_gradient(place, b, &place.step("backward_bias"), &dy)?;
        }
        let border = self.border(place, b.batch);
        let conv = self.shape(place, &border);
        let dy = border.pad(b, Stage::Backward, &dy, 0.0)?;
        if let Some(gradient) = b.trained(place, "kernel") {
            let args = vec![dy.clone(), x[0].clone()];
            let op = Conv2dBackwardKernel(conv);
            b.step_in_parts(Stage::Backward, place.step("backward_kernel"), op, args, gradient)?;
        }
        if !wants[0] {
            return Ok(vec![None]);
        }
        let dx = b.input_gradient(place, 0, &x[0]);
        let args = vec![dy, b.weight(place, "kernel"), b.zeros(conv.out_c), dx.clone()];
        let op = Conv2dForward { conv, relu: false };
        b.step(Stage::Backward, place.step("backward_input"), op, args)?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        graph.turn(Layout::First, place.name);
        let weights = [graph.turned_weight(place, "kernel", oihw), graph.weight(place, "bias")];
        let [h, w, _] = place.images_out();
        let mut attributes = self.motion().onnx([h, w], 1);
        let over = |window: usize, stride: usize| stride.saturating_sub(window);
        let more = Pair {
            height: over(self.kernel_size.height, self.strides.height),
            width: over(self.kernel_size.width, self.strides.width),
        };
        if more != Pair::from(0) {
            attributes.push(pair("output_padding", more));
        }
        graph.node(
            &place.step("conv_transpose"),
            "ConvTranspose",
            weights.into_iter().flatten().collect(),
            attributes,
        );
    }
}
