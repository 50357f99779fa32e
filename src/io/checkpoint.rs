//! Checkpoints on disk: one folder each, in the folder `checkpoints` of a run.
//!
//! | file                     | content                                                              |
//! |--------------------------|----------------------------------------------------------------------|
//! | `model.toml`             | the model and its training, as `train` was given                     |
//! | `state.toml`             | a [`CheckpointState`]: settings, counters, epochs                    |
//! | `weights.safetensors`    | the weights                                                          |
//! | `best.safetensors`       | those of the best epoch, where early stopping is to restore them     |
//! | `optimizer.safetensors`  | the optimizer's state                                                |
//! | `manifest.toml`          | SHA-256 of each of these files; whether somebody asked for it        |
//!
//! A checkpoint is written under another name, synced to the disk, and renamed: it exists as a whole or not at all.
//! One that is replaced keeps existing, under a third name, until the new one is in its place. State is TOML because
//! it keeps every bit of a float, NaN included.

mod layout;
mod read;
mod remove;

use std::fs::{self};
use std::io;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};

pub(super) use self::layout::sync_folder;
use self::layout::{
    BEST_FILE, FORMAT, MANIFEST_FILE, Manifest, OPTIMIZER_FILE, OPTIMIZER_TENSOR, REPLACED, STATE_FILE, name,
};
pub use self::layout::{CHECKPOINTS, CheckpointState, RunSettings, path};
pub use self::read::{SavedCheckpoint, is_checkpoint, last_checkpoint, load_last, read_settings};
pub(super) use self::remove::{any, clear, in_the_way};
use self::remove::{is_asked_for, remove, remove_old, set_aside, settle};
use super::run::{MODEL_FILE, WEIGHTS_FILE, weights_metadata};
use super::whole::write_own;
use super::{sha256, weights_to_bytes};
use crate::error::RunError;
pub use crate::error::{DamagedCheckpoint, ResumeError};
use crate::train::Checkpoint;

/// How many of the last checkpoints stay, unless something else is asked for.
pub const KEEP: usize = 3;

/// Writes a checkpoint of a run, then removes those that are not to be kept: all but the last `keep`, that of the
/// best epoch by validation loss, or by training loss without validation, and those that were asked for. Checkpoints
/// of later steps are removed, too: the run found them damaged when it was resumed.
///
/// # Errors
/// When a file cannot be written; what was there before stays.
pub fn save(
    run: &Path,
    model_toml: &str,
    settings: &RunSettings,
    checkpoint: &Checkpoint,
    keep: usize,
) -> Result<PathBuf, RunError> {
    let parent = run.join(CHECKPOINTS);
    let target = path(run, checkpoint.steps());
    let temporary = parent.join(format!(".{}.{}.tmp", name(checkpoint.steps()), std::process::id()));
    let fail = |cause| RunError::write(&target, cause);
    // One of the same step may have been asked for just before.
    let asked_for = checkpoint.asked_for || is_asked_for(&target);
    let files = files_of(model_toml, settings, checkpoint, asked_for).map_err(fail)?;
    let written =
        write_files(&temporary, &target, files).and_then(|()| replace(&temporary, &target).map_err(fail));
    if written.is_err() {
        // The first error is the one to report.
        let _ = remove(&temporary);
        return written.map(|()| target);
    }
    remove_old(&parent, checkpoint, keep).map_err(|cause| RunError::write(&parent, cause))?;
    Ok(target)
}

/// Puts a folder in the place of another, if there is one, which is removed only once the new one is there. If the
/// new one cannot be put there, the old one stays. Other files in the old folder are moved to the new one.
fn replace(new: &Path, target: &Path) -> io::Result<()> {
    let aside = aside(target);
    if let Ok(found) = fs::symlink_metadata(target) {
        if !found.is_dir() {
            return Err(io::Error::other("something there is not a checkpoint; move it away"));
        }
        settle(&aside, target)?;
        fs::rename(target, &aside)?;
    }
    if let Err(error) = fs::rename(new, target) {
        // The first error is the one to report; there may have been nothing.
        let _ = fs::rename(&aside, target);
        return Err(error);
    }
    target.parent().map_or(Ok(()), sync_folder)?;
    settle(&aside, target)
}

/// Where a checkpoint is kept while another takes its place.
fn aside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}{REPLACED}"))
}

