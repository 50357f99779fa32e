//! The logs that a run wrote while it trained.

use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::ReportError;
use crate::files;
use crate::io::run::{HISTORY_FILE, MODEL_FILE, PROFILE_FILE, STEPS_FILE};

/// A line of `history.jsonl`; a value that is not finite is `None`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Epoch {
    pub epoch: usize,
    pub loss: Option<f64>,
    pub accuracy: Option<f64>,
    pub val_loss: Option<f64>,
    pub val_accuracy: Option<f64>,
}

/// The part of a line of `steps.jsonl` that is shown.
#[derive(Debug, Deserialize)]
struct StepLine {
    step: usize,
    loss: Option<f64>,
}

/// The part of `profile.json` that is shown.
#[derive(Debug, Deserialize)]
pub struct Profile {
    pub device: String,
    pub batch_size: usize,
    pub step_ms: f64,
    pub steps: Vec<StepTime>,
}

/// One step of the plan.
#[derive(Debug, Deserialize)]
pub struct StepTime {
    pub name: String,
    pub kind: String,
    pub variant: String,
    pub ms: f64,
    pub share: f64,
}

/// What a run wrote of itself.
#[derive(Debug)]
pub struct Logs {
    /// The text of `model.toml`.
    pub(super) model: String,
    /// Empty where there is no history.
    pub(super) epochs: Vec<Epoch>,
    /// The loss over steps.
    pub(super) step_losses: Vec<(f64, f64)>,
    /// What `train --profile` measured; `None` where nothing was measured.
    pub(super) profile: Option<Profile>,
}

impl Logs {
    /// Of a run folder, in which all but `model.toml` may be missing.
    ///
    /// # Errors
    /// When a log cannot be read or is damaged.
    pub fn read(run: &Path) -> Result<Self, ReportError> {
        let path = |file: &str| run.join(file);
        let model = path(MODEL_FILE);
        let model = files::read_text(&model)
            .map_err(|cause| ReportError::Read { path: model.display().to_string(), cause })?;
        let texts = [HISTORY_FILE, STEPS_FILE].map(|file| read(&path(file)));
        let [history, steps] = texts.map(|text| text.map(Option::unwrap_or_default));
        let logs = Logs::named(model, (&path(HISTORY_FILE), &history?), (&path(STEPS_FILE), &steps?))?;
        let profile = profile(&path(PROFILE_FILE))?;
        Ok(Logs { profile, ..logs })
    }

    /// Of the texts of `model.toml`, `history.jsonl` and `steps.jsonl`, for those who have no folder.
    ///
    /// # Errors
    /// When a log is damaged.
    pub fn from_texts(model: String, history: &str, steps: &str) -> Result<Self, ReportError> {
        Logs::named(model, (HISTORY_FILE.as_ref(), history), (STEPS_FILE.as_ref(), steps))
    }

    /// Of texts, and what they are called in messages.
    fn named(model: String, history: (&Path, &str), steps: (&Path, &str)) -> Result<Self, ReportError> {
        let steps: Vec<StepLine> = lines(steps)?;
        let step_losses = steps.iter().filter_map(|line| Some((line.step as f64, line.loss?))).collect();
        Ok(Logs { model, epochs: lines(history)?, step_losses, profile: None })
    }
}

fn profile(path: &Path) -> Result<Option<Profile>, ReportError> {
    let Some(text) = read(path)? else { return Ok(None) };
    let damaged = |error: serde_json::Error| ReportError::Log {
        path: path.display().to_string(),
        line: error.line(),
        problem: error.to_string(),
    };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

fn lines<T: DeserializeOwned>((path, text): (&Path, &str)) -> Result<Vec<T>, ReportError> {
    let parse = |(at, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| ReportError::Log {
            path: path.display().to_string(),
            line: at + 1,
            problem: error.to_string(),
        })
    };
    text.lines().enumerate().map(parse).collect()
}

/// A text file; `None` where there is none.
fn read(path: &Path) -> Result<Option<String>, ReportError> {
    match files::read_text(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|cause| ReportError::Read { path: path.display().to_string(), cause }),
    }
}
