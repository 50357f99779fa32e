//! What the checks of several settings have in common.

use crate::error::{Said, SettingError};

/// Refuses a value that is not valid, and says what was expected.
pub(super) fn require(
    valid: bool,
    setting: &'static str,
    value: impl Said,
    expected: impl FnOnce() -> &'static str,
) -> Result<(), SettingError> {
    if valid { Ok(()) } else { Err(SettingError::new(setting, value, expected())) }
}

/// Refuses learning rates that are negative or not finite in 32 bits.
pub(super) fn rate_in_range(setting: &'static str, rate: f64) -> Result<(), SettingError> {
    let valid = rate >= 0.0 && (rate as f32).is_finite();
    require(valid, setting, rate, || "at least 0, and a number that a 32-bit float can hold")
}
