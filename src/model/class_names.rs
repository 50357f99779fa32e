//! What classes are called.

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
    for (class, name) in names.iter().enumerate() {
        if name.trim().is_empty() || name.contains(char::is_control) {
            return Err(format!("class_names: name {name:?} of class {class} must be text on one line"));
        }
        if names[..class].contains(name) {
            return Err(format!("class_names: {name:?} is there twice; give each class a name of its own"));
        }
    }
    Ok(())
}
