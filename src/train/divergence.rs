//! What to do about a number that is not finite: return to the state before the batch, and find out where it came
//! from.

use std::ops::ControlFlow;

use super::micro::micro_batches;
use super::model::{Model, write_weights};
use super::run::Run;
use super::start::{Start, bad_weight, first_bad};
use super::state::RunState;
use crate::data::Dataset;
use crate::error::{Bad, Divergence, Error, Found};
use crate::executor::{DataSlot, Pass, Written};
use crate::ops::kit::indices;
use crate::plan::{BatchParams, Plan, Role, Stage, Step};

impl Model {
    /// Refuses weights that are not finite, as [`fit`](Self::fit) does after each epoch: an update by finite gradients can exceed what f32
    /// holds, and a step notices that only in the next one. It reads all weights from the device, so that it is better called from time to
    /// time than after each step of [`train_on_batch`](Self::train_on_batch).
    ///
    /// # Errors
    /// [`Error::Diverged`] with [`Bad::Weights`], which names the first weight that is not finite; and when the device does not answer.
    pub fn check_weights(&mut self) -> Result<(), Error> {
        match bad_weight(&self.weights()?) {
            Some(found) => Err(self.bad_weights(found)),
            None => Ok(()),
        }
    }

    /// The error for weights that are not finite after the steps so far.
    fn bad_weights(&self, found: Found) -> Error {
        let RunState { epoch, step, within, .. } = self.training.run;
        self.divergence(step + within.rows, epoch + 1, Bad::Weights, found).into()
    }

    /// Snapshots the weights for a rollback.
    pub(super) fn guard(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        if !run.options.allow_nan && run.start.is_none() {
            run.start = Some(self.start()?);
        }
        Ok(())
    }

    /// After a part of an epoch, refuses weights that are not finite: the last update may have made them so.
    pub(super) fn check_part(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        if run.options.allow_nan {
            return Ok(());
        }
        let start = self.start()?;
        if let Some(found) = start.bad_weight() {
            return Err(self.bad_weights(found));
        }
        run.start = Some(start);
        Ok(())
    }

    /// Rolls back to the state before a row that diverged, and finds out why it did.
    pub(super) fn tripped(
        &mut self,
        run: &Run<'_>,
        pass: &Pass<'_>,
        row: usize,
        loss: f32,
    ) -> Result<Box<Divergence>, Error> {
        // With a loss that is not finite nothing was updated.
        if let (true, Some(start)) = (loss.is_finite(), &run.start) {
            self.go_back(pass, row, start)?;
        }
        Ok(self.diverged(pass, row, loss, &run.data))
    }

    /// The error for the step after those that are counted, with this loss: a row of a pass over `data`. The model must have the weights
    /// from before it.
    pub(super) fn diverged(
        &mut self,
        pass: &Pass<'_>,
        row: usize,
        loss: f32,
        data: &Dataset,
    ) -> Box<Divergence> {
        let bad = if loss.is_finite() { Bad::Gradient } else { Bad::Loss(loss) };
        let RunState { epoch, step, within, .. } = self.training.run;
        let found = self.trace(pass, row, data);
        self.divergence(step + within.rows + 1, epoch + 1, bad, found)
    }

    /// Rolls back to the state before a row of a pass that began with `start`.
    fn go_back(&mut self, pass: &Pass<'_>, row: usize, start: &Start) -> Result<(), Error> {
        self.return_to(start)?;
        let before = Pass { batches: &pass.batches[..row], ..*pass };
        if row > 0 {
            self.runner()?.train(&before, false, &mut |_, _| ControlFlow::Continue(()))?;
        }
        Ok(())
    }

    /// The error for an optimizer step.
    fn divergence(&self, step: usize, epoch: usize, bad: Bad, found: Found) -> Box<Divergence> {
        let advice = self.network.loss_advice(self.compile.loss);
        Box::new(Divergence { step, epoch, bad, found, advice })
    }

    /// Where the first number that is not finite arises in a row of a pass over `data`; the model must have the
    /// weights from before that row.
    fn trace(&mut self, pass: &Pass<'_>, row: usize, data: &Dataset) -> Found {
        // Rank 0 reports it, and has all data.
        if self.collective.rank() != 0 {
            return Found::Nothing;
        }
        match self.replay(pass, row, data) {
            Ok(found) => found,
            Err(error) => Found::NotReplayed(error.to_string()),
        }
    }

    fn replay(&mut self, pass: &Pass<'_>, row: usize, data: &Dataset) -> Result<Found, Error> {
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
