//! A setting out of its range.

/// A setting with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` is {value}, but must be {expected}")]
pub struct SettingError {
    /// The setting.
    pub setting: &'static str,
    /// Its value.
    pub value: String,
    /// The valid values.
    pub expected: &'static str,
}

impl SettingError {
    /// Names a setting, its value and the valid values.
    pub(crate) fn new(setting: &'static str, value: impl ToString, expected: &'static str) -> Self {
        SettingError { setting, value: value.to_string(), expected }
    }
}
