//! What to do about a number that is not finite: return to the state before the batch, and find out where it came
//! from.

use std::ops::ControlFlow;

use super::micro::micro_batches;
use super::model::{Model, write_weights};
use crate::error::{Bad, Divergence, Error, Found};
use crate::executor::{DataSlot, Pass, Written};
use crate::model::Weights;
use crate::ops::kit::indices;
use crate::plan::{BatchParams, Plan, Role, Stage, Step};

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

fn bad_weight(weights: &Weights) -> Option<Found> {
    weights.tensors().iter().find_map(|tensor| {
        let (at, value) = first_bad(&tensor.values)?;
        Some(Found::Weight { name: tensor.name.clone(), element: indices(&tensor.shape, at), value })
    })
}

fn first_bad(values: &[f32]) -> Option<(usize, f32)> {
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
        self.set_optimizer_state(&start.state)
    }

    /// Rolls back to the state before a row of a pass that began with `start`.
    pub(super) fn go_back(&mut self, pass: &Pass<'_>, row: usize, start: &Start) -> Result<(), Error> {
        self.return_to(start)?;
        let before = Pass { batches: &pass.batches[..row], ..*pass };
        if row > 0 {
            self.runner()?.train(&before, false, &mut |_, _| ControlFlow::Continue(()))?;
        }
        Ok(())
    }

    /// The error for an optimizer step.
    pub(super) fn divergence(&self, step: usize, epoch: usize, bad: Bad, found: Found) -> Box<Divergence> {
        let advice = self.network.loss_advice(self.compile.loss);
        Box::new(Divergence { step, epoch, bad, found, advice })
    }

    /// Where the first number that is not finite arises in a row of a pass over `data`; the model must have the
    /// weights from before that row.
    pub(super) fn trace(&mut self, pass: &Pass<'_>, row: usize, data: &crate::data::Dataset) -> Found {
        // Rank 0 reports it, and has all data.
        if self.collective.rank() != 0 {
            return Found::Nothing;
        }
        match self.replay(pass, row, data) {
            Ok(found) => found,
            Err(error) => Found::NotReplayed(error.to_string()),
        }
    }

    fn replay(&mut self, pass: &Pass<'_>, row: usize, data: &crate::data::Dataset) -> Result<Found, Error> {
        let weights = self.weights()?;
        if let Some(found) = bad_weight(&weights) {
            return Ok(found);
        }
        let params = pass.batches[row];
        let batch = &pass.order[params.first as usize..][..params.batch_size as usize];
        let mut executor = self.plain_executor()?;
        write_weights(executor.as_mut(), &weights)?;
        executor.set_data(DataSlot::Training, &data.select(batch)?)?;
        let order: Vec<u32> = (0..params.batch_size).collect();
        let plan = executor.plan().clone();
        let mut found = Found::Nothing;
        for part in micro_batches(&params, self.micro_batches) {
            if part.batch_size == 0 || found != Found::Nothing {
                break;
            }
            let steps = [BatchParams { first: part.first - params.first, slot: 0, guarded: 0, ..part }];
            let pass = Pass { order: &order, batches: &steps, ..*pass };
            executor.step_by_step(&pass, &mut |index, written| {
                let step = &plan.steps[index];
                if step.stage == Stage::Update {
                    return ControlFlow::Break(());
                }
                match written.iter().find_map(|written| bad_output(&plan, step, written)) {
                    Some(bad) => {
                        found = bad;
                        ControlFlow::Break(())
                    }
                    None => ControlFlow::Continue(()),
                }
            })?;
        }
        Ok(found)
    }
}

/// The first element that is not finite in what a step wrote.
fn bad_output(plan: &Plan, step: &Step, (place, values): &Written) -> Option<Found> {
    let (at, value) = first_bad(values)?;
    let (spec, tensor) = (&step.op.args()[*place], &step.args[*place]);
    let is_gradient = plan.buffers[tensor.buffer].role == Role::Gradients;
    let weights = plan.network.trainable_weights();
    let of_weight = plan.gradients.iter().zip(weights).find(|(gradient, _)| {
        is_gradient && (gradient.offset..gradient.offset + gradient.len()).contains(&(tensor.offset + at))
    });
    let (tensor, element) = match of_weight {
        Some((gradient, weight)) => (
            format!("the gradient of `{}`", weight.name),
            indices(&gradient.shape, tensor.offset + at - gradient.offset),
        ),
        None => (format!("`{}`", spec.name), indices(&spec.shape, at)),
    };
    Some(Found::Output { step: step.name.clone(), kind: step.op.kind(), tensor, element, value })
}
