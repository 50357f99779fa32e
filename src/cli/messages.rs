//! Errors as text.

use super::hints;

/// An error and its causes, with the flags for what it advises. A cause that the text before it contains is left out.
pub fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    match hints::of_error(error) {
        Some(flags) => format!("{text} ({flags})"),
        None => text,
    }
}
