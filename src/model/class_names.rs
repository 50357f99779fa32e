//! The names of a model's classes and of its features.

use super::network::Network;
use crate::data::{Shape, TargetKind, check_names};

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
    check_names("class_names", "class", names)
}

/// Names, where there are any, must tell the numbers of a sample apart and fit into a line.
pub(crate) fn check_feature_names(names: &[String], network: &Network) -> Result<(), String> {
    let found = names.len();
    match network.input_shape {
        _ if names.is_empty() => Ok(()),
        Shape::Flat(features) if features == found => check_names("feature_names", "feature", names),
        shape => Err(format!(
            "feature_names has {found} names, but the shape of a sample is {shape}: it must be [{found}]"
        )),
    }
}
