//! Checkpoints of a program of one's own: written while it trains, read when it begins again.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::checkpoint::{self, CHECKPOINTS, RunSettings, SavedCheckpoint, load_last};
use super::run::RunFolder;
use super::save::others;
use crate::error::{Error, ResumeError, RunError};
use crate::io::ModelFile;
use crate::train::{Callback, CallbackError, Checkpoint, Checkpoints, FitOptions, Model};

/// How many checkpoints stay, unless something else is asked for.
const KEEP: usize = 3;
/// The settings of a model file that may change from one call to the next.
const MAY_CHANGE: [&str; 2] = ["epochs = ", "max_steps = "];

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
/// call of `fit`, or to one loop, and to one process at a time. It stays when training has ended: `resume` then has nothing left to do. The
/// data is not in it: the program must give the same data again ([`Dataset::digest`](crate::data::Dataset::digest) tells).
#[derive(Debug)]
pub struct Backup {
    folder: RunFolder,
    file: ModelFile,
    toml: String,
    settings: RunSettings,
    every: Checkpoints,
    keep: usize,
}

impl Backup {
    /// The checkpoints of a model that is trained with these options, in this folder, which is made if it is missing. There is one after
    /// each epoch, and the last three stay, with that of the best epoch. For a loop of one's own the options are the defaults.
    ///
    /// # Errors
    /// [`RunError::NotABackup`] when the folder holds anything else; [`RunError::Busy`] when another process has it; [`RunError::Write`]
    /// when it cannot be written to. [`ModelError`](crate::model::ModelError) when the model's name cannot stand in a model file.
    pub fn of(model: &Model, options: &FitOptions, dir: &Path) -> Result<Self, Error> {
        let file = ModelFile { training: options.setting(), ..model.file() };
        let toml = file.to_toml()?;
        ModelFile::parse("model.toml", &toml)?;
        fs::create_dir_all(dir).map_err(|cause| match cause.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                RunError::NotAFolder { dir: dir.display().to_string() }
            }
            _ => RunError::write(dir, cause),
        })?;
        let folder = RunFolder::resume(dir)?;
        let found = others(dir, |kind, name| kind.is_dir() && name == CHECKPOINTS)?;
        if let Some(found) = found {
            return Err(RunError::NotABackup { dir: dir.display().to_string(), found }.into());
        }
        let folder = folder.probed()?;
        checkpoint::bring_back(dir)?;
        let settings = RunSettings {
            seed: model.compile.seed.to_string(),
            device: model.device().title(),
            ..RunSettings::default()
        };
        Ok(Backup { folder, file, toml, settings, every: Checkpoints::Epochs, keep: KEEP })
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

    /// Writes a checkpoint, removes those that are not to be kept, and those of later steps, and returns its folder.
    ///
    /// # Errors
    /// [`RunError::Write`] when a file cannot be written; what was there before stays.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<PathBuf, RunError> {
        checkpoint::save(self.folder.dir(), &self.toml, &self.settings, checkpoint, self.keep)
    }

    /// The last checkpoint that is whole; `None` in a folder without any. Warns of those after it that are damaged, and where it was made on
    /// another device, which rounds in other ways.
    ///
    /// # Errors
    /// [`ResumeError::Damaged`] when none is whole; [`ResumeError::OtherModel`] when it is of another model, or of other options than
    /// `epochs` and `max_steps`.
    pub fn last(&self) -> Result<Option<Checkpoint>, ResumeError> {
        let dir = self.folder.dir();
        let (saved, damaged) = match load_last(dir) {
            Err(ResumeError::None { .. }) => return Ok(None),
            found => found?,
        };
        for one in damaged {
            log::warn!("{one}; the one before is");
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
        Ok(Some(saved.checkpoint))
    }

    /// What differs first between what a checkpoint was made with and what it is to be resumed with.
    fn difference(&self, saved: &SavedCheckpoint) -> Option<String> {
        let text = |file: &ModelFile| {
            // They come from the data, once training begins.
            let named = ModelFile { class_names: Vec::new(), feature_names: Vec::new(), ..file.clone() };
            let text = named.to_toml().unwrap_or_default();
            let fixed = |line: &&str| !MAY_CHANGE.iter().any(|setting| line.starts_with(setting));
            text.lines().filter(fixed).map(str::to_owned).collect::<Vec<_>>()
        };
        let (there, here) = (text(&saved.file), text(&self.file));
        let at = (0..there.len().max(here.len())).find(|&at| there.get(at) != here.get(at));
        let line = |lines: &[String], at| {
            lines.get(at).map_or("nothing more".to_owned(), |line| format!("`{line}`"))
        };
        let other_seed = || {
            let [there, here] = [&saved.settings.seed, &self.settings.seed];
            (there != here).then(|| format!("`seed = {there}` there and `seed = {here}` here"))
        };
        at.map(|at| format!("{} there and {} here", line(&there, at), line(&here, at))).or_else(other_seed)
    }
}

impl Callback for Backup {
    fn checkpoints(&self) -> Checkpoints {
        self.every
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.save(checkpoint)?;
        Ok(())
    }
}
