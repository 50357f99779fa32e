//! What classes and features are called.

use std::collections::HashSet;

/// Names must tell what they name apart and fit into a line. `key` is what the list is called, `each` what one of them names.
pub(crate) fn check_names(key: &str, each: &str, names: &[String]) -> Result<(), String> {
    let mut seen = HashSet::new();
    for (number, name) in names.iter().enumerate() {
        if !is_name(name) {
            return Err(format!("{key}: name {name:?} of {each} {number} must be text on one line"));
        }
        if !seen.insert(name) {
            return Err(format!("{key}: {name:?} is there twice; give each {each} a name of its own"));
        }
    }
    Ok(())
}

/// Whether a text is a name that fits into a line.
pub(crate) fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}
