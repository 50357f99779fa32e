//! Pictures of a kind, read by the program.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use shadegrad::data::Dataset;

use crate::draw::{Dice, Digit, Kind};

/// The share of the accuracy on clean pictures that each kind must reach.
pub const ASKED: f64 = 0.85;
const SIDE: usize = 28;

/// The model, and how many digits of which set.
pub struct Job<'a> {
    pub program: &'a Path,
    pub run: &'a Path,
    pub device: &'a str,
    pub test: &'a Dataset,
    pub count: usize,
}

/// The number of pictures that this is true of.
#[derive(Debug, Default)]
pub struct Score {
    pub read: usize,
    pub warned: usize,
    pub refused: usize,
}

/// The first digits of the test set, drawn into `folder` and read by `predict`.
pub fn score(job: &Job, folder: &Path, kind: &Kind) -> Score {
    fs::create_dir_all(folder).unwrap();
    for index in 0..job.count {
        let digit = Digit::new(&job.test.image(index).unwrap()[..SIDE * SIDE]);
        let (bytes, ending) = (kind.draw)(&digit, &mut Dice(index as u64));
        let label = job.test.label(index).unwrap();
        fs::write(folder.join(format!("{index:04}-{label}.{ending}")), bytes).unwrap();
    }
    let output = Command::new(job.program)
        .args(["predict", "--json", "--device", job.device])
        .args([job.run, folder])
        .output()
        .unwrap();
    let mut score = Score::default();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let stem = Path::new(line["image"].as_str().unwrap()).file_stem().unwrap().to_owned();
        let truth = stem.to_str().unwrap().rsplit('-').next().unwrap().parse::<u64>().unwrap();
        score.read += usize::from(line["label"] == truth);
        score.warned += usize::from(line["warnings"].as_array().is_some_and(|warnings| !warnings.is_empty()));
        score.refused += usize::from(line["error"].is_string());
    }
    score
}
