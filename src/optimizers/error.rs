use crate::numbers::shown;

use crate::message::debug_is_message;

/// A setting of an optimizer is out of its range.
#[derive(Clone, Copy, thiserror::Error, PartialEq)]
#[error("optimizer `{optimizer}`: `{setting}` is {}, but must be {expected}", shown(*value))]
pub struct OptimizerError {
    /// The optimizer's name.
    pub optimizer: &'static str,
    /// The setting.
    pub setting: &'static str,
    /// What it is.
    pub value: f64,
    /// What it may be.
    pub expected: &'static str,
}

debug_is_message!(OptimizerError);
