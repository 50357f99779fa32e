//! The names of a model's classes.

use crate::data::check_names;

/// Names, where there are any, must tell the classes apart and fit into a line.
pub(crate) fn check_class_names(names: &[String], classes: usize) -> Result<(), String> {
    if names.is_empty() {
        return Ok(());
    }
    if names.len() != classes {
        return Err(format!(
            "class_names has {} names, but the last layer tells {classes} classes apart",
            names.len()
        ));
    }
    check_names(names)
}