/// Brings back a checkpoint that was being replaced when the process was killed, before the new one was in its place.
/// The caller must hold the run's folder ([`RunFolder`](super::run::RunFolder)).
///
/// # Errors
/// When the folder cannot be read or changed; a run without checkpoints has nothing to bring back.
pub fn bring_back(run: &Path) -> Result<(), RunError> {
    let parent = run.join(CHECKPOINTS);
    let fail = |cause| RunError::write(&parent, cause);
    let unread = |cause| RunError::read(&parent, cause);
    let entries = match fs::read_dir(&parent) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(unread)?,
    };
    for entry in entries {
        let name = entry.map_err(unread)?.file_name().to_string_lossy().into_owned();
        if let Some(whole) = set_aside(&name) {
            let target = parent.join(whole);
            match target.exists() {
                true => settle(&parent.join(&name), &target),
                false => fs::rename(parent.join(&name), target),
            }
            .map_err(fail)?;
        }
    }
    Ok(())
}

/// The run that a checkpoint belongs to.
pub fn run_of(checkpoint: &Path) -> Option<&Path> {
    checkpoint.parent()?.parent()
}

/// The files of a checkpoint and their contents, the manifest last.
///
/// # Errors
/// When a value cannot be written as TOML, which cannot happen with those of a run.
pub fn to_files(
    model_toml: &str,
    settings: &RunSettings,
    checkpoint: &Checkpoint,
) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
    files_of(model_toml, settings, checkpoint, checkpoint.asked_for)
}

fn files_of(
    model_toml: &str,
    settings: &RunSettings,
    checkpoint: &Checkpoint,
    asked_for: bool,
) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
    let state = CheckpointState {
        format: FORMAT,
        settings: settings.clone(),
        stopped: checkpoint.stopped.clone(),
        training: checkpoint.training,
        epochs: checkpoint.epochs.clone(),
    };
    let state = toml::to_string(&state).map_err(io::Error::other)?;
    let weights =
        |weights| weights_to_bytes(weights, &weights_metadata("checkpoint")).map_err(io::Error::other);
    let mut files = vec![
        (MODEL_FILE, model_toml.as_bytes().to_vec()),
        (STATE_FILE, state.into_bytes()),
        (WEIGHTS_FILE, weights(&checkpoint.weights)?),
        (OPTIMIZER_FILE, optimizer_to_bytes(&checkpoint.optimizer_state)?),
    ];
    if let Some(best) = &checkpoint.best_weights {
        files.push((BEST_FILE, weights(best)?));
    }
    let sha256 = files.iter().map(|(name, bytes)| ((*name).to_owned(), sha256(bytes))).collect();
    let manifest =
        toml::to_string(&Manifest { format: FORMAT, asked_for, sha256 }).map_err(io::Error::other)?;
    files.push((MANIFEST_FILE, manifest.into_bytes()));
    Ok(files)
}

