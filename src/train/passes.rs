//! Passes over samples in training.

use std::ops::ControlFlow;

use super::callback::{Callback, CallbackError};
use super::micro::Runner;
use super::records::StepRecord;
use super::requests::Requests;
use super::state::RunState;
use crate::data::TargetKind;
use crate::error::Error;
use crate::executor::{Pass, Ran};

/// How a part of an epoch ended.
pub(super) struct Part {
    pub(super) ran: Ran,
    /// The loss of the last batch that was reported.
    pub(super) last_loss: f32,
    /// What the callback asked for, and whether it interrupted training.
    pub(super) asked: (Requests, bool),
}

/// Trains for a part of an epoch, until a callback interrupts it or asks for something. A batch that diverges is reported but not counted.
pub(super) fn train_part(
    mut runner: Runner<'_>,
    pass: &Pass<'_>,
    state: &mut RunState,
    callback: &mut dyn Callback,
) -> Result<Part, Error> {
    let mut failed: Option<CallbackError> = None;
    let (mut before_last, mut last_loss) = (state.within, 0.0);
    let target = runner.executor.plan().network.target;
    let mut asked = (Requests::default(), callback.interrupted());
    let ran = runner.train(pass, asked.1, &mut |slot, metrics| {
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
            learning_rate: pass.batches[slot].learning_rate,
        };
        if failed.is_none() {
            failed = callback.on_step(&record).err();
        }
        asked = (std::mem::take(&mut asked.0).and(callback.requests()), asked.1 || callback.interrupted());
        match failed.is_some() || asked.0.is_some() || asked.1 {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    if ran.tripped.is_some() {
        state.within = before_last;
    } else if ran.rows < pass.batches.len() {
        // Somebody has stopped it: maybe for an error.
        runner.check_others(failed.is_some())?;
    }
    match failed {
        Some(error) => Err(Error::Callback(error)),
        None => Ok(Part { ran, last_loss, asked }),
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
