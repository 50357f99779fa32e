use serde::{Deserialize, Serialize};

use super::check::Check;
use super::ema::{EMA_MOMENTUM, is_default_momentum};
use super::error::OptimizerError;

/// Adadelta, exactly as Keras 3 computes it (epsilon inside both roots):
///
/// ```text
/// a <- rho*a + (1 - rho)*g^2
/// u <- sqrt(d + epsilon) * g / sqrt(a + epsilon)
/// d <- rho*d + (1 - rho)*u^2
/// w <- w - learning_rate*u
/// ```
///
/// State starts at zero. Source: Zeiler, arXiv:1212.5701; `keras/src/optimizers/adadelta.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adadelta {
    /// Step size; 1 gives the method of the paper, which has none. Default 0.001.
    pub learning_rate: f64,
    /// Decay of both running means of squares, in `[0, 1)`; default 0.95.
    pub rho: f64,
    /// Added under both roots; default 1e-7.
    pub epsilon: f64,
    /// Weight decay ([`Optimizer`](super::Optimizer)); default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// Largest magnitude of an element of a gradient ([`Clipping::Value`](super::Clipping)); default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clipvalue: Option<f64>,
    /// Largest norm of the gradient of one weight tensor ([`Clipping::Norm`](super::Clipping)); default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clipnorm: Option<f64>,
    /// Largest norm of all gradients together ([`Clipping::GlobalNorm`](super::Clipping)); default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_clipnorm: Option<f64>,
    /// Whether a moving average of the weights is kept ([`Ema`](super::Ema)); default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub use_ema: bool,
    /// Share of the average that is kept at each step, in `[0, 1]`; default 0.99.
    #[serde(skip_serializing_if = "is_default_momentum")]
    pub ema_momentum: f64,
    /// After every so many steps the weights are replaced by their average; default never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema_overwrite_frequency: Option<u32>,
}

impl Default for Adadelta {
    fn default() -> Self {
        Adadelta {
            learning_rate: 0.001,
            rho: 0.95,
            epsilon: 1e-7,
            weight_decay: None,
            clipvalue: None,
            clipnorm: None,
            global_clipnorm: None,
            use_ema: false,
            ema_momentum: EMA_MOMENTUM,
            ema_overwrite_frequency: None,
        }
    }
}

impl Adadelta {
    /// State values kept for each weight: `a` and `d`.
    pub const SLOTS: usize = 2;

    pub(super) fn check(&self, check: Check) -> Result<(), OptimizerError> {
        check.fraction("rho", self.rho)?;
        check.positive("epsilon", self.epsilon)
    }
}
