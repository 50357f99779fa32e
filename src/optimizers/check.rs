//! Checks of settings.

use super::error::OptimizerError;

/// Turns settings out of their range into errors.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub(super) optimizer: &'static str,
}

impl Check {
    pub(super) fn that(
        self,
        setting: &'static str,
        value: f64,
        valid: bool,
        expected: &'static str,
    ) -> Result<(), OptimizerError> {
        let optimizer = self.optimizer;
        if valid { Ok(()) } else { Err(OptimizerError { optimizer, setting, value, expected }) }
    }

    /// Above 0, also as f32.
    pub(super) fn positive(self, setting: &'static str, value: f64) -> Result<(), OptimizerError> {
        let single = value as f32;
        self.that(
            setting,
            value,
            single > 0.0 && single.is_finite(),
            "a number above 0 that a 32-bit float can hold",
        )
    }

    /// The decay of a running mean, or momentum.
    pub(super) fn fraction(self, setting: &'static str, value: f64) -> Result<(), OptimizerError> {
        let valid = value >= 0.0 && (value as f32) < 1.0;
        self.that(setting, value, valid, "at least 0 and, in 32 bits, below 1")
    }
}
