//! What classes are called.

use std::collections::HashSet;

/// Names must tell classes apart and fit into a line.
pub(crate) fn check_names(names: &[String]) -> Result<(), String> {
    let mut seen = HashSet::new();
    for (class, name) in names.iter().enumerate() {
        if name.trim().is_empty() || name.contains(char::is_control) {
            return Err(format!("class_names: name {name:?} of class {class} must be text on one line"));
        }
        if !seen.insert(name) {
            return Err(format!("class_names: {name:?} is there twice; give each class a name of its own"));
        }
    }
    Ok(())
}
