use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::Activation;
use crate::optimizers::Regularizer;

/// 2-D convolution (cross-correlation, as everywhere in this field).
///
/// `y[n, i, j, o] = bias[o] + sum_{p, q, c} x[n, i*sh + p*dh - top, j*sw + q*dw - left, c] * kernel[p, q, c, o]`, where x is
/// zero outside of the image; with `groups`, c runs over the channels of the group of o.
///
/// Input and output NHWC, kernel HWIO (`[h, w, channels / groups, filters]`).
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
    /// Distance between neighbours of the kernel, in pixels. Only one of this and `strides` may be above 1. Default 1.
    #[serde(default = "one_by_one", skip_serializing_if = "is_one_by_one")]
    pub dilation_rate: Pair,
    /// Number of groups that channels and filters are cut into; default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub groups: usize,
    /// Whether a bias is added; default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub use_bias: bool,
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
            kernel_initializer: Initializer::GlorotUniform,
            bias_initializer: Initializer::Zeros,
            kernel_regularizer: None,
            dilation_rate: one_by_one(),
            groups: 1,
            use_bias: true,
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

    /// Cuts channels and filters into groups.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Sets whether a bias is added.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// Sets the activation.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
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
}

named!(Conv2D);

impl Conv2D {
    fn motion(&self) -> Motion {
        let Conv2D { kernel_size, strides, dilation_rate: dilation, padding, .. } = *self;
        Motion { kernel_size, strides, dilation, padding }
    }

    /// The convolution of a batch.
    fn convolution<'a>(&self, place: &'a Place<'a>, batch: usize) -> Convolution<'a> {
        let [h, w, c] = place.image();
        Convolution {
            place,
            motion: self.motion(),
            x: [batch, h, w, c],
            filters: self.filters,
            groups: self.groups,
            prefix: "",
            kernel: "kernel",
            bias: self.use_bias,
        }
    }
}

impl LayerKind for Conv2D {
    const CLASS: &'static str = "Conv2D";
    const STEM: &'static str = "conv2d";
    const SETTINGS: &'static [&'static str] = &[
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "activation",
        "dilation_rate",
        "groups",
        "use_bias",
    ];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        check("kernel_regularizer", self.kernel_regularizer)?;
        let [h, w, c] = image(single(inputs)?)?;
        let [oh, ow] = self.motion().slide([h, w])?.out;
        if self.filters == 0 {
            return Err("filters must be at least 1".to_owned());
        }
        if self.groups == 0 || !c.is_multiple_of(self.groups) || !self.filters.is_multiple_of(self.groups) {
            return Err(format!(
                "groups is {}, but must divide both its {c} input channels and its {} filters",
                self.groups, self.filters
            ));
        }
        let Pair { height, width } = self.kernel_size;
        let shape = vec![height, width, c / self.groups, self.filters];
        let kernel = WeightSpec::trainable("kernel", shape, self.kernel_initializer);
        let bias = bias(self.use_bias, self.filters, self.bias_initializer);
        let weights = [kernel].into_iter().chain(bias).collect();
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

    fn of_torch(&self) -> &'static [OfTorch] {
        &[OfTorch { ours: "kernel", theirs: "weight", axes: Axes::Windows }, TORCH_BIAS]
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
        let weights = [graph.turned_weight(place, "kernel", oihw), graph.weight(place, "bias")];
        let [h, w, _] = place.image();
        let attributes = self.motion().onnx([h, w], self.groups);
        graph.node(&place.step("conv"), "Conv", weights.into_iter().flatten().collect(), attributes);
    }
}
