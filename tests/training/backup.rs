//! Training that goes on from the checkpoints in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use shadegrad::Device;
use shadegrad::data::Dataset;
use shadegrad::error::{Error, ResumeError, RunError};
use shadegrad::io::Backup;
use shadegrad::model::{Activation, Adam, Dense, Flatten, Normalization, Optimizer, Sequential, Softmax};
use shadegrad::train::{Checkpoint, Checkpoints, Compile, EarlyStopping, FitOptions, Model, NoCallback};

use crate::common::{devices, mnist_train, small};
use crate::micro_batches::{layers, settings};
use crate::steps::{bits, flat};

pub const BATCH: usize = 16;
pub const BATCHES: usize = 12;

/// The last batch is a short one.
pub fn data() -> Dataset {
    mnist_train().take(BATCH * BATCHES - 5).unwrap()
}

/// Three epochs of twelve steps.
pub fn options() -> FitOptions {
    FitOptions { epochs: 3, batch_size: BATCH, ..FitOptions::default() }
}

/// A folder that is not there yet.
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("not").join("there yet");
    (parent, path)
}

/// A folder with files of somebody else.
fn folder_of_notes() -> (tempfile::TempDir, PathBuf) {
    let (parent, folder) = folder();
    fs::create_dir_all(&folder).unwrap();
    for name in ["a.txt", "b.txt"] {
        fs::write(folder.join(name), "mine").unwrap();
    }
    (parent, folder)
}

pub fn weights(model: &mut Model) -> Vec<u32> {
    bits(&flat(&model.weights().unwrap()))
}

/// The names of the checkpoints in a folder.
pub fn names(folder: &Path) -> Vec<String> {
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
    let split = FitOptions { validation_split: Some(0.25), ..options() };
    let stopping = FitOptions { early_stopping: Some(EarlyStopping::default()), ..split.clone() };
    let unfused = Compile { no_fuse: true, ..Compile::default() };
    for (net, compile, options, expected) in [
        (
            small().name("other"),
            Compile::default(),
            options(),
            "`name` is \"sequential\" in the checkpoint, and is \"other\" here",
        ),
        (
            small(),
            Compile { optimizer, ..Compile::default() },
            options(),
            "`optimizer.beta_1` is not there in the checkpoint, and is 0.9 here",
        ),
        (
            small(),
            Compile::default(),
            FitOptions { batch_size: 32, ..options() },
            "`training.batch_size` is 16 in the checkpoint, and is 32 here",
        ),
        (
            small(),
            Compile::default(),
            split,
            "`training.validation_split` is not there in the checkpoint, and is 0.25 here",
        ),
        (
            small(),
            Compile::default(),
            stopping,
            "`training.early_stopping` is not there in the checkpoint, and is there here",
        ),
        (
            small(),
            Compile { seed: 7, ..Compile::default() },
            options(),
            "`seed` is \"0\" in the checkpoint, and is \"7\" here",
        ),
        (small(), unfused, options(), "`no_fuse` is false in the checkpoint, and is true here"),
        (
            small().add(Softmax::new()),
            Compile::default(),
            options(),
            "is not there in the checkpoint, and is there here",
        ),
    ] {
        let Err(ResumeError::OtherModel { differs, dir }) = last(&net, compile, options) else {
            panic!("{expected}: nothing was refused")
        };
        assert!(differs.contains(expected) && dir == folder.display().to_string(), "{differs}");
    }
}

/// Early stopping has the best weights back, or an average of them is taken: that is done once more.
#[test]
fn what_ended_within_an_epoch_ends_the_same_once_more() {
    let stopping = EarlyStopping { patience: 5, restore_best_weights: true, ..EarlyStopping::default() };
    for (net, compile, early_stopping) in
        [(small(), Compile::default(), Some(stopping)), (layers(), settings(), None)]
    {
        let options =
            FitOptions { max_steps: Some(21), validation_split: Some(0.2), early_stopping, ..options() };
        for (name, device) in devices() {
            let (_parent, folder) = folder();
            let ends = [(); 2].map(|()| {
                let mut model = net.compile(&device, compile).unwrap();
                let mut backup = Backup::of(&model, &options, &folder).unwrap();
                let history = match backup.last().unwrap() {
                    Some(checkpoint) => model.resume(&data(), &options, checkpoint, &mut backup).unwrap(),
                    None => model.fit(&data(), &options, &mut backup).unwrap(),
                };
                let epochs: Vec<_> = history
                    .epochs
                    .iter()
                    .map(|epoch| (epoch.epoch, epoch.loss, epoch.val_loss, epoch.learning_rate))
                    .collect();
                (epochs, history.stopped, history.steps, weights(&mut model))
            });
            let [first, again] = &ends;
            assert_eq!(first.0.len(), 3, "{name}: it did not end within an epoch");
            assert_eq!((&first.0, &first.1, first.2), (&again.0, &again.1, again.2), "{name}");
            assert!(first.3 == again.3, "{name}: other weights");
        }
    }
}

