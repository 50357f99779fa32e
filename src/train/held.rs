//! What a model is held to on a data set.

use crate::data::{Dataset, TargetKind};
use crate::device::{COPIES, check_host_memory};
use crate::error::Error;
use crate::executor::check_data;
use crate::model::Network;

/// What a model is held to on a data set: its targets, or, where the model's are of another kind, what they are as that kind: classes as
/// rows or numbers, and rows or numbers as classes or labels where they can be that. A set that can be neither is returned as it is;
/// training refuses it.
///
/// # Errors
/// When the data set does not fit the model, or there is no memory for the rows.
pub fn held_to(network: &Network, data: &Dataset) -> Result<Dataset, Error> {
    if network.target != TargetKind::Classes {
        if data.shape() != network.input_shape {
            check_data(network, data)?;
        }
        let numbers = data.len().saturating_mul(network.outputs().max(data.classes()));
        check_host_memory("the targets", numbers.saturating_mul(COPIES * size_of::<f32>()))?;
    }
    Ok(match (data.target(), network.target) {
        (TargetKind::Classes, _) => data.classes_as(network.target, network.outputs()),
        (found, model) if found != model => {
            data.values_as(model, network.classes()).unwrap_or_else(|| data.clone())
        }
        _ => data.clone(),
    })
}
