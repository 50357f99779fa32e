//! The names of a model's classes.

use super::network::Network;
use crate::data::{TargetKind, check_names};

/// Names, where there are any, must tell the classes, labels or outputs apart and fit into a line.
pub(crate) fn check_class_names(names: &[String], network: &Network) -> Result<(), String> {
    if names.is_empty() {
        return Ok(());
    }
    let (found, classes) = (names.len(), network.classes());
    if found != classes {
        let has = match network.target {
            TargetKind::Classes => format!("tells {classes} classes apart"),
            TargetKind::MultiLabel => format!("gives {classes}, one number for each label"),
            TargetKind::Values => format!("gives {classes}, one number for each output"),
        };
        return Err(format!("class_names has {found} names, but the last layer {has}"));
    }
    check_names(names)
}