/// The files of a checkpoint as they are, by name.
///
/// # Errors
/// When one cannot be read.
#[cfg(feature = "cli")]
pub(crate) fn checkpoint_files(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, RunError> {
    let fail = |cause| RunError::Read { path: dir.display().to_string(), cause };
    let mut files = Vec::new();
    for name in [MODEL_FILE, STATE_FILE, WEIGHTS_FILE, OPTIMIZER_FILE, BEST_FILE, MANIFEST_FILE] {
        match fs::read(dir.join(name)) {
            Ok(bytes) => files.push((name.to_owned(), bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(fail(cause)),
        }
    }
    Ok(files)
}

/// Writes such files into a new folder.
///
/// # Errors
/// When one cannot be written.
#[cfg(feature = "cli")]
pub(crate) fn write_checkpoint_files(dir: &Path, files: &[(String, Vec<u8>)]) -> Result<(), RunError> {
    fs::create_dir_all(dir).map_err(|cause| RunError::write(dir, cause))?;
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::write(&path, bytes).map_err(|cause| RunError::write(&path, cause))?;
    }
    Ok(())
}

/// Writes the files into a folder that will be renamed; errors name them as they will be called then.
fn write_files(dir: &Path, target: &Path, files: Vec<(&str, Vec<u8>)>) -> Result<(), RunError> {
    let made = remove(dir).and_then(|()| fs::create_dir_all(dir.parent().unwrap_or(dir)));
    let made = made.and_then(|()| match fs::symlink_metadata(dir) {
        Ok(found) if found.is_dir() => Ok(()),
        _ => fs::create_dir(dir),
    });
    made.map_err(|cause| RunError::write(target, cause))?;
    for (name, bytes) in files {
        write_own(&dir.join(name), &bytes).map_err(|cause| RunError::write(&target.join(name), cause))?;
    }
    sync_folder(dir).map_err(|cause| RunError::write(target, cause))
}

fn optimizer_to_bytes(state: &[f32]) -> io::Result<Vec<u8>> {
    let view = TensorView::new(Dtype::F32, vec![state.len()], bytemuck::cast_slice(state));
    let view = view.map_err(io::Error::other)?;
    safetensors::serialize([(OPTIMIZER_TENSOR, view)], None).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::ModelFile;
    use crate::train::{Compile, TrainingState};

    const MODEL: &str = r#"
        name = "halves"
        input_shape = [2, 2, 1]
        loss = "categorical_crossentropy"
        optimizer = { name = "rmsprop" }
        layers = [{ type = "Flatten" }, { type = "Dense", units = 2, activation = "softmax" }]
    "#;

    /// Saves a checkpoint within the first epoch, and keeps the last two.
    fn save_after(run: &Path, step: usize, asked_for: bool) {
        let network = ModelFile::parse(MODEL_FILE, MODEL).unwrap().model.network().unwrap();
        let mut training = TrainingState { epochs_begun: 1, steps_begun: step, ..TrainingState::default() };
        (training.run.within.rows, training.run.within.samples) = (step, step as u64);
        let checkpoint = Checkpoint {
            training,
            weights: network.initial_weights(0),
            optimizer_state: vec![
                0.0;
                Checkpoint::optimizer_state_len(&network, &Compile::default()).unwrap()
            ],
            best_weights: None,
            epochs: Vec::new(),
            stopped: None,
            asked_for,
        };
        let settings = RunSettings { seed: "0".to_owned(), ..RunSettings::default() };
        save(run, MODEL, &settings, &checkpoint, 2).unwrap();
    }

    fn kept(run: &Path) -> Vec<usize> {
        let names = layout::names(&run.join(CHECKPOINTS)).unwrap();
        names.iter().rev().filter_map(|name| layout::steps_of(name)).collect()
    }

    #[test]
    fn what_was_asked_for_stays() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        (1..=8).for_each(|step| save_after(run, step, [3, 5, 6].contains(&step)));
        assert_eq!(kept(run), [3, 5, 6, 7, 8]);
        // One that is made anew, as after Ctrl-C right after the request, was still asked for.
        save_after(run, 9, true);
        save_after(run, 9, false);
        let (saved, damaged) = load_last(run).unwrap();
        assert!(saved.checkpoint.asked_for && damaged.is_empty(), "{damaged:?}");
        // A process that goes on knows of the earlier ones from the disk alone.
        (10..=12).for_each(|step| save_after(run, step, false));
        assert_eq!(kept(run), [3, 5, 6, 9, 11, 12]);
        let (saved, damaged) = load_last(run).unwrap();
        assert!(!saved.checkpoint.asked_for && damaged.is_empty(), "{damaged:?}");
    }

    /// From before there was a mark.
    #[test]
    fn a_manifest_without_the_mark_is_read() {
        let run = tempfile::tempdir().unwrap();
        save_after(run.path(), 1, false);
        let text = fs::read_to_string(path(run.path(), 1).join(MANIFEST_FILE)).unwrap();
        assert!(!text.contains("asked_for"), "{text}");
        save_after(run.path(), 2, true);
        let file = path(run.path(), 2).join(MANIFEST_FILE);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("asked_for = true"), "{text}");
        fs::write(&file, text.replace("asked_for = true\n", "")).unwrap();
        let (saved, damaged) = load_last(run.path()).unwrap();
        assert_eq!((saved.checkpoint.steps(), saved.checkpoint.asked_for, damaged.len()), (2, false, 0));
        (3..=4).for_each(|step| save_after(run.path(), step, false));
        assert_eq!(kept(run.path()), [3, 4]);
    }

    fn folder(path: &Path, content: &str) {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join(STATE_FILE), content).unwrap();
    }

    #[test]
    fn a_checkpoint_is_replaced_or_stays() {
        let run = tempfile::tempdir().unwrap();
        let parent = run.path().join(CHECKPOINTS);
        let (new, target) = (parent.join(".step-00000007.1.tmp"), parent.join("step-00000007"));
        let content = || fs::read_to_string(target.join(STATE_FILE)).unwrap();
        let names = || fs::read_dir(&parent).unwrap().count();
        folder(&new, "first");
        replace(&new, &target).unwrap();
        assert_eq!((content().as_str(), names()), ("first", 1));
        // One that was set aside before does not matter.
        folder(&aside(&target), "older");
        folder(&new, "second");
        replace(&new, &target).unwrap();
        assert_eq!((content().as_str(), names()), ("second", 1));
        // There is no new one.
        assert!(replace(&new, &target).is_err());
        assert_eq!((content().as_str(), names()), ("second", 1));
        // Killed between the two renames, and before the old one was removed.
        fs::rename(&target, aside(&target)).unwrap();
        bring_back(run.path()).unwrap();
        assert_eq!((content().as_str(), names()), ("second", 1));
        folder(&aside(&target), "older");
        bring_back(run.path()).unwrap();
        assert_eq!((content().as_str(), names()), ("second", 1));
        bring_back(&run.path().join("nowhere")).unwrap();
    }
}
