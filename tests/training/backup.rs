//! Training that goes on from the checkpoints in a folder, after `fit` and in loops of one's own.

use std::fs;
use std::path::{Path, PathBuf};

use shadegrad::Device;
use shadegrad::data::Dataset;
use shadegrad::error::{Error, ResumeError, RunError};
use shadegrad::io::Backup;
use shadegrad::model::{Adam, Optimizer, Sequential};
use shadegrad::train::{Checkpoint, Checkpoints, Compile, FitOptions, Model, NoCallback};

use crate::common::{devices, mnist_train, small};
use crate::micro_batches::{layers, settings};
use crate::steps::{bits, flat};

const BATCH: usize = 16;
const BATCHES: usize = 12;

fn data() -> Dataset {
    mnist_train().take(BATCH * BATCHES).unwrap()
}

/// Three epochs of twelve steps.
fn options() -> FitOptions {
    FitOptions { epochs: 3, batch_size: BATCH, ..FitOptions::default() }
}

/// A folder that is not there yet.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("not").join("there yet");
    (parent, path)
}

fn weights(model: &mut Model) -> Vec<u32> {
    bits(&flat(&model.weights().unwrap()))
}

/// The names of the checkpoints in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("checkpoints")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Trains as a program does that is begun again, whether or not it was before.
fn run(net: &Sequential, compile: Compile, device: &Device, options: &FitOptions, folder: &Path) -> Model {
    let mut model = net.compile(device, compile).unwrap();
    let backup = Backup::of(&model, options, folder).unwrap();
    let mut backup = backup.every(Checkpoints::Steps(5)).keep(2);
    match backup.last().unwrap() {
        Some(checkpoint) => model.resume(&data(), options, checkpoint, &mut backup).unwrap(),
        None => model.fit(&data(), options, &mut backup).unwrap(),
    };
    model
}

#[test]
fn a_program_that_is_begun_again_goes_on() {
    for (name, device) in devices() {
        for (net, compile) in [(small(), Compile::default()), (layers(), settings())] {
            let mut whole = net.compile(&device, compile).unwrap();
            whole.fit(&data(), &options(), &mut NoCallback).unwrap();
            let (_parent, folder) = folder();
            let mut steps = Vec::new();
            for (epochs, max_steps) in [(1, None), (3, Some(17)), (3, Some(23)), (3, None), (3, None)] {
                let options = FitOptions { epochs, max_steps, ..options() };
                let mut model = run(&net, compile, &device, &options, &folder);
                steps.push(names(&folder).pop().unwrap());
                if epochs == 3 && max_steps.is_none() {
                    assert!(weights(&mut model) == weights(&mut whole), "{name}: other weights");
                }
            }
            let expected = [12, 17, 23, 36, 36].map(|step| format!("step-{step:08}"));
            assert_eq!(steps, expected, "{name}");
        }
    }
}

/// A loop over the batches in their order, from where it is to this many steps.
fn go_on(model: &mut Model, until: usize) {
    let done = model.checkpoint().unwrap().steps();
    for step in done..until {
        // A rate of its own, too.
        model.set_learning_rate(0.001 + 0.0001 * step as f32).unwrap();
        let first = step % BATCHES * BATCH;
        model.train_on_batch(&data().slice(first..first + BATCH).unwrap()).unwrap();
    }
}

#[test]
fn a_loop_goes_on_as_if_it_had_never_stopped() {
    let adam: Optimizer = Adam::default().into();
    for (name, device) in devices() {
        for (net, compile) in
            [(small(), Compile { optimizer: adam, ..Compile::default() }), (layers(), settings())]
        {
            let compiled = || net.compile(&device, compile).unwrap();
            let mut whole = compiled();
            go_on(&mut whole, 30);
            let (_parent, folder) = folder();
            for until in [0, 4, 11, 30] {
                let mut model = compiled();
                let backup = Backup::of(&model, &FitOptions::default(), &folder).unwrap();
                if let Some(checkpoint) = backup.last().unwrap() {
                    model.restore(checkpoint).unwrap();
                }
                go_on(&mut model, until);
                let saved = backup.save(&model.checkpoint().unwrap()).unwrap();
                assert_eq!(saved.file_name().unwrap().to_str(), Some(&*format!("step-{until:08}")), "{name}");
                if until == 30 {
                    assert!(weights(&mut model) == weights(&mut whole), "{name}: other weights");
                    assert_eq!(model.learning_rate(), whole.learning_rate(), "{name}");
                }
            }
            assert_eq!(names(&folder).len(), 3, "{name}");
        }
    }
}

#[test]
fn a_loop_goes_back_within_a_program() {
    for (name, device) in devices() {
        let mut model = layers().compile(&device, settings()).unwrap();
        // Before the first step, after some of them, and after a call of `fit`.
        for _ in 0..2 {
            for first in [0, 5] {
                go_on(&mut model, first);
                let (start, before) = (model.checkpoint().unwrap(), weights(&mut model));
                assert_eq!(start.steps(), first, "{name}");
                go_on(&mut model, 9);
                let ahead = weights(&mut model);
                assert!(ahead != before, "{name}");
                model.evaluate_with(&data(), Some(7)).unwrap();
                model.restore(start.clone()).unwrap();
                assert!(weights(&mut model) == before, "{name}");
                go_on(&mut model, 9);
                assert!(weights(&mut model) == ahead, "{name}: other weights from step {first}");
                model.restore(start).unwrap();
            }
            model.reset_learning_rate();
            model.fit(&data(), &FitOptions { epochs: 1, ..options() }, &mut NoCallback).unwrap();
        }
    }
}

