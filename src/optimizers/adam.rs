use serde::{Deserialize, Serialize};

use super::check::Check;
use super::ema::{EMA_MOMENTUM, is_default_momentum};
use super::error::OptimizerError;

/// Adam, exactly as Keras 3 computes it (epsilon outside the root, the bias corrected in the step size):
///
/// ```text
/// m <- m + (1 - beta_1)*(g - m)
/// v <- v + (1 - beta_2)*(g^2 - v)
/// w <- w - m * (learning_rate*correction) / (sqrt(v) + epsilon)
/// correction = sqrt(1 - beta_2^t) / (1 - beta_1^t)      at the t-th step, counted from 1
/// ```
///
/// State starts at zero. The host computes the correction from f32 betas and their powers rounded to f32, as Keras does at
/// every precision: 1 - 0.999 is off by 1.3e-5 of itself then, which the first steps show. Source: Kingma and Ba, arXiv:1412.6980, with the
/// "epsilon hat" of its section 2.1; `keras/src/optimizers/adam.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Step size; default 0.001.
    pub learning_rate: f64,
    /// Decay of the running mean of gradients, in `[0, 1)`; default 0.9.
    pub beta_1: f64,
    /// Decay of the running mean of squares, in `[0, 1)`; default 0.999.
    pub beta_2: f64,
    /// Added to the root; default 1e-7.
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

impl Default for Adam {
    fn default() -> Self {
        Adam {
            learning_rate: 0.001,
            beta_1: 0.9,
            beta_2: 0.999,
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

impl Adam {
    /// State values kept for each weight: `m` and `v`.
    pub const SLOTS: usize = 2;

    /// What corrects the bias of the running means at the step with this number, counted from 0.
    pub(super) fn correction(&self, step: usize) -> f32 {
        // Powers in 64 bits, since those of 32 differ from one mathematical library to the next.
        let power = |beta: f64| f64::from(beta as f32).powf(step as f64 + 1.0) as f32;
        (1.0 - power(self.beta_2)).sqrt() / (1.0 - power(self.beta_1))
    }

    pub(super) fn check(&self, check: Check) -> Result<(), OptimizerError> {
        check.fraction("beta_1", self.beta_1)?;
        check.fraction("beta_2", self.beta_2)?;
        check.positive("epsilon", self.epsilon)
    }
}

/// [`Adam`] with weight decay: `w <- w - w * weight_decay * learning_rate` before each update.
///
/// Source: Loshchilov and Hutter, arXiv:1711.05101; `keras/src/optimizers/adamw.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Step size; default 0.001.
    pub learning_rate: f64,
    /// Weight decay; default 0.004.
    pub weight_decay: f64,
    /// Decay of the running mean of gradients, in `[0, 1)`; default 0.9.
    pub beta_1: f64,
    /// Decay of the running mean of squares, in `[0, 1)`; default 0.999.
    pub beta_2: f64,
    /// Added to the root; default 1e-7.
    pub epsilon: f64,
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

impl Default for AdamW {
    fn default() -> Self {
        let Adam { learning_rate, beta_1, beta_2, epsilon, clipvalue, clipnorm, global_clipnorm, .. } =
            Adam::default();
        AdamW {
            learning_rate,
            weight_decay: 0.004,
            beta_1,
            beta_2,
            epsilon,
            clipvalue,
            clipnorm,
            global_clipnorm,
            use_ema: false,
            ema_momentum: EMA_MOMENTUM,
            ema_overwrite_frequency: None,
        }
    }
}

impl AdamW {
    /// The same as [`Adam`] with its weight decay set.
    pub fn adam(&self) -> Adam {
        let AdamW { learning_rate, weight_decay, beta_1, beta_2, epsilon, .. } = *self;
        let AdamW { clipvalue, clipnorm, global_clipnorm, .. } = *self;
        let AdamW { use_ema, ema_momentum, ema_overwrite_frequency, .. } = *self;
        Adam {
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            weight_decay: Some(weight_decay),
            clipvalue,
            clipnorm,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
        }
    }
}
