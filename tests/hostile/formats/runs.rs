//! Run folders: commands that evaluate, predict and report, and those that train into them again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use shadegrad::Device;
use shadegrad::data::Dataset;
use shadegrad::io::report::{self, RunReport};
use shadegrad::io::run::{RunFolder, read_result};
use shadegrad::io::{HistoryCsv, SavedRun, weights_to_bytes};
use shadegrad::train::{Callback, EpochRecord};

use super::checkpoints::whole_run;
use super::models::{FULL, small};
use super::{Player, Taken, told};
use crate::damage;
use crate::dice::Dice;
use crate::place::{Place, put_something_odd};

const RESULT: &str = r#"{
  "test_loss": 0.5,
  "test_accuracy": 0.75,
  "epochs": 2,
  "steps": 8,
  "seconds": 1.5,
  "checkpoints_written": 3,
  "checkpoint_seconds": 0.1,
  "device": "CPU executor",
  "weights_sha256": "00",
  "versions": { "shadegrad": "0.1.0", "format": 1 },
  "seed": 0,
  "batch_size": 4,
  "shuffle": true,
  "max_steps": null,
  "init": null,
  "data": "mnist",
  "train_samples": 16,
  "test_samples": 4,
  "kernels": { "conv2d": "twin" }
}
"#;
const PROFILE: &str = r#"{
  "device": "CPU executor",
  "batch_size": 4,
  "step_ms": 1.5,
  "steps": [
    { "name": "conv2d", "kind": "conv2d_forward", "variant": "twin", "ms": 1.0, "share": 0.7 },
    { "name": "dense", "kind": "matmul", "variant": "twin", "ms": 0.5, "share": 0.3 }
  ]
}
"#;
/// Larger models are read, but not built.
const MOST_WEIGHTS: usize = 2000;
/// Files in a run folder that no run wrote, or that a killed run left.
const STRAYS: [&str; 7] = [
    "report.html",
    "history.csv",
    ".model.toml.77.tmp",
    ".probe-77",
    "1-small/fold-1/fold.json",
    "1-small/fold-99999999999999999999/history.jsonl",
    "notes.txt",
];

/// Every file of a run.
fn files() -> BTreeMap<PathBuf, Vec<u8>> {
    let weights = small().model.network().unwrap().initial_weights(3);
    let step = |n: usize| {
        format!("{{\"step\":{n},\"epoch\":{},\"loss\":2.31,\"correct\":1,\"n\":4}}\n", n.div_ceil(4))
    };
    let epoch = |n: usize| {
        format!(
            "{{\"epoch\":{n},\"loss\":0.5,\"accuracy\":0.75,\"val_loss\":null,\"val_accuracy\":null,\
             \"learning_rate\":0.001,\"seconds\":0.5}}\n"
        )
    };
    let own: [(&str, Vec<u8>); 6] = [
        ("model.toml", FULL.into()),
        ("weights.safetensors", weights_to_bytes(&weights, &BTreeMap::new()).unwrap()),
        ("result.json", RESULT.into()),
        ("profile.json", PROFILE.into()),
        ("steps.jsonl", (1..=8).map(step).collect::<String>().into_bytes()),
        ("history.jsonl", (1..=2).map(epoch).collect::<String>().into_bytes()),
    ];
    own.into_iter().map(|(name, bytes)| (name.into(), bytes)).collect()
}

fn write(run: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    for (name, bytes) in files {
        fs::create_dir_all(run.join(name).parent().unwrap()).unwrap();
        fs::write(run.join(name), bytes).unwrap();
    }
}

fn damage_one(run: &Path, name: &Path, place: &Place, dice: &mut Dice) {
    let path = run.join(name);
    if dice.once_in(5) || !path.is_file() || path.is_symlink() {
        return put_something_odd(&path, place, dice);
    }
    let bytes = fs::read(&path).unwrap();
    let bytes = match std::str::from_utf8(&bytes) {
        Ok(text) => damage::text(text, dice),
        Err(_) => damage::bytes(&bytes, dice),
    };
    fs::write(&path, bytes).unwrap();
}

