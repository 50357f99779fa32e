//! Checkpoints of a program of one's own: written while it trains, read when it begins again.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::checkpoint::{self, CHECKPOINTS, RunSettings, SavedCheckpoint, load_last};
use super::run::{MODEL_FILE, RESULT_FILE, RunFolder, STEPS_FILE, WEIGHTS_FILE};
use super::save::others;
use crate::error::{Error, ResumeError, RunError};
use crate::io::ModelFile;
use crate::train::{Callback, CallbackError, Checkpoint, Checkpoints, FitOptions, Model, Schedule};

/// The settings of a model file that may change from one call to the next.
const MAY_CHANGE: [&str; 2] = ["epochs", "max_steps"];

/// A folder of checkpoints, from which training goes on after a break with the same bits as if there had been none. It is a callback that
/// writes them while [`fit`](Model::fit) trains, as `BackupAndRestore` of Keras is (`keras/src/callbacks/backup_and_restore.py`), and it
/// reads the last one:
///
/// ```
/// # use shadegrad::data::Dataset;
/// # use shadegrad::model::{Activation, Dense, Flatten, Sequential};
/// # use shadegrad::train::Compile;
/// use shadegrad::Device;
/// use shadegrad::io::Backup;
/// use shadegrad::train::FitOptions;
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path().join("digits-backup");
/// # let train = Dataset::new(vec![0, 9, 4, 7, 250, 251, 240, 255], vec![0, 1], [2, 2, 1], 2)?;
/// # let net = Sequential::new([2, 2, 1]).add(Flatten::new()).add(Dense::new(2).activation(Activation::Softmax));
///
/// let mut model = net.compile(&Device::cpu(), Compile::default())?;
/// let options = FitOptions { epochs: 20, ..FitOptions::default() };
/// let mut backup = Backup::of(&model, &options, &folder)?;
/// let history = match backup.last()? {
///     Some(checkpoint) => model.resume(&train, &options, checkpoint, &mut backup)?,
///     None => model.fit(&train, &options, &mut backup)?,
/// };
/// assert_eq!(history.epochs.len(), 20); // also of a program that was killed on the way, and begun again
/// # Ok::<(), shadegrad::Error>(())
/// ```
///
/// A loop of one's own over [`train_on_batch`](Model::train_on_batch) saves with [`save`](Self::save) what
/// [`Model::checkpoint`] tells, and goes on from [`last`](Self::last) with [`Model::restore`].
///
/// A checkpoint is written as a whole or not at all, with checksums; a damaged one is passed over with a warning. The folder belongs to one
/// call of `fit`, or to one loop, and to one `Backup` at a time: another call, or the second fold of a cross-validation, is refused, so that
/// it cannot replace what was trained. The folder stays when training has ended: `resume` then has nothing left to do but for more epochs. A
/// finished model is saved elsewhere, with [`Model::save`].
///
/// What the folder does not hold is the data: the program must give the same again, the validation set among it
/// ([`Dataset::digest`](crate::data::Dataset::digest) tells). Of several ranks ([`Model::distribute`]) the first alone has the `Backup`, and
/// the program hands a copy of its last checkpoint to the others.
#[derive(Debug)]
pub struct Backup {
    folder: RunFolder,
    file: ModelFile,
    toml: String,
    settings: RunSettings,
    every: Checkpoints,
    keep: usize,
    /// Steps of the last checkpoint that is whole.
    newest: Option<usize>,
}

