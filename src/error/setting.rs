//! A setting out of its range.

use std::borrow::Cow;

use crate::message::debug_is_message;
use crate::numbers::shown;

/// A setting with an invalid value.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` is {value}, but must be {expected}")]
pub struct SettingError {
    /// The setting.
    pub setting: &'static str,
    /// Its value.
    pub value: String,
    /// The valid values.
    pub expected: Cow<'static, str>,
}

debug_is_message!(SettingError);

impl SettingError {
    /// Names a setting, its value and the valid values.
    pub(crate) fn new(
        setting: &'static str,
        value: impl Said,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        SettingError { setting, value: value.said(), expected: expected.into() }
    }
}

/// A value as messages say it.
pub(crate) trait Said {
    /// The text.
    fn said(&self) -> String;
}

impl Said for f64 {
    fn said(&self) -> String {
        shown(*self)
    }
}

macro_rules! as_it_is {
    ($($kind:ty),*) => {
        $(impl Said for $kind {
            fn said(&self) -> String {
                self.to_string()
            }
        })*
    };
}

as_it_is!(bool, u32, usize, &str, String);
