//! Layers as values: what a model is made of, in the words of Keras.

use serde::{Deserialize, Serialize};

use super::Regularizer;
use super::activation::{Activation, ActivationLayer, Dropout, LeakyReLU, ReLU, Softmax};
use crate::ops::LeakyRelu;

/// A height and a width: of a kernel, a stride or a pooling window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PairForm", into = "(usize, usize)")]
pub struct Pair {
    /// Along the height axis.
    pub height: usize,
    /// Along the width axis.
    pub width: usize,
}

/// How a pair may be written in a model file: `3` or `[3, 3]`.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "kernel_size, pool_size and strides are a size such as 3, or height and width such as [3, 5]"
)]
enum PairForm {
    Both(usize),
    Each(usize, usize),
}

impl From<PairForm> for Pair {
    fn from(form: PairForm) -> Pair {
        match form {
            PairForm::Both(size) => size.into(),
            PairForm::Each(height, width) => (height, width).into(),
        }
    }
}

impl From<usize> for Pair {
    fn from(size: usize) -> Pair {
        (size, size).into()
    }
}

impl From<(usize, usize)> for Pair {
    fn from((height, width): (usize, usize)) -> Pair {
        Pair { height, width }
    }
}

impl From<Pair> for (usize, usize) {
    fn from(pair: Pair) -> (usize, usize) {
        (pair.height, pair.width)
    }
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.height, self.width)
    }
}

/// What surrounds an image before a window slides over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Nothing: windows lie wholly inside, `out = (in - window) / stride + 1`.
    #[default]
    Valid,
}

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

/// The maximum of each window, per channel.
///
/// `y[n, i, j, c] = max_{p, q} x[n, i*sh + p, j*sw + q, c]`; the gradient goes to the first maximum in
/// row-major order. Source: `keras/src/layers/pooling/max_pooling2d.py`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPooling2D {
    /// Name in messages; by default `max_pooling2d`, `max_pooling2d_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Size of the window; default 2x2.
    #[serde(default = "two_by_two")]
    pub pool_size: Pair,
    /// Step of the window; by default its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strides: Option<Pair>,
    /// Default `valid`.
    #[serde(default)]
    pub padding: Padding,
}

/// Makes each sample one row: `[n, h, w, c]` becomes `[n, h*w*c]`. No data moves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {
    /// Name in messages; by default `flatten`, `flatten_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A fully connected layer: `y[n, o] = bias[o] + sum_i x[n, i] * kernel[i, o]`.
///
/// Kernel `(in, out)`: Glorot uniform, bias: zeros. Source: `keras/src/layers/core/dense.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Name in weight files and messages; by default `dense`, `dense_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Number of outputs.
    pub units: usize,
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

