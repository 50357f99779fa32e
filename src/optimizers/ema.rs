//! The moving average of weights.

use super::check::Check;
use super::error::OptimizerError;

/// What Keras keeps of an average.
pub(super) const EMA_MOMENTUM: f64 = 0.99;

/// The exponential moving average of every trained weight, taken after each update:
///
/// ```text
/// average <- average * momentum + w * (1 - momentum)        after the first step: average = w
/// w <- average                                              after each overwrite_frequency steps, if there is one
/// ```
///
/// At the end of a training that was not interrupted, the weights become their averages. Until then they are trained and
/// evaluated as they are. Set by `use_ema`, `ema_momentum` and `ema_overwrite_frequency` of each optimizer.
/// Source: `keras/src/optimizers/base_optimizer.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ema {
    /// How much of the average stays, in `[0, 1]`.
    pub momentum: f64,
    /// After each so many steps the weights become their average.
    pub overwrite_frequency: Option<u32>,
}

pub(super) fn is_default_momentum(momentum: &f64) -> bool {
    *momentum == EMA_MOMENTUM
}

pub(super) fn check(check: Check, ema: Option<Ema>) -> Result<(), OptimizerError> {
    let Some(Ema { momentum, overwrite_frequency }) = ema else { return Ok(()) };
    check.that("ema_momentum", momentum, (0.0..=1.0).contains(&momentum), "at least 0 and at most 1")?;
    let every = overwrite_frequency.unwrap_or(1);
    check.that("ema_overwrite_frequency", f64::from(every), every > 0, "at least 1, or left out")
}