pub struct Runs {
    files: BTreeMap<PathBuf, Vec<u8>>,
    checkpoints: BTreeMap<PathBuf, Vec<u8>>,
}

impl Runs {
    pub fn new() -> Self {
        Runs { files: files(), checkpoints: whole_run() }
    }
}

impl Player for Runs {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let run = place.clear();
        write(&run, &self.files);
        if dice.once_in(10) {
            write(&run, &self.checkpoints);
        }
        let names: Vec<&PathBuf> = self.files.keys().collect();
        for _ in 0..=dice.below(3) {
            let name = *dice.pick(&names);
            damage_one(&run, name, place, dice);
        }
        if dice.once_in(3) {
            let stray = if dice.once_in(8) {
                format!(".steps.jsonl.{}.tmp", std::process::id())
            } else {
                dice.pick(&STRAYS).to_string()
            };
            put_something_odd(&run.join(stray), place, dice);
        }
        let saved = SavedRun::read(&run);
        told(read_result(&run));
        if let Ok(saved) = &saved
            && saved.network.parameter_count() < MOST_WEIGHTS
        {
            let pixels = saved.network.input_shape.len();
            let predicted =
                saved.compile(&Device::cpu()).and_then(|mut model| model.predict(&vec![7; pixels]));
            told(predicted);
        }
        let lines = [dice.number() as usize, dice.number() as usize];
        train_into(&run, lines, dice);
        told(saved)
    }
}

/// What `train` does with a folder before its first step, and shortly after.
fn train_into(run: &Path, lines: [usize; 2], dice: &mut Dice) {
    let folder = match dice.below(3) {
        0 => RunFolder::at(run, true),
        1 => RunFolder::resume(run).and_then(RunFolder::probed),
        _ => RunFolder::at(run, true).and_then(|mut folder| folder.begin_crossval().map(|()| folder)),
    };
    let mut folder = match folder {
        Ok(folder) => folder,
        Err(error) => {
            told::<(), _>(Err(error));
            return;
        }
    };
    let logs = if dice.once_in(2) { folder.go_on(FULL, lines) } else { folder.begin(FULL) };
    let mut record = EpochRecord::new(1, f64::NAN);
    (record.accuracy, record.learning_rate, record.seconds) = (Some(0.5), 0.1, 1.0);
    match logs {
        Ok(mut logs) => {
            told(logs.steps.push(&record).and_then(|()| logs.flush()));
            told(HistoryCsv::new(run, &[record]).on_epoch_end(&record));
            told(folder.remove_outdated());
        }
        Err(error) => {
            told::<(), _>(Err(error));
        }
    }
}

pub struct Logs {
    files: BTreeMap<PathBuf, Vec<u8>>,
    saved: SavedRun,
    test: Dataset,
}

impl Logs {
    pub fn new() -> Self {
        let files = files();
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &files);
        let saved = SavedRun::read(folder.path()).unwrap();
        let test = Dataset::new((0..4 * 36).collect(), vec![0, 1, 2, 0], [6, 6, 1], 3).unwrap();
        Logs { files, saved, test }
    }
}

impl Player for Logs {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        const LOGS: [&str; 4] = ["result.json", "profile.json", "steps.jsonl", "history.jsonl"];
        let run = place.clear();
        write(&run, &self.files);
        for _ in 0..=dice.below(2) {
            damage_one(&run, dice.pick(&LOGS).as_ref(), place, dice);
        }
        let result = match read_result(&run) {
            Ok(result) => result,
            Err(error) => return told::<(), _>(Err(error)),
        };
        let probabilities = [0.5, 0.25, 0.25].repeat(4);
        let logs = match report::Logs::read(&run) {
            Ok(logs) => logs,
            Err(error) => return told::<(), _>(Err(error)),
        };
        let report = RunReport::new(&self.saved, result.as_ref(), logs, &self.test, &probabilities);
        if let Ok(report) = &report {
            assert!(report.html().contains("</html>"), "a page without an end");
        }
        told(report)
    }
}
