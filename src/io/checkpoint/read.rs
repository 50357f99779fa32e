//! Reading checkpoints: a checkpoint is checked as a whole before any of it is used.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors};

use super::layout::{
    BEST_FILE, CHECKPOINTS, CheckpointState, FORMAT, MANIFEST_FILE, Manifest, OPTIMIZER_FILE,
    OPTIMIZER_TENSOR, RunSettings, STATE_FILE, names,
};
use crate::error::{DamagedCheckpoint, ResumeError, RunError};
use crate::files;
use crate::io::ModelFile;
use crate::io::run::{MODEL_FILE, WEIGHTS_FILE};
use crate::io::{sha256, weights_from_bytes};
use crate::train::{Checkpoint, Compile, TrainingState};

/// A checkpoint as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedCheckpoint {
    /// Its name, such as `step-00000938`.
    pub name: String,
    /// The model and its training.
    pub file: ModelFile,
    /// The settings of the run beside it.
    pub settings: RunSettings,
    /// The state of training.
    pub checkpoint: Checkpoint,
}

/// The last intact checkpoint of a run, and the damaged ones after it.
///
/// # Errors
/// When there is none, or no intact one.
pub fn load_last(run: &Path) -> Result<(SavedCheckpoint, Vec<DamagedCheckpoint>), ResumeError> {
    let parent = run.join(CHECKPOINTS);
    let none = || ResumeError::None { dir: run.display().to_string() };
    let found = names(&parent).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => none(),
        _ => ResumeError::Unreadable { dir: parent.display().to_string(), cause },
    })?;
    let mut damaged = Vec::new();
    for name in found {
        let path = parent.join(&name);
        match load(&path) {
            Ok(saved) => return Ok((saved, damaged)),
            Err(problem) => damaged.push(DamagedCheckpoint { path, problem }),
        }
    }
    Err(if damaged.is_empty() {
        none()
    } else {
        ResumeError::Damaged { dir: run.display().to_string(), damaged }
    })
}

/// The path of the last intact checkpoint of a run; `None` where it has none.
pub fn last_checkpoint(run: &Path) -> Option<PathBuf> {
    let parent = run.join(CHECKPOINTS);
    let mut paths = names(&parent).ok()?.into_iter().map(|name| parent.join(name));
    paths.find(|path| checked_files(&|file| files::read(&path.join(file))).is_ok())
}

/// Whether a folder is a checkpoint, and not a run.
pub fn is_checkpoint(dir: &Path) -> bool {
    dir.join(STATE_FILE).is_file()
}

/// The settings of a checkpoint's run; `None` in a folder that is not a checkpoint. The checksum is not checked.
///
/// # Errors
/// When the record is there and cannot be read.
pub fn read_settings(checkpoint: &Path) -> Result<Option<RunSettings>, RunError> {
    let path = checkpoint.join(STATE_FILE);
    let fail = |problem: String| RunError::Settings { path: path.display().to_string(), problem };
    let text = match files::read_text(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|cause| fail(cause.to_string()))?,
    };
    let state: CheckpointState = toml::from_str(&text).map_err(|error| fail(error.to_string()))?;
    Ok(Some(state.settings))
}

/// Reads and checks a checkpoint; the error says what is wrong with it.
fn load(dir: &Path) -> Result<SavedCheckpoint, String> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    from_files(&name, &checked_files(&|file| files::read(&dir.join(file)))?)
}

impl SavedCheckpoint {
    /// A checkpoint from the contents of its files by their names, as [`to_files`](super::to_files) gives them; `name` is that of
    /// its folder.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn from_files(name: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<Self, DamagedCheckpoint> {
        let read = |file: &str| files.get(file).cloned().ok_or_else(|| io::ErrorKind::NotFound.into());
        let loaded = checked_files(&read).and_then(|checked| from_files(name, &checked));
        loaded.map_err(|problem| DamagedCheckpoint { path: name.into(), problem })
    }
}

fn from_files(name: &str, Checked { files, asked_for }: &Checked) -> Result<SavedCheckpoint, String> {
    let text = |name: &str| {
        let bytes = files.get(name).ok_or_else(|| format!("it has no `{name}`"))?;
        String::from_utf8(bytes.clone()).map_err(|_| format!("`{name}` is not text"))
    };
    let file = ModelFile::parse(MODEL_FILE, &text(MODEL_FILE)?).map_err(|error| error.to_string())?;
    let state: CheckpointState =
        toml::from_str(&text(STATE_FILE)?).map_err(|error| format!("`{STATE_FILE}`: {error}"))?;
    if state.format != FORMAT {
        return Err(format!("its format is {}, but this program reads format {FORMAT}", state.format));
    }
    check_state(&state, &file, files.contains_key(BEST_FILE))
        .map_err(|problem| format!("`{STATE_FILE}`: {problem}"))?;
    let network = file.model.network().map_err(|error| error.to_string())?;
    let weights = |name: &str| {
        let bytes = files.get(name).ok_or_else(|| format!("it has no `{name}`"))?;
        weights_from_bytes(name, bytes, &network).map_err(|error| error.to_string())
    };
    let best_weights = files.contains_key(BEST_FILE).then(|| weights(BEST_FILE)).transpose()?;
    let optimizer = files.get(OPTIMIZER_FILE).ok_or_else(|| format!("it has no `{OPTIMIZER_FILE}`"))?;
    let compile = Compile { loss: file.loss, optimizer: file.optimizer, ..Compile::default() };
    let expected = Checkpoint::optimizer_state_len(&network, &compile).map_err(|error| error.to_string())?;
    let checkpoint = Checkpoint {
        training: state.training,
        weights: weights(WEIGHTS_FILE)?,
        optimizer_state: optimizer_state(optimizer, expected)?,
        best_weights,
        epochs: state.epochs,
        stopped: state.stopped,
        asked_for: *asked_for,
    };
    if name != super::layout::name(checkpoint.steps()) {
        return Err(format!("its state is that after step {}", checkpoint.steps()));
    }
    Ok(SavedCheckpoint { name: name.to_owned(), file, settings: state.settings, checkpoint })
}

