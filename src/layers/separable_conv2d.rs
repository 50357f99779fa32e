use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{Activation, Dtype};
use crate::optimizers::Regularizer;

/// A convolution of each channel by itself, and then a 1x1 convolution over all of its outputs.
///
/// `z[n, i, j, c*m + k] = sum_{p, q} x[n, i*sh + p*dh - top, j*sw + q*dw - left, c] * depthwise_kernel[p, q, c, k]`, where m is the depth
/// multiplier, and x is zero outside of the image; `y[n, i, j, o] = bias[o] + sum_e z[n, i, j, e] * pointwise_kernel[0, 0, e, o]`.
///
/// Input and output NHWC, kernels `[h, w, channels, m]` and `[1, 1, channels * m, filters]`.
/// Source: `keras/src/layers/convolutional/separable_conv2d.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeparableConv2D {
    /// Name in weight files and messages; by default `separable_conv2d`, `separable_conv2d_1`, ...
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
    /// Output channels for each input channel; default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub depth_multiplier: usize,
    /// How the depthwise kernel starts; default `glorot_uniform`.
    #[serde(default, skip_serializing_if = "Initializer::is_glorot_uniform")]
    pub depthwise_initializer: Initializer,
    /// How the pointwise kernel starts; default `glorot_uniform`.
    #[serde(default, skip_serializing_if = "Initializer::is_glorot_uniform")]
    pub pointwise_initializer: Initializer,
    /// How the bias starts; default `zeros`.
    #[serde(default = "Initializer::zeros", skip_serializing_if = "Initializer::is_zeros")]
    pub bias_initializer: Initializer,
    /// Penalty on the kernel, which is added to the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depthwise_regularizer: Option<Regularizer>,
    /// Penalty on the kernel, which is added to the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointwise_regularizer: Option<Regularizer>,
    /// Distance between neighbours of the kernel, in pixels. Only one of this and `strides` may be above 1. Default 1.
    #[serde(default = "one_by_one", skip_serializing_if = "is_one_by_one")]
    pub dilation_rate: Pair,
    /// Whether a bias is added; default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub use_bias: bool,
}

impl SeparableConv2D {
    /// `filters` output channels, a kernel of `kernel_size` (`3` or `(3, 5)`) for each input channel, stride 1, linear.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        SeparableConv2D {
            name: None,
            filters,
            kernel_size: kernel_size.into(),
            strides: one_by_one(),
            padding: Padding::Valid,
            activation: Activation::Linear,
            depth_multiplier: 1,
            depthwise_regularizer: None,
            pointwise_regularizer: None,
            dilation_rate: one_by_one(),
            use_bias: true,
            depthwise_initializer: Initializer::GlorotUniform,
            pointwise_initializer: Initializer::GlorotUniform,
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

    /// Sets how the depthwise kernel starts.
    pub fn depthwise_initializer(mut self, initializer: Initializer) -> Self {
        self.depthwise_initializer = initializer;
        self
    }

    /// Sets how the pointwise kernel starts.
    pub fn pointwise_initializer(mut self, initializer: Initializer) -> Self {
        self.pointwise_initializer = initializer;
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

    /// Sets the penalty of the kernel.
    pub fn pointwise_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.pointwise_regularizer = Some(regularizer);
        self
    }

    fn motion(&self) -> Motion {
        let SeparableConv2D { kernel_size, strides, dilation_rate: dilation, padding, .. } = *self;
        Motion { kernel_size, strides, dilation, padding }
    }

    /// Both convolutions of a batch.
    fn convolutions<'a>(&self, place: &'a Place<'a>, batch: usize) -> [Convolution<'a>; 2] {
        let [h, w, c] = place.image();
        let depthwise = Convolution {
            place,
            motion: self.motion(),
            x: [batch, h, w, c],
            filters: c * self.depth_multiplier,
            groups: c,
            prefix: "depthwise_",
            kernel: "depthwise_kernel",
            bias: false,
        };
        let pointwise = Convolution {
            place,
            motion: POINTWISE,
            x: depthwise.y(),
            filters: self.filters,
            groups: 1,
            prefix: "pointwise_",
            kernel: "pointwise_kernel",
            bias: self.use_bias,
        };
        [depthwise, pointwise]
    }
}

