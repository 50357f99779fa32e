//! Snapshots of what a step changes, for going back to them.

use super::model::Model;
use crate::error::{Error, Found};
use crate::model::Weights;
use crate::ops::kit::indices;

/// The state at the start of a part of an epoch.
#[derive(Debug, Clone)]
pub(super) struct Start {
    weights: Weights,
    state: Vec<f32>,
}

impl Start {
    /// The first weight that is not finite.
    pub(super) fn bad_weight(&self) -> Option<Found> {
        bad_weight(&self.weights)
    }
}

/// The first of some weights that is not finite.
pub(super) fn bad_weight(weights: &Weights) -> Option<Found> {
    weights.tensors().iter().find_map(|tensor| {
        let (at, value) = first_bad(&tensor.values)?;
        Some(Found::Weight { name: tensor.name.clone(), element: indices(&tensor.shape, at), value })
    })
}

/// The first number that is not finite, and its place.
pub(super) fn first_bad(values: &[f32]) -> Option<(usize, f32)> {
    values.iter().copied().enumerate().find(|(_, value)| !value.is_finite())
}

impl Model {
    /// Snapshots the weights and the optimizer's state for a rollback.
    pub(super) fn start(&mut self) -> Result<Start, Error> {
        Ok(Start { weights: self.weights()?, state: self.optimizer_state()? })
    }

    /// Rolls back to a snapshot.
    pub(super) fn return_to(&mut self, start: &Start) -> Result<(), Error> {
        self.set_weights(start.weights.clone())?;
        self.set_optimizer_state(start.state.clone())
    }
}
