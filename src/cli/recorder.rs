//! What a run does during training: it writes its logs and checkpoints and shows its progress.

use std::path::PathBuf;

use super::interrupt;
use super::progress::Progress;
use crate::io::checkpoint::{RunSettings, path, save};
use crate::io::run::{RunError, RunFolder, RunLogs};
use crate::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, Divergence, EpochRecord, Schedule, StepRecord,
};

/// What a checkpoint records of the run.
#[derive(Debug)]
pub struct Told {
    pub model_toml: String,
    pub settings: RunSettings,
    /// Checkpoints to keep beside the best one.
    pub keep: usize,
}

/// Why a run should not be resumed, and what to do.
#[derive(Debug, thiserror::Error)]
#[error(
    "{divergence}. {} {}: a smaller --learning-rate, `clipnorm` in [optimizer], a schedule that warms up, \
     another --seed or weights to begin with. --allow-nan continues training regardless.",
    before(last_checkpoint),
    if divergence.advice.is_some() { "Once the outputs suit the loss, what else may help" } else { "What usually helps" }
)]
pub struct Diverged {
    divergence: Box<Divergence>,
    last_checkpoint: Option<PathBuf>,
}

fn before(checkpoint: &Option<PathBuf>) -> String {
    match checkpoint {
        Some(path) => format!("The last checkpoint before it is {}.", path.display()),
        None => "There is no checkpoint before it.".to_owned(),
    }
}

/// Writes `steps.jsonl` and `history.jsonl` and checkpoints, and shows progress.
#[derive(Debug)]
pub struct Recorder<'a> {
    folder: &'a mut RunFolder,
    told: Told,
    checkpoints: Checkpoints,
    /// Steps and epochs that are in the logs already, until the first batch is trained.
    from: Option<[usize; 2]>,
    logs: Option<RunLogs>,
    progress: Progress<'a>,
    /// Whether training continues where a number is not finite.
    allow_nan: bool,
    /// Whether a warning of that was printed.
    diverged: bool,
    /// What is wrong with the model itself, if anything is.
    advice: Option<String>,
    last_checkpoint: Option<PathBuf>,
    /// Checkpoints that were written.
    saved: usize,
}

impl<'a> Recorder<'a> {
    /// Nothing is written yet; the run's folder is filled once training begins.
    pub fn new(folder: &'a mut RunFolder, told: Told, checkpoints: Checkpoints) -> Self {
        Recorder {
            folder,
            told,
            checkpoints,
            from: None,
            logs: None,
            progress: Progress::quiet(),
            allow_nan: false,
            diverged: false,
            advice: None,
            last_checkpoint: None,
            saved: 0,
        }
    }

    /// Sets whether training continues where a number is not finite.
    pub fn allow_nan(self, allow_nan: bool) -> Self {
        Recorder { allow_nan, ..self }
    }

    /// Sets the advice for a model whose numbers are not finite.
    pub fn advising(self, advice: Option<String>) -> Self {
        Recorder { advice, ..self }
    }

    /// The error of a run that has diverged; the logs hold what led to it.
    ///
    /// # Errors
    /// When the logs cannot be written.
    pub fn diverged(&mut self, divergence: Box<Divergence>) -> Result<Diverged, RunError> {
        if let Some(logs) = &mut self.logs {
            logs.flush()?;
        }
        Ok(Diverged { divergence, last_checkpoint: self.last_checkpoint.clone() })
    }

    /// Shows progress so; by default none is shown.
    pub fn showing(self, progress: Progress<'a>) -> Self {
        Recorder { progress, ..self }
    }

    /// The path of the last complete checkpoint.
    pub fn last_checkpoint(&self) -> Option<&PathBuf> {
        self.last_checkpoint.as_ref()
    }

    /// Whether this checkpoint, the last one that was made, was written.
    pub fn has_saved(&self, checkpoint: &Checkpoint) -> bool {
        self.last_checkpoint.as_ref() == Some(&path(self.folder.dir(), checkpoint.steps()))
    }

    /// How many checkpoints were written.
    pub fn saved(&self) -> usize {
        self.saved
    }

    /// For a run resumed after this many steps and epochs: its logs continue, from the checkpoint of then.
    pub fn going_on(self, from: Option<[usize; 2]>) -> Self {
        let last_checkpoint = from.map(|[steps, _]| path(self.folder.dir(), steps));
        Recorder { from, last_checkpoint, ..self }
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
        if self.from.take().is_some() {
            self.folder.remove_outdated()?;
        }
        if !record.loss.is_finite() && self.allow_nan && !self.diverged {
            self.diverged = true;
            let remedy = self.advice.as_deref().unwrap_or("try a smaller --learning-rate");
            self.progress.say(&format!(
                "warning: the loss of step {} is {}: training has diverged, and results after this step are useless; \
                 {remedy}. JSON files hold null in its place.",
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
        if let Some(logs) = &mut self.logs {
            logs.history.push(record)?;
            logs.flush()?;
        }
        Ok(self.progress.end_epoch(record)?)
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }

    fn checkpoints(&self) -> Checkpoints {
        self.checkpoints
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        let bad = checkpoint
            .weights
            .tensors()
            .iter()
            .find(|tensor| tensor.values.iter().any(|value| !value.is_finite()));
        if let Some(tensor) = bad {
            self.progress.say(&format!(
                "warning: after step {} `{}` holds values that are not finite; no checkpoint is made of them",
                checkpoint.steps(),
                tensor.name
            ));
            return Ok(());
        }
        // The logs first: they may be longer than a checkpoint says, but not shorter.
        if let Some(logs) = &mut self.logs {
            logs.sync()?;
        }
        let saved =
            save(self.folder.dir(), &self.told.model_toml, &self.told.settings, checkpoint, self.told.keep)?;
        self.last_checkpoint = Some(saved);
        self.saved += 1;
        Ok(())
    }
}