/// How the second kernel moves.
const POINTWISE: Motion = Motion {
    kernel_size: Pair { height: 1, width: 1 },
    strides: Pair { height: 1, width: 1 },
    dilation: Pair { height: 1, width: 1 },
    padding: Padding::Valid,
};

named!(SeparableConv2D);

impl LayerKind for SeparableConv2D {
    const CLASS: &'static str = "SeparableConv2D";
    const STEM: &'static str = "separable_conv2d";
    const SETTINGS: &'static [&'static str] = &[
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "activation",
        "depth_multiplier",
        "dilation_rate",
        "use_bias",
    ];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        check("depthwise_regularizer", self.depthwise_regularizer)?;
        check("pointwise_regularizer", self.pointwise_regularizer)?;
        let [h, w, c] = image(single(inputs)?)?;
        let [oh, ow] = self.motion().slide([h, w])?.out;
        let between = outputs(c, self.depth_multiplier)?;
        if self.filters == 0 {
            return Err("filters must be at least 1".to_owned());
        }
        let Pair { height, width } = self.kernel_size;
        let depthwise = WeightSpec::trainable(
            "depthwise_kernel",
            vec![height, width, c, self.depth_multiplier],
            self.depthwise_initializer,
        );
        let pointwise = WeightSpec::trainable(
            "pointwise_kernel",
            vec![1, 1, between, self.filters],
            self.pointwise_initializer,
        );
        let weights = [depthwise, pointwise]
            .into_iter()
            .chain(bias(self.use_bias, self.filters, self.bias_initializer))
            .collect();
        Ok(Inferred { output: Shape::Image([oh, ow, self.filters]), weights })
    }

    fn applied(&self) -> Applied {
        self.activation.into()
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        let of = |name, regularizer| of_kernel(regularizer).into_iter().map(move |(_, one)| (name, one));
        of("depthwise_kernel", self.depthwise_regularizer)
            .chain(of("pointwise_kernel", self.pointwise_regularizer))
            .collect()
    }

    fn keeps_sign(&self) -> bool {
        false
    }

    fn filters(&self) -> Option<&'static str> {
        Some("depthwise_kernel")
    }

    fn of_torch(&self) -> &'static [OfTorch] {
        &[
            OfTorch { ours: "depthwise_kernel", theirs: "depthwise.weight", axes: Axes::Depthwise },
            OfTorch { ours: "pointwise_kernel", theirs: "pointwise.weight", axes: Axes::Windows },
            OfTorch { ours: "bias", theirs: "pointwise.bias", axes: Axes::Same },
        ]
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let [depthwise, pointwise] = self.convolutions(place, b.batch);
        let z = b.leave(place, "depthwise", Dtype::F32, &depthwise.y());
        depthwise.forward(b, &x[0], &z)?;
        let y = b.output(place);
        pointwise.forward(b, &z, &y)?;
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
        let [depthwise, pointwise] = self.convolutions(place, b.batch);
        let z = b.left(place, "depthwise");
        let dz =
            b.tensor(&format!("d_{}.depthwise", place.name), Role::ActivationGradient, Dtype::F32, &z.shape);
        pointwise.backward(b, &dy, Some(&dz))?;
        let dx = wants[0].then(|| b.input_gradient(place, 0, &x[0]));
        depthwise.backward(b, &dz, dx.as_ref())?;
        Ok(vec![dx])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        graph.turn(Layout::First, place.name);
        let [h, w, c] = place.image();
        let kernel = graph.turned_weight(place, "depthwise_kernel", depthwise_oihw).into_iter().collect();
        graph.node(&place.step("depthwise"), "Conv", kernel, self.motion().onnx([h, w], c));
        let weights = [graph.turned_weight(place, "pointwise_kernel", oihw), graph.weight(place, "bias")];
        let attributes = POINTWISE.onnx([h, w], 1);
        graph.node(&place.step("pointwise"), "Conv", weights.into_iter().flatten().collect(), attributes);
    }
}
