//! What happens while a run trains: its logs are written and its progress is shown.

use super::interrupt;
use super::progress::Progress;
use crate::io::checkpoint::{RunSettings, save};
use crate::io::run::{RunFolder, RunLogs};
use crate::train::{Callback, CallbackError, Checkpoint, Checkpoints, EpochRecord, Schedule, StepRecord};

/// What a checkpoint says of the run.
#[derive(Debug)]
pub struct Told {
    pub model_toml: String,
    pub settings: RunSettings,
}

/// Writes `steps.jsonl` and `history.jsonl` and checkpoints, and shows progress.
#[derive(Debug)]
pub struct Recorder<'a> {
    folder: &'a mut RunFolder,
    told: Told,
    checkpoints: Checkpoints,
    /// Steps and epochs that the logs hold already.
    from: Option<[usize; 2]>,
    logs: Option<RunLogs>,
    progress: Progress,
    diverged: bool,
}

impl<'a> Recorder<'a> {
    /// Nothing written yet; the folder is begun when training is.
    pub fn new(folder: &'a mut RunFolder, told: Told, checkpoints: Checkpoints) -> Self {
        Recorder {
            folder,
            told,
            checkpoints,
            from: None,
            logs: None,
            progress: Progress::new(),
            diverged: false,
        }
    }

    /// With logs that go on after so many steps and epochs.
    pub fn going_on(self, from: Option<[usize; 2]>) -> Self {
        Recorder { from, ..self }
    }
}

impl Callback for Recorder<'_> {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        self.logs = Some(match self.from {
            None => self.folder.begin(&self.told.model_toml)?,
            Some(lines) => self.folder.go_on(&self.told.model_toml, lines)?,
        });
        self.progress.begin(schedule);
        Ok(())
    }

    fn on_epoch_begin(&mut self, epoch: usize) -> Result<(), CallbackError> {
        self.progress.begin_epoch(epoch);
        Ok(())
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        if !record.loss.is_finite() && !self.diverged {
            self.diverged = true;
            self.progress.say(&format!(
                "warning: the loss of step {} is {}: training has diverged, and nothing after this step is of use; \
                 try a smaller --learning-rate. JSON files hold null in its place.",
                record.step, record.loss
            ));
        }
        if let Some(logs) = &mut self.logs {
            logs.steps.push(record)?;
        }
        self.progress.step(record);
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.progress.end_epoch(record);
        if let Some(logs) = &mut self.logs {
            logs.history.push(record)?;
            logs.flush()?;
        }
        Ok(())
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }

    fn checkpoints(&self) -> Checkpoints {
        self.checkpoints
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        // The logs first: they may be longer than a checkpoint says, and not shorter.
        if let Some(logs) = &mut self.logs {
            logs.flush()?;
        }
        save(self.folder.dir(), &self.told.model_toml, &self.told.settings, checkpoint)?;
        Ok(())
    }
}
