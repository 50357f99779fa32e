use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::Activation;
use crate::optimizers::Regularizer;

/// A convolution of each channel by itself.
///
/// `y[n, i, j, c*m + k] = bias[c*m + k] + sum_{p, q} x[n, i*sh + p*dh - top, j*sw + q*dw - left, c] * kernel[p, q, c, k]`, where m is
/// the depth multiplier, and x is zero outside of the image.
///
/// Input and output NHWC, kernel `[h, w, channels, m]`.
/// Source: `keras/src/layers/convolutional/depthwise_conv2d.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthwiseConv2D {
    /// Name in weight files and messages; by default `depthwise_conv2d`, `depthwise_conv2d_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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
    /// Output channels for each input channel; default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub depth_multiplier: usize,
    /// How the kernel starts; default `glorot_uniform`.
    #[serde(default, skip_serializing_if = "Initializer::is_glorot_uniform")]
    pub depthwise_initializer: Initializer,
    /// How the bias starts; default `zeros`.
    #[serde(default = "Initializer::zeros", skip_serializing_if = "Initializer::is_zeros")]
    pub bias_initializer: Initializer,
    /// Penalty on the kernel, which is added to the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depthwise_regularizer: Option<Regularizer>,
    /// Distance between neighbours of the kernel, in pixels. Only one of this and `strides` may be above 1. Default 1.
    #[serde(default = "one_by_one", skip_serializing_if = "is_one_by_one")]
    pub dilation_rate: Pair,
    /// Whether a bias is added; default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub use_bias: bool,
}

impl DepthwiseConv2D {
    /// A kernel of `kernel_size` (`3` or `(3, 5)`) for each channel, stride 1, linear.
    pub fn new(kernel_size: impl Into<Pair>) -> Self {
        DepthwiseConv2D {
            name: None,
            kernel_size: kernel_size.into(),
            strides: one_by_one(),
            padding: Padding::Valid,
            activation: Activation::Linear,
            depth_multiplier: 1,
            depthwise_regularizer: None,
            dilation_rate: one_by_one(),
            use_bias: true,
            depthwise_initializer: Initializer::GlorotUniform,
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

    /// Sets the distance of the kernel's taps.
    pub fn dilation_rate(mut self, rate: impl Into<Pair>) -> Self {
        self.dilation_rate = rate.into();
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

    /// Sets the outputs of each input channel.
    pub fn depth_multiplier(mut self, multiplier: usize) -> Self {
        self.depth_multiplier = multiplier;
        self
    }

    /// Sets how the kernel starts.
    pub fn depthwise_initializer(mut self, initializer: Initializer) -> Self {
        self.depthwise_initializer = initializer;
        self
    }

    /// Sets how the bias starts.
    pub fn bias_initializer(mut self, initializer: Initializer) -> Self {
        self.bias_initializer = initializer;
        self
    }

    /// Sets the penalty of the kernel.
    pub fn depthwise_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.depthwise_regularizer = Some(regularizer);
        self
    }

    fn motion(&self) -> Motion {
        let DepthwiseConv2D { kernel_size, strides, dilation_rate: dilation, padding, .. } = *self;
        Motion { kernel_size, strides, dilation, padding }
    }

    fn convolution<'a>(&self, place: &'a Place<'a>, batch: usize) -> Convolution<'a> {
        let [h, w, c] = place.image();
        Convolution {
            place,
            motion: self.motion(),
            x: [batch, h, w, c],
            filters: c * self.depth_multiplier,
            groups: c,
            prefix: "",
            kernel: "kernel",
            bias: self.use_bias,
        }
    }
}

named!(DepthwiseConv2D);

impl LayerKind for DepthwiseConv2D {
    const CLASS: &'static str = "DepthwiseConv2D";
    const STEM: &'static str = "depthwise_conv2d";
    const SETTINGS: &'static [&'static str] =
        &["kernel_size", "strides", "padding", "activation", "depth_multiplier", "dilation_rate", "use_bias"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        check("depthwise_regularizer", self.depthwise_regularizer)?;
        let [h, w, c] = image(single(inputs)?)?;
        let [oh, ow] = self.motion().slide([h, w])?.out;
        let filters = outputs(c, self.depth_multiplier)?;
        let Pair { height, width } = self.kernel_size;
        let kernel = WeightSpec::trainable(
            "kernel",
            vec![height, width, c, self.depth_multiplier],
            self.depthwise_initializer,
        );
        let weights =
            [kernel].into_iter().chain(bias(self.use_bias, filters, self.bias_initializer)).collect();
        Ok(Inferred { output: Shape::Image([oh, ow, filters]), weights })
    }

    fn applied(&self) -> Applied {
        self.activation.into()
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        of_kernel(self.depthwise_regularizer)
    }

    fn keeps_sign(&self) -> bool {
        false
    }

    fn filters(&self) -> Option<&'static str> {
        Some("kernel")
    }

    fn of_torch(&self) -> &'static [OfTorch] {
        &[OfTorch { ours: "kernel", theirs: "weight", axes: Axes::Depthwise }, TORCH_BIAS]
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let y = b.output(place);
        self.convolution(place, b.batch).forward(b, &x[0], &y)?;
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
        let dx = wants[0].then(|| b.input_gradient(place, 0, &x[0]));
        self.convolution(place, b.batch).backward(b, &dy, dx.as_ref())?;
        Ok(vec![dx])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        graph.turn(Layout::First, place.name);
        let weights = [graph.turned_weight(place, "kernel", depthwise_oihw), graph.weight(place, "bias")];
        let [h, w, c] = place.image();
        let attributes = self.motion().onnx([h, w], c);
        graph.node(&place.step("conv"), "Conv", weights.into_iter().flatten().collect(), attributes);
    }
}