#[test]
fn nothing_takes_the_place_of_later_checkpoints() {
    let (_parent, folder) = folder();
    let device = Device::cpu();
    let compiled = || small().compile(&device, Compile::default()).unwrap();
    let mut model = run(&small(), Compile::default(), &device, &options(), &folder);
    let kept = names(&folder);
    let mut backup = Backup::of(&model, &options(), &folder).unwrap();
    // A call from the start, whether or not the last checkpoint was asked for, and what is saved after a call of `fit`.
    for _ in 0..2 {
        let error = compiled().fit(&data(), &options(), &mut backup).unwrap_err().to_string();
        assert!(error.contains("after step 36") && error.contains("after step 0 would"), "{error}");
        let error = backup.save(&model.checkpoint().unwrap()).unwrap_err();
        assert!(matches!(error, RunError::Earlier { there: 36, steps: 0, .. }), "{error}");
        assert!(backup.last().unwrap().is_some());
    }
    assert_eq!(names(&folder), kept);
    // A program of which somebody has taken away the last checkpoint goes on from the one before.
    drop(backup);
    fs::write(folder.join("checkpoints/step-00000036/manifest.toml"), "").unwrap();
    let mut again = run(&small(), Compile::default(), &device, &options(), &folder);
    assert!(weights(&mut again) == weights(&mut model));
    assert_eq!(names(&folder), kept);
}

/// Normalization takes its weights from the data before the first step, also of a call that begins from a checkpoint of a loop.
#[test]
fn a_call_from_the_first_step_adapts_layers() {
    let net = Sequential::new([28, 28, 1])
        .add(Normalization::new())
        .add(Flatten::new())
        .add(Dense::new(10).activation(Activation::Softmax));
    let [mut fit, mut resumed] = [(); 2].map(|()| net.compile(&Device::cpu(), Compile::default()).unwrap());
    fit.fit(&data(), &options(), &mut NoCallback).unwrap();
    let start = resumed.checkpoint().unwrap();
    resumed.resume(&data(), &options(), start, &mut NoCallback).unwrap();
    assert!(weights(&mut fit) == weights(&mut resumed));
}

#[test]
fn a_damaged_checkpoint_is_passed_over() {
    let (_parent, folder) = folder();
    let device = Device::cpu();
    drop(run(&small(), Compile::default(), &device, &options(), &folder));
    assert_eq!(names(&folder), ["step-00000034", "step-00000036"]);
    let model = small().compile(&device, Compile::default()).unwrap();
    let mut backup = Backup::of(&model, &options(), &folder).unwrap();
    for (name, before) in [("step-00000036", Some(34)), ("step-00000034", None)] {
        fs::write(folder.join("checkpoints").join(name).join("weights.safetensors"), "half").unwrap();
        let found = backup.last();
        match before {
            Some(steps) => {
                let checkpoint = found.unwrap().unwrap();
                assert_eq!(checkpoint.steps(), steps);
                let mut model = small().compile(&device, Compile::default()).unwrap();
                model.resume(&data(), &options(), checkpoint, &mut backup).unwrap();
                assert_eq!(names(&folder), ["step-00000034", "step-00000036"]);
                fs::remove_dir_all(folder.join("checkpoints/step-00000036")).unwrap();
            }
            None => {
                let message = found.unwrap_err().to_string();
                assert!(
                    message.contains("no intact checkpoint") && message.contains("checksum"),
                    "{message}"
                );
            }
        }
    }
    // Nor is one made that would let others take their place.
    drop(backup);
    let error = Backup::of(&model, &options(), &folder).unwrap_err();
    assert!(matches!(error, Error::Resume(ResumeError::Damaged { .. })), "{error}");
}

#[test]
fn a_folder_that_is_not_for_checkpoints_is_left_alone() {
    let device = Device::cpu();
    let mut model = small().compile(&device, Compile::default()).unwrap();
    let (_parent, folder) = folder();
    let of = |model: &Model, folder: &Path| Backup::of(model, &options(), folder);
    let mut backup = of(&model, &folder).unwrap();
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
        matches!(&error, Error::Run(RunError::NotABackup { found, .. }) if found == "`model.toml`"),
        "{error}"
    );
    let (_parent, other) = folder_of_notes();
    let error = of(&model, &other).unwrap_err();
    assert!(
        matches!(&error, Error::Run(RunError::NotABackup { found, .. }) if found == "`a.txt` and 1 more"),
        "{error}"
    );
    // What the program or the system puts beside checkpoints is none of our business.
    fs::write(other.join("checkpoints"), "mine").unwrap();
    assert!(matches!(of(&model, &other).unwrap_err(), Error::Run(RunError::Read { .. })));
    fs::remove_file(other.join("checkpoints")).unwrap();
    fs::create_dir(other.join("checkpoints")).unwrap();
    assert!(of(&model, &other).unwrap().last().unwrap().is_none());
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
            refused(&mut model, foreign, "but the model needs tensor `");
            refused(&mut model, short, "this model's has");
            let mut weights = model.checkpoint().unwrap();
            weights.weights = other.weights().unwrap();
            refused(&mut model, weights, "but the model needs tensor `");
            model.fit(&data(), &FitOptions { epochs: 1, ..options() }, &mut NoCallback).unwrap();
        }
    }
}
