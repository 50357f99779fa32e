//! Values of flags that are several settings: `key=value,key=value`, with the keys and checks of the model file.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::model::with_suggestion;

/// Turns off a setting of the model file.
const OFF: &str = "off";

/// A setting that a flag sets or turns off.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting<T> {
    Off,
    On(T),
}

impl<T: Clone> Setting<T> {
    /// The value that replaces the model file's.
    pub fn value(&self) -> Option<T> {
        match self {
            Setting::Off => None,
            Setting::On(value) => Some(value.clone()),
        }
    }
}

/// Reads `off`, nothing (all defaults), or settings.
pub fn setting<T: DeserializeOwned>(text: &str) -> Result<Setting<T>, String> {
    if text.trim() == OFF { Ok(Setting::Off) } else { settings(text).map(Setting::On) }
}

/// Reads settings. A value is written as in TOML; a word needs no quotes.
pub fn settings<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut table = Table::new();
    for pair in pairs(text) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(format!("`{pair}` is not of the form key=value"));
        };
        let (key, value) = (key.trim().to_owned(), value.trim());
        let read = toml::from_str::<Table>(&format!("value = {value}")).ok();
        let value =
            read.and_then(|mut read| read.remove("value")).unwrap_or_else(|| Value::String(value.to_owned()));
        if table.insert(key.clone(), value).is_some() {
            return Err(format!("`{key}` is given twice"));
        }
    }
    table.try_into().map_err(|error| with_suggestion(&error.to_string()).replace('\n', " "))
}

/// The text split at commas outside brackets; empty pieces are dropped.
fn pairs(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let pieces = text.split(|c| {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    pieces.map(str::trim).filter(|piece| !piece.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{EarlyStopping, LearningRateSchedule, Monitor, StepDecay};

    #[test]
    fn settings_are_read_as_in_a_model_file() {
        let found: EarlyStopping =
            settings("patience=3, monitor=val_accuracy,restore_best_weights=true,min_delta=1e-3").unwrap();
        let expected = EarlyStopping {
            monitor: Monitor::ValAccuracy,
            patience: 3,
            min_delta: 1e-3,
            restore_best_weights: true,
            ..EarlyStopping::default()
        };
        assert_eq!(found, expected);
        let found: LearningRateSchedule =
            settings("type=step,boundaries=[10, 20],values=[0.1,0.01,0.001]").unwrap();
        let expected = StepDecay { boundaries: vec![10, 20], values: vec![0.1, 0.01, 0.001] };
        assert_eq!(found, expected.into());
        assert_eq!(setting::<EarlyStopping>("off"), Ok(Setting::Off));
        assert_eq!(setting(""), Ok(Setting::On(EarlyStopping::default())));
    }

    #[test]
    fn mistakes_are_named() {
        let rows = [
            ("patience", "`patience` is not of the form key=value"),
            ("patience=3,patience=4", "`patience` is given twice"),
            ("patiense=3", "did you mean `patience`?"),
            ("patience=soon", "invalid type: string \"soon\""),
            ("monitor=vall_loss", "did you mean `val_loss`?"),
        ];
        for (text, expected) in rows {
            let message = settings::<EarlyStopping>(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message:?} lacks {expected:?}");
        }
    }
}
