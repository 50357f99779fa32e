use serde::{Deserialize, Serialize};

use super::check::Check;
use super::ema::{EMA_MOMENTUM, is_default_momentum};
use super::error::OptimizerError;

/// RMSprop, exactly as Keras 3 computes it (epsilon inside the root):
///
/// ```text
/// v <- rho*v + (1 - rho)*g^2
/// d <- v                      plain
/// a <- rho*a + (1 - rho)*g;  d <- v - a^2      centered
/// u <- learning_rate * g / sqrt(d + epsilon)
/// w <- w - u                  without momentum
/// m <- momentum*m + u;  w <- w - m             with momentum
/// ```
///
/// All state starts at zero. Source: Tieleman and Hinton, Coursera lecture 6.5, 2012;
/// `keras/src/optimizers/rmsprop.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Step size; default 0.001.
    pub learning_rate: f64,
    /// Decay of the running mean of squares, in `[0, 1)`; default 0.9.
    pub rho: f64,
    /// Momentum, in `[0, 1)`; 0 is none. Default 0.
    pub momentum: f64,
    /// Added under the root; default 1e-7.
    pub epsilon: f64,
    /// Whether the variance is taken around the running mean of the gradient; default false.
    pub centered: bool,
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

impl Default for RmsProp {
    fn default() -> Self {
        RmsProp {
            learning_rate: 1e-3,
            rho: 0.9,
            momentum: 0.0,
            epsilon: 1e-7,
            centered: false,
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

impl RmsProp {
    /// State values kept for each weight: `v`, and `m` and `a` when they are used.
    pub fn slots(&self) -> usize {
        1 + usize::from(self.momentum > 0.0) + usize::from(self.centered)
    }

    pub(super) fn check(&self, check: Check) -> Result<(), OptimizerError> {
        check.fraction("rho", self.rho)?;
        check.fraction("momentum", self.momentum)?;
        check.positive("epsilon", self.epsilon)
    }
}
