//! Activations, as an argument of a layer and as layers of their own, and dropout.

use serde::{Deserialize, Serialize};

pub use crate::ops::Activation;

/// Slope of [`LeakyReLU`] below 0, where none is given.
const LAYER_SLOPE: f64 = 0.3;

/// An activation as a layer of its own: the Keras layer `Activation`.
///
/// Same shape out as in. Source: `keras/src/layers/activations/activation.py`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationLayer {
    /// Name in messages; by default `activation`, `activation_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The function.
    pub activation: Activation,
}

/// `y = max(x, 0)` as a layer of its own. Source: `keras/src/layers/activations/relu.py`, with its defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReLU {
    /// Name in messages; by default `re_lu`, `re_lu_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `y = x` where `x > 0`, else `negative_slope * x`, as a layer of its own. The derivative at 0 is the slope.
///
/// Source: `keras/src/layers/activations/leaky_relu.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakyReLU {
    /// Name in messages; by default `leaky_re_lu`, `leaky_re_lu_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Slope below 0, finite and not negative; default 0.3.
    #[serde(default = "layer_slope")]
    pub negative_slope: f64,
}

/// `y_i = exp(x_i) / sum_j exp(x_j)` over the last axis, as a layer of its own.
///
/// Source: `keras/src/layers/activations/softmax.py`, with its default axis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {
    /// Name in messages; by default `softmax`, `softmax_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// In training, sets each value to 0 with probability `rate` and multiplies the others by `1 / (1 - rate)`; in evaluation
/// and prediction it changes nothing.
///
/// What is dropped follows from the seed, the step, the layer's place in the model and the element, so it is the same on
/// every device. Source: Srivastava et al., "Dropout", JMLR 2014; `keras/src/layers/regularization/dropout.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Name in messages; by default `dropout`, `dropout_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Share that is dropped, in `[0, 1)`.
    pub rate: f64,
}

fn layer_slope() -> f64 {
    LAYER_SLOPE
}

impl ActivationLayer {
    /// This function as a layer.
    pub fn new(activation: Activation) -> Self {
        ActivationLayer { name: None, activation }
    }
}

impl ReLU {
    /// The layer; it has nothing to set.
    pub fn new() -> Self {
        ReLU::default()
    }
}

impl LeakyReLU {
    /// A slope of 0.3 below 0.
    pub fn new() -> Self {
        LeakyReLU { name: None, negative_slope: LAYER_SLOPE }
    }

    /// Sets the slope below 0.
    pub fn negative_slope(mut self, slope: f64) -> Self {
        self.negative_slope = slope;
        self
    }
}

impl Default for LeakyReLU {
    fn default() -> Self {
        LeakyReLU::new()
    }
}

impl Softmax {
    /// Over the last axis.
    pub fn new() -> Self {
        Softmax::default()
    }
}

impl Dropout {
    /// Drops this share of the values.
    pub fn new(rate: f64) -> Self {
        Dropout { name: None, rate }
    }
}

/// `name` on layers that have little else to set.
macro_rules! named {
    ($($class:ident),*) => {
        $(impl $class {
            /// Sets the name.
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.name = Some(name.into());
                self
            }
        })*
    };
}

named!(ActivationLayer, ReLU, LeakyReLU, Softmax, Dropout);
