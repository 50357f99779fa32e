use serde::{Deserialize, Serialize};

use super::check::Check;
use super::ema::{EMA_MOMENTUM, is_default_momentum};
use super::error::OptimizerError;

/// Gradient descent, exactly as Keras 3 computes it:
///
/// ```text
/// w <- w - learning_rate*g                                        without momentum
/// m <- momentum*m - learning_rate*g
/// w <- w + m                                                      with momentum
/// w <- w + momentum*m - learning_rate*g                           and nesterov
/// ```
///
/// State starts at zero. Source: `keras/src/optimizers/sgd.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Step size; default 0.01.
    pub learning_rate: f64,
    /// Momentum, in `[0, 1]`; 0 is none. Default 0.
    pub momentum: f64,
    /// Whether momentum is Nesterov's, which looks one step ahead. Without momentum it does nothing. Default false.
    pub nesterov: bool,
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

impl Default for Sgd {
    fn default() -> Self {
        Sgd {
            learning_rate: 0.01,
            momentum: 0.0,
            nesterov: false,
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

impl Sgd {
    /// State values kept for each weight: `m` where there is momentum.
    pub fn slots(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    pub(super) fn check(&self, check: Check) -> Result<(), OptimizerError> {
        check.that(
            "momentum",
            self.momentum,
            (0.0..=1.0).contains(&self.momentum),
            "at least 0 and at most 1",
        )
    }
}