fn two_by_two() -> Pair {
    Pair::from(2)
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

    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl MaxPooling2D {
    /// A window of `pool_size` (`2` or `(2, 3)`) that moves by its own size.
    pub fn new(pool_size: impl Into<Pair>) -> Self {
        MaxPooling2D { name: None, pool_size: pool_size.into(), strides: None, padding: Padding::Valid }
    }

    /// Sets the step of the window.
    pub fn strides(mut self, strides: impl Into<Pair>) -> Self {
        self.strides = Some(strides.into());
        self
    }

    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl Flatten {
    /// The layer; it has nothing to set.
    pub fn new() -> Self {
        Flatten::default()
    }
}

impl Dense {
    /// `units` outputs, linear.
    pub fn new(units: usize) -> Self {
        Dense { name: None, units, activation: Activation::Linear, kernel_regularizer: None }
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

    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// One layer of a [`Sequential`](super::Sequential) model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Layer {
    /// See [`Conv2D`].
    Conv2D(Conv2D),
    /// See [`MaxPooling2D`].
    MaxPooling2D(MaxPooling2D),
    /// See [`Flatten`].
    Flatten(Flatten),
    /// See [`Dense`].
    Dense(Dense),
    /// See [`ActivationLayer`].
    Activation(ActivationLayer),
    /// See [`ReLU`].
    ReLU(ReLU),
    /// See [`LeakyReLU`].
    LeakyReLU(LeakyReLU),
    /// See [`Softmax`].
    Softmax(Softmax),
    /// See [`Dropout`].
    Dropout(Dropout),
}

impl Layer {
    /// The class names that a model file may give as `type`, as in Keras.
    pub const CLASSES: [&str; 9] = [
        "Conv2D",
        "MaxPooling2D",
        "Flatten",
        "Dense",
        "Activation",
        "ReLU",
        "LeakyReLU",
        "Softmax",
        "Dropout",
    ];

    /// The class name, as in Keras.
    pub fn class(&self) -> &'static str {
        match self {
            Layer::Conv2D(_) => "Conv2D",
            Layer::MaxPooling2D(_) => "MaxPooling2D",
            Layer::Flatten(_) => "Flatten",
            Layer::Dense(_) => "Dense",
            Layer::Activation(_) => "Activation",
            Layer::ReLU(_) => "ReLU",
            Layer::LeakyReLU(_) => "LeakyReLU",
            Layer::Softmax(_) => "Softmax",
            Layer::Dropout(_) => "Dropout",
        }
    }

    /// The class name in snake case: the stem of the default names.
    pub(super) fn stem(&self) -> &'static str {
        match self {
            Layer::Conv2D(_) => "conv2d",
            Layer::MaxPooling2D(_) => "max_pooling2d",
            Layer::Flatten(_) => "flatten",
            Layer::Dense(_) => "dense",
            Layer::Activation(_) => "activation",
            Layer::ReLU(_) => "re_lu",
            Layer::LeakyReLU(_) => "leaky_re_lu",
            Layer::Softmax(_) => "softmax",
            Layer::Dropout(_) => "dropout",
        }
    }

    /// The name given by the user, if any.
    pub(super) fn given_name(&self) -> Option<&str> {
        match self {
            Layer::Conv2D(layer) => layer.name.as_deref(),
            Layer::MaxPooling2D(layer) => layer.name.as_deref(),
            Layer::Flatten(layer) => layer.name.as_deref(),
            Layer::Dense(layer) => layer.name.as_deref(),
            Layer::Activation(layer) => layer.name.as_deref(),
            Layer::ReLU(layer) => layer.name.as_deref(),
            Layer::LeakyReLU(layer) => layer.name.as_deref(),
            Layer::Softmax(layer) => layer.name.as_deref(),
            Layer::Dropout(layer) => layer.name.as_deref(),
        }
    }

    /// The activation applied to the layer's output.
    pub fn activation(&self) -> Activation {
        match self {
            Layer::Conv2D(layer) => layer.activation,
            Layer::Dense(layer) => layer.activation,
            Layer::Activation(layer) => layer.activation,
            Layer::ReLU(_) => Activation::Relu,
            Layer::LeakyReLU(_) => Activation::LeakyRelu,
            Layer::Softmax(_) => Activation::Softmax,
            Layer::MaxPooling2D(_) | Layer::Flatten(_) | Layer::Dropout(_) => Activation::Linear,
        }
    }

    /// The slope of the activation below 0, where it is a leaky ReLU.
    pub(super) fn negative_slope(&self) -> f64 {
        match self {
            Layer::LeakyReLU(layer) => layer.negative_slope,
            _ => f64::from(LeakyRelu::default().slope),
        }
    }
}

impl Layer {
    /// The penalty of the layer's kernel; `None` where there is none or both factors are 0.
    pub fn kernel_regularizer(&self) -> Option<Regularizer> {
        let regularizer = match self {
            Layer::Conv2D(layer) => layer.kernel_regularizer,
            Layer::Dense(layer) => layer.kernel_regularizer,
            _ => None,
        };
        regularizer.filter(|regularizer| !regularizer.is_none())
    }
}

macro_rules! layer_from {
    ($($class:ident => $variant:ident),*) => {
        $(impl From<$class> for Layer {
            fn from(layer: $class) -> Layer {
                Layer::$variant(layer)
            }
        })*
    };
}

layer_from!(
    Conv2D => Conv2D,
    MaxPooling2D => MaxPooling2D,
    Flatten => Flatten,
    Dense => Dense,
    ActivationLayer => Activation,
    ReLU => ReLU,
    LeakyReLU => LeakyReLU,
    Softmax => Softmax,
    Dropout => Dropout
);
