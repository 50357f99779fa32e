//! The logs that a run wrote while it trained.

use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::ReportError;
use crate::files;
use crate::io::run::{HISTORY_FILE, PROFILE_FILE, STEPS_FILE};

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

/// The epochs of a run; empty where the folder has no history.
pub fn epochs(run: &Path) -> Result<Vec<Epoch>, ReportError> {
    lines(&run.join(HISTORY_FILE))
}

/// The loss over steps.
pub fn step_losses(run: &Path) -> Result<Vec<(f64, f64)>, ReportError> {
    let steps: Vec<StepLine> = lines(&run.join(STEPS_FILE))?;
    Ok(steps.iter().filter_map(|line| Some((line.step as f64, line.loss?))).collect())
}

/// What `train --profile` measured; `None` where nothing was measured.
pub fn profile(run: &Path) -> Result<Option<Profile>, ReportError> {
    let path = run.join(PROFILE_FILE);
    let Some(text) = read(&path)? else { return Ok(None) };
    let damaged = |error: serde_json::Error| ReportError::Log {
        path: path.display().to_string(),
        line: error.line(),
        problem: error.to_string(),
    };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, ReportError> {
    let text = read(path)?.unwrap_or_default();
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
