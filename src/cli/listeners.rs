//! The callbacks beside the recorder, and the lines of `train --json`.

use std::time::Instant;

use serde::Serialize;

use super::live::Watcher;
use super::output::Output;
use super::recorder::Recorder;
use crate::profile::ProfileSoFar;
use crate::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, EpochRecord, History, Requests, Schedule, StepRecord,
};

/// Passes every event on to all callbacks, and records when the first batch was reported. An executor's first
/// submission is a single batch, so this is when that batch ended, and not a whole submission.
pub struct Listeners<'a> {
    pub decides: Recorder<'a>,
    pub listen: Vec<Box<dyn Callback + 'a>>,
    /// Told after all others, of what they have done.
    pub view: Option<Watcher>,
    pub first_step: Option<Instant>,
}

impl Callback for Listeners<'_> {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        self.decides.on_train_begin(schedule)?;
        self.listen.iter_mut().try_for_each(|other| other.on_train_begin(schedule))?;
        self.view.iter_mut().try_for_each(|view| view.on_train_begin(schedule))
    }

    fn on_profile(&mut self, times: ProfileSoFar) -> Result<(), CallbackError> {
        self.view.iter_mut().try_for_each(|view| view.on_profile(times.clone()))
    }

    fn on_epoch_begin(&mut self, epoch: usize) -> Result<(), CallbackError> {
        self.decides.on_epoch_begin(epoch)?;
        self.view.iter_mut().try_for_each(|view| view.on_epoch_begin(epoch))
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.first_step.get_or_insert_with(Instant::now);
        self.decides.on_step(record)?;
        self.listen.iter_mut().try_for_each(|other| other.on_step(record))?;
        self.view.iter_mut().try_for_each(|view| view.on_step(record))
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.decides.on_epoch_end(record)?;
        self.listen.iter_mut().try_for_each(|other| other.on_epoch_end(record))?;
        self.view.iter_mut().try_for_each(|view| view.on_epoch_end(record))
    }

    fn on_train_end(&mut self, history: &History) -> Result<(), CallbackError> {
        self.decides.on_train_end(history)?;
        self.listen.iter_mut().try_for_each(|other| other.on_train_end(history))?;
        self.view.iter_mut().try_for_each(|view| view.on_train_end(history))
    }

    fn interrupted(&self) -> bool {
        self.decides.interrupted()
    }

    fn requests(&mut self) -> Requests {
        let asked = self.decides.requests();
        let asked = self.listen.iter_mut().fold(asked, |asked, other| asked.and(other.requests()));
        self.view.iter_mut().fold(asked, |asked, view| asked.and(view.requests()))
    }

    fn checkpoints(&self) -> Checkpoints {
        self.decides.checkpoints()
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        // The other callbacks first: what they write may be longer than a checkpoint says, but not shorter.
        self.listen.iter_mut().try_for_each(|other| other.on_checkpoint(checkpoint))?;
        self.decides.on_checkpoint(checkpoint)?;
        let is_saved = self.decides.has_saved(checkpoint);
        self.view.iter_mut().for_each(|view| view.after_checkpoint(checkpoint, is_saved));
        Ok(())
    }
}

/// A line of `train --json`: its kind under `event`, then its content.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Line<'a, R> {
    /// After each epoch.
    Epoch(&'a EpochRecord),
    /// The last line of a run that Ctrl-C ended.
    Interrupted {
        /// The folder.
        run: String,
        steps: usize,
    },
    /// The last line of a finished run.
    Result {
        /// The folder.
        run: String,
        #[serde(flatten)]
        result: &'a R,
    },
}

/// Prints a line for each epoch.
pub struct JsonEpochs<'a>(pub &'a mut Output);

impl Callback for JsonEpochs<'_> {
    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        let line = serde_json::to_string(&Line::Epoch::<()>(record))?;
        Ok(self.0.result(line)?)
    }
}
