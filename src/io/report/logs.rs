//! What a run wrote while it trained.

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ReportError;
use crate::io::run::{HISTORY_FILE, PROFILE_FILE, STEPS_FILE};

/// Points of a curve, at most.
const MOST_POINTS: usize = 300;

/// A line of `history.jsonl`; what is not finite is `None`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Epoch {
    pub epoch: usize,
    pub loss: Option<f64>,
    pub accuracy: Option<f64>,
    pub val_loss: Option<f64>,
    pub val_accuracy: Option<f64>,
}

/// What of a line of `steps.jsonl` is shown.
#[derive(Debug, Deserialize)]
struct StepLine {
    step: usize,
    loss: Option<f64>,
}

/// What of `profile.json` is shown.
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

/// The epochs of a run; none where the folder has no history.
pub fn epochs(run: &Path) -> Result<Vec<Epoch>, ReportError> {
    lines(&run.join(HISTORY_FILE))
}

/// The loss over steps, each point the mean of as many steps in a row as it takes to have few points.
pub fn step_losses(run: &Path) -> Result<Vec<(f64, f64)>, ReportError> {
    let steps: Vec<StepLine> = lines(&run.join(STEPS_FILE))?;
    let points: Vec<_> = steps.iter().filter_map(|line| Some((line.step as f64, line.loss?))).collect();
    Ok(thinned(&points))
}

fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mean = |block: &[(f64, f64)]| {
        let (x, y) = block.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (x / block.len() as f64, y / block.len() as f64)
    };
    points.chunks(points.len().div_ceil(MOST_POINTS).max(1)).map(mean).collect()
}

/// What `train --profile` measured; `None` where it was not asked to.
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
    match fs::read_to_string(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|cause| ReportError::Read { path: path.display().to_string(), cause }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_curves_are_means_of_steps_in_a_row() {
        let points: Vec<_> = (1..=601).map(|step| (f64::from(step), f64::from(step) * 10.0)).collect();
        let thin = thinned(&points);
        assert_eq!((thin.len(), thin[0], thin[200]), (201, (2.0, 20.0), (601.0, 6010.0)));
        assert_eq!(thinned(&points[..300]), points[..300]);
        assert!(thinned(&[]).is_empty());
    }
}