/// Refuses counters that no training can have; the error says what is wrong.
fn check_state(state: &CheckpointState, file: &ModelFile, has_best: bool) -> Result<(), String> {
    let TrainingState { epochs_begun, steps_begun, learning_rate, rate_factor, rate_is_set, loop_batch, run } =
        state.training;
    let number = run.early_stopping.best_epoch;
    let keeps_best = file.training.early_stopping.is_some_and(|stopping| stopping.restore_best_weights);
    let rules = [
        (state.epochs.len() == run.epoch, "it does not hold as many epochs as are finished"),
        (state.epochs.iter().zip(1..).all(|(epoch, n)| epoch.epoch == n), "its epochs are not in order"),
        (epochs_begun >= run.epoch && steps_begun >= run.step, "it has taken more steps than were started"),
        (
            run.step.checked_rem(run.epoch).map_or(run.step == 0, |rest| rest == 0 && run.step > 0),
            "its steps are not a whole number per epoch",
        ),
        (
            (run.within.rows == 0) == (run.within.samples == 0),
            "its current epoch has only steps or only samples",
        ),
        (run.within.correct <= run.within.samples, "there are more correct predictions than samples"),
        (learning_rate.is_none_or(|rate| rate.is_finite() && rate >= 0.0), "its learning rate is not valid"),
        (
            rate_factor.is_none_or(|factor| factor.is_finite() && factor > 0.0),
            "the factor of its learning rate is not valid",
        ),
        (!rate_is_set || learning_rate.is_some(), "its learning rate was set, and is not there"),
        (loop_batch as u64 <= run.within.samples, "its largest batch has more samples than all batches"),
        (number <= run.epoch, "its best epoch is yet to come"),
        (
            !keeps_best || has_best == (number > 0),
            "the weights of its best epoch are missing, or there is none",
        ),
        (state.settings.seed.parse::<u64>().is_ok(), "its seed is not a whole number"),
    ];
    rules.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, problem)| Err((*problem).to_owned()))
}

/// What a manifest tells of.
struct Checked {
    /// The files that it names, with the checksums that it gives.
    files: BTreeMap<String, Vec<u8>>,
    asked_for: bool,
}

/// Reads the manifest and the files that it names, and compares their checksums.
fn checked_files(read: &dyn Fn(&str) -> io::Result<Vec<u8>>) -> Result<Checked, String> {
    let read = |name: &str| read(name).map_err(|error| format!("`{name}` cannot be read: {error}"));
    let manifest =
        String::from_utf8(read(MANIFEST_FILE)?).map_err(|_| format!("`{MANIFEST_FILE}` is not text"))?;
    let manifest: Manifest =
        toml::from_str(&manifest).map_err(|error| format!("`{MANIFEST_FILE}`: {error}"))?;
    let known = [MODEL_FILE, STATE_FILE, WEIGHTS_FILE, BEST_FILE, OPTIMIZER_FILE];
    let mut files = BTreeMap::new();
    for (name, sum) in manifest.sha256 {
        if !known.contains(&name.as_str()) {
            return Err(format!("`{MANIFEST_FILE}` names `{name}`, which is not a file of a checkpoint"));
        }
        let bytes = read(&name)?;
        if sha256(&bytes) != sum {
            return Err(format!(
                "`{name}` is damaged: it does not have the checksum that was written with it"
            ));
        }
        files.insert(name, bytes);
    }
    Ok(Checked { files, asked_for: manifest.asked_for })
}

fn optimizer_state(bytes: &[u8], expected: usize) -> Result<Vec<f32>, String> {
    let fail = |problem: String| format!("`{OPTIMIZER_FILE}`: {problem}");
    let parsed = SafeTensors::deserialize(bytes).map_err(|error| fail(error.to_string()))?;
    let view = parsed.tensor(OPTIMIZER_TENSOR).map_err(|error| fail(error.to_string()))?;
    if view.dtype() != Dtype::F32 || view.shape() != [expected] {
        return Err(fail(format!("it holds {:?} {:?}, not {expected} F32", view.shape(), view.dtype())));
    }
    Ok(bytemuck::pod_collect_to_vec(view.data()))
}
