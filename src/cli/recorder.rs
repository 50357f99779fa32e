//! What happens while a run trains: its logs are written and its progress is shown.

use super::progress::Progress;
use crate::io::run::{RunFolder, RunLogs};
use crate::train::{Callback, CallbackError, EpochRecord, Schedule, StepRecord};

/// Writes `steps.jsonl` and `history.jsonl` and shows progress.
#[derive(Debug)]
pub struct Recorder<'a> {
    folder: &'a mut RunFolder,
    model_toml: String,
    logs: Option<RunLogs>,
    progress: Progress,
    diverged: bool,
}

impl<'a> Recorder<'a> {
    /// Nothing written yet; the folder is begun when training is.
    pub fn new(folder: &'a mut RunFolder, model_toml: String) -> Self {
        Recorder { folder, model_toml, logs: None, progress: Progress::new(), diverged: false }
    }
}

impl Callback for Recorder<'_> {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        self.logs = Some(self.folder.begin(&self.model_toml)?);
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
}
