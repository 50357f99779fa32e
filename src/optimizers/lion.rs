use serde::{Deserialize, Serialize};

use super::check::Check;
use super::ema::{EMA_MOMENTUM, is_default_momentum};
use super::error::OptimizerError;

/// Lion, exactly as Keras 3 computes it:
///
/// ```text
/// w <- w - learning_rate * sign(beta_1*m + (1 - beta_1)*g)      with sign(0) = 0
/// m <- beta_2*m + (1 - beta_2)*g
/// ```
///
/// State starts at zero. Every weight moves by the learning rate or not at all, so a suitable one is 3 to 10 times smaller than
/// for [`AdamW`](super::AdamW), and a suitable weight decay as many times larger.
/// Source: Chen and others, arXiv:2302.06675; `keras/src/optimizers/lion.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lion {
    /// Step size; default 0.001.
    pub learning_rate: f64,
    /// Share of the running mean, beside the gradient, in the sum whose sign is the direction, in `(0, 1]`; default
    /// 0.9.
    pub beta_1: f64,
    /// Decay of the running mean of gradients, in `[0, 1)`; default 0.99.
    pub beta_2: f64,
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

impl Default for Lion {
    fn default() -> Self {
        Lion {
            learning_rate: 0.001,
            beta_1: 0.9,
            beta_2: 0.99,
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

impl Lion {
    /// State values kept for each weight: `m`.
    pub const SLOTS: usize = 1;

    pub(super) fn check(&self, check: Check) -> Result<(), OptimizerError> {
        let valid = self.beta_1 as f32 > 0.0 && self.beta_1 <= 1.0;
        check.that("beta_1", self.beta_1, valid, "above 0 and at most 1")?;
        check.fraction("beta_2", self.beta_2)
    }
}
