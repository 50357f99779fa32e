//! Passes over samples, for training and for evaluation.

use std::ops::ControlFlow;

use super::callback::{Callback, CallbackError};
use super::records::{Evaluation, StepRecord};
use super::state::{RunState, Within};
use crate::data::TargetKind;
use crate::data::batches::epoch_order;
use crate::error::Error;
use crate::executor::{DataSlot, Executor, Pass, Ran};
use crate::plan::{BatchParams, Phase};

/// Rows with metric slots counted from 0.
pub(super) fn with_slots(rows: &[BatchParams]) -> Vec<BatchParams> {
    rows.iter().zip(0..).map(|(row, slot)| BatchParams { slot, ..*row }).collect()
}

/// How a part of an epoch ended.
pub(super) struct Part {
    pub(super) ran: Ran,
    /// The loss of the last batch that was reported.
    pub(super) last_loss: f32,
}

/// Trains for a part of an epoch, until a callback interrupts it. A batch that diverges is reported but not counted.
pub(super) fn train_part(
    executor: &mut dyn Executor,
    pass: &Pass<'_>,
    state: &mut RunState,
    callback: &mut dyn Callback,
) -> Result<Part, Error> {
    let mut failed: Option<CallbackError> = None;
    let (mut before_last, mut last_loss) = (state.within, 0.0);
    let target = executor.plan().network.target;
    let ran = executor.run(pass, &mut |slot, metrics| {
        let n = pass.batches[slot].batch_size;
        (before_last, last_loss) = (state.within, metrics.loss);
        let correct = (target == TargetKind::Classes).then_some(metrics.correct);
        state.within.add(metrics.loss, correct, n);
        state.within.rows += 1;
        let record = StepRecord {
            step: state.step + state.within.rows,
            epoch: state.epoch + 1,
            loss: metrics.loss,
            correct,
            n,
        };
        if failed.is_none() {
            failed = callback.on_step(&record).err();
        }
        match failed.is_some() || callback.interrupted() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    if ran.tripped.is_some() {
        state.within = before_last;
    }
    match failed {
        Some(error) => Err(Error::Callback(error)),
        None => Ok(Part { ran, last_loss }),
    }
}

/// Adds to an error where training was when the device failed.
pub(super) fn stopped_by(error: Error, run: &RunState) -> Error {
    match error {
        Error::Executor(error) => {
            Error::DeviceInTraining { step: run.step + run.within.rows, epoch: run.epoch + 1, error }
        }
        other => other,
    }
}

/// Evaluates the set in the evaluation slot.
pub(super) fn evaluate(
    executor: &mut dyn Executor,
    samples: usize,
    batch: usize,
) -> Result<Evaluation, Error> {
    let table = BatchParams::of_pass(samples, batch, 0.0);
    let pass = Pass {
        phase: Phase::Evaluate,
        data: DataSlot::Evaluation,
        order: &epoch_order(samples, 0, None),
        batches: &table,
        transforms: &[],
    };
    let mut totals = Within::default();
    let target = executor.plan().network.target;
    executor.run(&pass, &mut |slot, metrics| {
        totals.add(metrics.loss, Some(metrics.correct), pass.batches[slot].batch_size);
        ControlFlow::Continue(())
    })?;
    Ok(totals.mean(target))
}