#[test]
fn checkpoints_of_another_training_are_refused() {
    let (_parent, folder) = folder();
    let device = Device::cpu();
    drop(run(&small(), Compile::default(), &device, &FitOptions { epochs: 1, ..options() }, &folder));
    let last = |net: &Sequential, compile: Compile, options: FitOptions| {
        let model = net.compile(&device, compile).unwrap();
        Backup::of(&model, &options, &folder).unwrap().last()
    };
    assert!(last(&small(), Compile::default(), FitOptions { max_steps: Some(30), ..options() }).is_ok());
    let optimizer: Optimizer = Adam::default().into();
    for (net, compile, options, expected) in [
        (small().name("other"), Compile::default(), options(), "and `name = \"other\"` here"),
        (small(), Compile { optimizer, ..Compile::default() }, options(), "and `name = \"adam\"` here"),
        (
            small(),
            Compile::default(),
            FitOptions { batch_size: 32, ..options() },
            "`batch_size = 16` there and `batch_size = 32` here",
        ),
        (small(), Compile { seed: 7, ..Compile::default() }, options(), "`seed = 7` here"),
        (layers(), Compile::default(), options(), " here"),
    ] {
        let Err(ResumeError::OtherModel { differs, dir }) = last(&net, compile, options) else {
            panic!("{expected}: nothing was refused")
        };
        assert!(differs.contains(expected) && dir == folder.display().to_string(), "{differs}");
    }
}

#[test]
fn a_damaged_checkpoint_is_passed_over() {
    let (_parent, folder) = folder();
    let device = Device::cpu();
    drop(run(&small(), Compile::default(), &device, &options(), &folder));
    assert_eq!(names(&folder), ["step-00000034", "step-00000036"]);
    let model = small().compile(&device, Compile::default()).unwrap();
    let backup = Backup::of(&model, &options(), &folder).unwrap();
    for (name, before) in [("step-00000036", Some(34)), ("step-00000034", None)] {
        fs::write(folder.join("checkpoints").join(name).join("weights.safetensors"), "half").unwrap();
        let found = backup.last();
        match before {
            Some(steps) => assert_eq!(found.unwrap().map(|found| found.steps()), Some(steps)),
            None => {
                let message = found.unwrap_err().to_string();
                assert!(
                    message.contains("no intact checkpoint") && message.contains("checksum"),
                    "{message}"
                );
            }
        }
    }
}

#[test]
fn a_folder_that_is_not_for_checkpoints_is_left_alone() {
    let device = Device::cpu();
    let mut model = small().compile(&device, Compile::default()).unwrap();
    let (_parent, folder) = folder();
    let of = |model: &Model, folder: &Path| Backup::of(model, &options(), folder);
    let backup = of(&model, &folder).unwrap();
    assert!(backup.last().unwrap().is_none());
    if cfg!(unix) {
        let Err(Error::Run(RunError::Busy { .. })) = of(&model, &folder) else {
            panic!("two have the folder")
        };
    }
    drop(backup);
    model.save(&folder).unwrap();
    let error = of(&model, &folder).unwrap_err();
    assert!(
        matches!(&error, Error::Run(RunError::NotABackup { found, .. }) if found == "`model.toml` and 1 more"),
        "{error}"
    );
    let file = folder.join("model.toml");
    let error = of(&model, &file).unwrap_err();
    assert!(matches!(error, Error::Run(RunError::NotAFolder { .. })), "{error}");
    let mut odd = small().name("two\nlines").compile(&device, Compile::default()).unwrap();
    let other = folder.join("other");
    assert!(of(&odd, &other).is_err() && !other.exists());
    odd.evaluate(&data()).unwrap();
}

#[test]
fn a_checkpoint_of_another_model_changes_nothing() {
    for (name, device) in devices() {
        let mut other = layers().compile(&device, settings()).unwrap();
        let mut model = small().compile(&device, Compile::default()).unwrap();
        let refused = |model: &mut Model, checkpoint: Checkpoint, expected: &str| {
            let before = weights(model);
            let error = model.restore(checkpoint).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
            assert!(weights(model) == before, "{name}");
        };
        for _ in 0..2 {
            let foreign = other.checkpoint().unwrap();
            let mut short = model.checkpoint().unwrap();
            assert!(model.set_weights(foreign.weights.clone()).is_err(), "{name}");
            short.optimizer_state.pop();
            refused(&mut model, foreign, "this model's has");
            refused(&mut model, short, "this model's has");
            let mut weights = model.checkpoint().unwrap();
            weights.weights = other.weights().unwrap();
            refused(&mut model, weights, "but the model needs tensor `");
            model.fit(&data(), &FitOptions { epochs: 1, ..options() }, &mut NoCallback).unwrap();
        }
    }
}