impl Backup {
    /// The checkpoints of a model that is trained with these options, in this folder, which is made if it is missing. There is one after
    /// each epoch, and the last three stay, with that of the best epoch. For a loop of one's own the options are the defaults.
    ///
    /// # Errors
    /// - [`RunError::NotABackup`] when the folder holds a run or a saved model, or anything else and no checkpoints.
    /// - [`RunError::Busy`] when another `Backup` or another process has it (on Unix; elsewhere others are not kept out).
    /// - [`RunError::NotAFolder`] when it is a file, [`RunError::Read`] and [`RunError::Write`] when it cannot be read or written to.
    /// - [`ResumeError::Damaged`] when it holds checkpoints and none is whole.
    /// - [`ModelError`](crate::model::ModelError) when the model's name cannot stand in a model file.
    pub fn of(model: &Model, options: &FitOptions, dir: &Path) -> Result<Self, Error> {
        let mut training = options.setting();
        // What `None` stands for depends on the ranks.
        training.micro_batches = Some(options.micro_batches_on(model.ranks())?)
            .filter(|&count| count > 1)
            .or(training.micro_batches);
        let file = ModelFile { training, ..model.file() };
        let toml = file.to_toml()?;
        ModelFile::parse(MODEL_FILE, &toml)?;
        // The program may go to another folder while it trains.
        let dir = std::path::absolute(dir).map_err(|cause| RunError::write(dir, cause))?;
        fs::create_dir_all(&dir).map_err(|cause| match cause.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                RunError::NotAFolder { dir: dir.display().to_string() }
            }
            _ => RunError::write(&dir, cause),
        })?;
        let folder = RunFolder::resume(&dir)?;
        check_folder(&dir)?;
        let folder = folder.probed()?;
        checkpoint::bring_back(&dir)?;
        let newest = match load_last(&dir) {
            Ok((saved, _)) => Some(saved.checkpoint.steps()),
            Err(ResumeError::None { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let settings = RunSettings {
            seed: model.compile.seed.to_string(),
            device: model.device().title(),
            no_fuse: model.compile.no_fuse,
            allow_nan: options.allow_nan,
            ..RunSettings::default()
        };
        Ok(Backup {
            folder,
            file,
            toml,
            settings,
            every: Checkpoints::Epochs,
            keep: checkpoint::KEEP,
            newest,
        })
    }

    /// When `fit` makes checkpoints, in place of after each epoch.
    #[must_use]
    pub fn every(mut self, checkpoints: Checkpoints) -> Self {
        self.every = checkpoints;
        self
    }

    /// How many of the last checkpoints stay, in place of three; at least one does.
    #[must_use]
    pub fn keep(mut self, checkpoints: usize) -> Self {
        self.keep = checkpoints.max(1);
        self
    }

    /// Writes a checkpoint, removes those that are not to be kept, and damaged ones of later steps, and returns its folder. A loop that went
    /// back saves again once it has come as far as before.
    ///
    /// # Errors
    /// [`RunError::Earlier`] when there is a checkpoint of later steps; [`RunError::Write`] when a file cannot be written. What was there
    /// before stays.
    pub fn save(&mut self, checkpoint: &Checkpoint) -> Result<PathBuf, RunError> {
        self.check_steps(checkpoint.steps())?;
        let saved = checkpoint::save(self.folder.dir(), &self.toml, &self.settings, checkpoint, self.keep)?;
        self.newest = Some(checkpoint.steps());
        Ok(saved)
    }

    /// Refuses what would take the place of later checkpoints.
    fn check_steps(&self, steps: usize) -> Result<(), RunError> {
        match self.newest {
            Some(there) if there > steps => {
                Err(RunError::Earlier { dir: self.folder.dir().display().to_string(), there, steps })
            }
            _ => Ok(()),
        }
    }

    /// The last checkpoint that is whole; `None` in a folder without any. Warns of those after it that are damaged, and where it was made on
    /// another device, which rounds in other ways.
    ///
    /// # Errors
    /// [`ResumeError::Damaged`] when none is whole; [`ResumeError::OtherModel`] when it is of another model, or of other options than
    /// `epochs` and `max_steps`; [`ResumeError::Unreadable`] when the folder cannot be read.
    pub fn last(&mut self) -> Result<Option<Checkpoint>, ResumeError> {
        let dir = self.folder.dir().to_owned();
        let (saved, damaged) = match load_last(&dir) {
            Err(ResumeError::None { .. }) => return Ok(None),
            found => found?,
        };
        for one in damaged {
            log::warn!("{one}; training goes on from {}", saved.name);
        }
        if let Some(differs) = self.difference(&saved) {
            return Err(ResumeError::OtherModel { dir: dir.display().to_string(), differs });
        }
        let [there, here] = [&saved.settings.device, &self.settings.device];
        if there != here {
            log::warn!(
                "the checkpoint in `{}` was made on {there}, and training goes on on {here}: the results are as good, but not \
                 the same bits",
                dir.display()
            );
        }
        // One that was damaged meanwhile is not guarded any more.
        self.newest = Some(saved.checkpoint.steps());
        Ok(Some(saved.checkpoint))
    }

    /// What differs between what a checkpoint was made with and what it is to be resumed with, the first that is found.
    fn difference(&self, saved: &SavedCheckpoint) -> Option<String> {
        let [there, here] =
            [(&saved.file, &saved.settings), (&self.file, &self.settings)].map(|(file, settings)| {
                // Names come from the data, once training begins.
                let file = ModelFile { class_names: Vec::new(), feature_names: Vec::new(), ..file.clone() };
                let mut table: Table =
                    file.to_toml().ok().and_then(|text| text.parse().ok()).unwrap_or_default();
                if let Some(Value::Table(training)) = table.get_mut("training") {
                    MAY_CHANGE.iter().for_each(|setting| drop(training.remove(*setting)));
                }
                table.insert("seed".to_owned(), Value::String(settings.seed.clone()));
                table.insert("no_fuse".to_owned(), Value::Boolean(settings.no_fuse));
                table.insert("allow_nan".to_owned(), Value::Boolean(settings.allow_nan));
                Value::Table(table)
            });
        first_difference("", Some(&there), Some(&here))
    }
}

/// Refuses a folder that is for something else.
fn check_folder(dir: &Path) -> Result<(), RunError> {
    let has = |name: &str| fs::symlink_metadata(dir.join(name)).is_ok();
    let of_a_run = [MODEL_FILE, WEIGHTS_FILE, STEPS_FILE, RESULT_FILE].into_iter().find(|file| has(file));
    let found = match of_a_run {
        Some(file) => Some(format!("`{file}`")),
        // Later the program, or the system, may have put something beside them.
        None if has(CHECKPOINTS) => None,
        None => others(dir, |_, _| false)?,
    };
    found.map_or(Ok(()), |found| Err(RunError::NotABackup { dir: dir.display().to_string(), found }))
}

/// The place of the first difference of two values, and what is there and here.
fn first_difference(place: &str, there: Option<&Value>, here: Option<&Value>) -> Option<String> {
    let dot = if place.is_empty() { "" } else { "." };
    match (there, here) {
        (Some(Value::Table(there)), Some(Value::Table(here))) => {
            let keys: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
            let differs =
                |key: &String| first_difference(&format!("{place}{dot}{key}"), there.get(key), here.get(key));
            keys.into_iter().find_map(differs)
        }
        (Some(Value::Array(there)), Some(Value::Array(here))) => {
            let all = 0..there.len().max(here.len());
            all.into_iter()
                .find_map(|at| first_difference(&format!("{place}[{at}]"), there.get(at), here.get(at)))
        }
        _ if there == here => None,
        _ => {
            let said = |value: Option<&Value>| match value {
                None => "is not there".to_owned(),
                Some(Value::Table(_) | Value::Array(_)) => "is there".to_owned(),
                Some(value) => format!("is {value}"),
            };
            Some(format!("`{place}` {} in the checkpoint, and {} here", said(there), said(here)))
        }
    }
}

impl Callback for Backup {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        Ok(self.check_steps(schedule.steps_done)?)
    }

    fn checkpoints(&self) -> Checkpoints {
        self.every
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.save(checkpoint)?;
        Ok(())
    }
}
