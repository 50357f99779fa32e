//! What to do about a number that is not finite: return to the state before the batch, and find out where it came
//! from.

use std::fmt;
use std::ops::ControlFlow;

use super::model::{Model, write_weights};
use crate::error::Error;
use crate::executor::{DataSlot, Pass, Written};
use crate::model::Weights;
use crate::ops::kit::indices;
use crate::plan::{Plan, Role, Stage, Step, StepParams};

/// Training has produced a number that is not finite. The model has the weights from before that batch, except with
/// [`Bad::Weights`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("training has diverged: {}: {found}{}", told(*bad, *step, *epoch), also(advice))]
pub struct Divergence {
    /// The first bad optimizer step, counted from 1 over the whole run; with [`Bad::Weights`] the last that it can
    /// be.
    pub step: usize,
    /// Its epoch, counted from 1.
    pub epoch: usize,
    /// What is not finite.
    pub bad: Bad,
    /// Where it came from.
    pub found: Found,
    /// What is wrong with the model itself, if anything: [`loss_advice`](crate::model::Network::loss_advice).
    pub advice: Option<String>,
}

/// What is not finite after an optimizer step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bad {
    /// The loss; this is its value.
    Loss(f32),
    /// An element of a gradient, although the loss was finite.
    Gradient,
    /// Only the weights after the step: an update overflowed, this one or an earlier one whose weight has not
    /// affected the loss since.
    Weights,
}

/// Where the first number that is not finite was found when the batch was run again, each step of the plan by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// In a weight before or after the step.
    Weight {
        /// The weight tensor.
        name: String,
        /// Which element.
        element: Vec<usize>,
        /// Its value.
        value: f32,
    },
    /// In the output of a step of the plan.
    Output {
        /// The step of the plan.
        step: String,
        /// Its kind.
        kind: &'static str,
        /// The output.
        tensor: String,
        /// Which element.
        element: Vec<usize>,
        /// Its value.
        value: f32,
    },
    /// Nowhere: with sums in another order everything stayed finite.
    Nothing,
    /// The step could not be run again, for this reason.
    NotReplayed(String),
}

fn also(advice: &Option<String>) -> String {
    advice.as_ref().map_or(String::new(), |advice| format!("; {advice}"))
}

fn told(bad: Bad, step: usize, epoch: usize) -> String {
    match bad {
        Bad::Loss(loss) => format!("the loss of step {step} (epoch {epoch}) is {loss}"),
        Bad::Gradient => format!("a gradient of step {step} (epoch {epoch}) is not finite"),
        Bad::Weights => format!("by step {step} (epoch {epoch}) a weight is not finite"),
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Weight { name, element, value } => write!(f, "the weight `{name}`{element:?} is {value}"),
            Found::Output { step, kind, tensor, element, value } => write!(
                f,
                "run again step by step, the first number that is not finite is {tensor}{element:?} = {value} of plan \
                 step `{step}` ({kind})"
            ),
            Found::Nothing => f.write_str(
                "run again step by step, with sums in another order, everything is finite, so a sum was at the edge of \
                 what f32 holds",
            ),
            Found::NotReplayed(why) => write!(f, "it could not be run again step by step ({why})"),
        }
    }
}

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

    /// Rolls back to the state before a row of a pass that began with `start`.
    pub(super) fn go_back(&mut self, pass: &Pass<'_>, row: usize, start: &Start) -> Result<(), Error> {
        self.set_weights(start.weights.clone())?;
        self.set_optimizer_state(&start.state)?;
        let before = Pass { steps: &pass.steps[..row], ..*pass };
        if row > 0 {
            self.executor(None)?.run(&before, &mut |_, _| ControlFlow::Continue(()))?;
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
        let params = pass.steps[row];
        let batch = &pass.order[params.first as usize..][..params.batch_size as usize];
        let mut executor = self.plain_executor()?;
        write_weights(executor.as_mut(), &weights)?;
        executor.set_data(DataSlot::Training, &data.select(batch)?)?;
        let order: Vec<u32> = (0..params.batch_size).collect();
        let steps = [StepParams { first: 0, slot: 0, guarded: 0, ..params }];
        let pass = Pass { order: &order, steps: &steps, ..*pass };
        let plan = executor.plan().clone();
        let mut found = Found::Nothing;
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
        Ok(found)
    }
}

/// The first element that is not finite in what a step wrote.
fn bad_output(plan: &Plan, step: &Step, (place, values): &Written) -> Option<Found> {
    let (at, value) = first_bad(values)?;
    let (spec, tensor) = (&step.op.args()[*place], &step.args[*place]);
    let is_gradient = plan.buffers[tensor.buffer].role == Role::Gradients;
    let weights = plan.network.weights();
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
