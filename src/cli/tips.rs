//! Tips for arguments that no command takes, but another one of it does.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::path_text::shell_word;

/// The commands whose data is named by a flag.
const OF_DATA: [&str; 3] = ["train", "crossval", "lr-find"];
/// A key of other flags, often taken for a flag.
const PATIENCE: &str = "--patience";

/// Adds a tip to the error about such an argument; `words` are the arguments of the program.
pub fn with_tip(mut error: Error, mut words: impl Iterator<Item = OsString>) -> Error {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return error };
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let of_data = words.any(|word| OF_DATA.iter().any(|command| word == *command));
    let tip = tip(unknown, of_data);
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    error
}

fn tip(unknown: &str, of_data: bool) -> Option<String> {
    let path = Path::new(unknown);
    let word = shell_word(path);
    match unknown {
        _ if !of_data => None,
        PATIENCE => {
            Some("to end training that no longer improves, use '--early-stopping patience=N'".to_owned())
        }
        _ if path.extension().is_some_and(|ending| ending == "toml") && path.is_file() => {
            Some(format!("to train this model, use '--model {word}'"))
        }
        _ if path.exists() => Some(format!("to take this as the data set, use '--data {word}'")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tips_are_for_what_is_there() {
        let rows = [
            ("src", true, Some("--data src'")),
            ("src", false, None),
            ("Cargo.toml", true, Some("--model Cargo.toml'")),
            ("nowhere", true, None),
            ("--patience", true, Some("'--early-stopping patience=N'")),
        ];
        for (unknown, of_data, expected) in rows {
            let found = tip(unknown, of_data);
            let fits = found.as_deref().zip(expected).map(|(found, expected)| found.ends_with(expected));
            assert_eq!(
                fits.or(found.is_some().then_some(false)),
                expected.map(|_| true),
                "{unknown}: {found:?}"
            );
        }
    }
}
