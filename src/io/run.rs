//! The folder of a run: claimed before training, filled during training, complete at the end.
//!
//! | file                  | content                                                              |
//! |-----------------------|----------------------------------------------------------------------|
//! | `model.toml`          | the model and its optimizer, as trained ([`crate::io::ModelFile`]) |
//! | `steps.jsonl`         | one [`StepRecord`](crate::train::StepRecord) per line                 |
//! | `history.jsonl`       | one [`EpochRecord`](crate::train::EpochRecord) per line               |
//! | `history.csv`         | the same as a table                                                  |
//! | `weights.safetensors` | the weights after the last step                                      |
//! | `result.json`         | a [`RunResult`]                                                      |
//! | `profile.json`        | how long each kernel took, after `train --profile`                    |
//! | `report.html`         | what `report` makes of all of it                                     |
//! | `checkpoints/`        | see [`super::checkpoint`]                                            |
//!
//! JSON has no NaN and no infinity: `null` stands for both.

mod crossval;
mod files;
mod ours;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint;
pub use super::line_file::{LineFile, RunLogs};
pub use super::result::{RunResult, Versions, read_result};
use super::whole::refuse_link;
pub(crate) use super::whole::write_own;
pub use crate::error::RunError;
pub(super) use files::FORMAT;
pub use files::{
    CROSSVAL_FILE, FOLD, FOLD_FILE, HISTORY_CSV_FILE, HISTORY_FILE, MODEL_FILE, PROFILE_FILE, REPORT_FILE,
    RESULT_FILE, STEPS_FILE, WEIGHTS_FILE, weights_metadata,
};
use files::{PROBE, remove, remove_files};
#[cfg(feature = "report")]
pub(crate) use ours::GENERATOR;
pub(super) use ours::is_leftover;
#[cfg(feature = "cli")]
pub(crate) use ours::{is_input, is_report};

/// A folder that belongs to one run.
///
/// Until [`begin`](Self::begin) nothing in it is touched. If it is dropped before, it removes the folders that it
/// created.
#[derive(Debug)]
pub struct RunFolder {
    dir: PathBuf,
    /// Folders that did not exist before, the innermost first.
    made: Vec<PathBuf>,
    begun: bool,
    /// Whether this run may replace an earlier one.
    replaces: bool,
    /// Keeps other processes from training into the folder.
    lock: Option<File>,
}

impl RunFolder {
    /// Claims `<parent>/<model>-<n>` for the smallest free `n` from 1; two runs at the same time get different
    /// folders.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn next(parent: &Path, model: &str) -> Result<Self, RunError> {
        let mut folder = RunFolder::new(parent);
        folder.make_all()?;
        for n in 1u64.. {
            let dir = parent.join(format!("{model}-{n}"));
            match fs::create_dir(&dir) {
                Ok(()) => {
                    folder.dir = dir.clone();
                    match folder.lock() {
                        // Another process claimed it the moment it was created.
                        Err(RunError::Busy { .. }) => continue,
                        locked => locked?,
                    }
                    folder.made.insert(0, dir);
                    break;
                }
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(RunError::write(&dir, cause)),
            }
        }
        folder.probed()
    }

    /// Claims this folder; creates it if it is missing. With `force` it may hold an earlier run:
    /// [`begin`](Self::begin) then removes that run's files, each by its name, and everything else stays.
    ///
    /// # Errors
    /// When it is not a folder, or cannot be created or written to; when it is not empty, or, with `force`, when what
    /// it holds is not a run, or a symbolic link has the name of a run's file.
    pub fn at(dir: &Path, force: bool) -> Result<Self, RunError> {
        RunFolder::claim(dir, force, ours::check)
    }

    /// Claims a folder; with `force` it need not be empty if the check passes.
    fn claim(
        dir: &Path,
        force: bool,
        check: impl Fn(&Path) -> Result<(), RunError>,
    ) -> Result<Self, RunError> {
        let mut folder = RunFolder::new(dir);
        folder.replaces = force;
        folder.make_all()?;
        folder.lock()?;
        let mut entries = fs::read_dir(dir).map_err(|cause| RunError::write(dir, cause))?;
        if entries.next().is_some() {
            // First, so that `force` is not advised where it would be refused.
            check(dir)?;
            if !force {
                return Err(RunError::Occupied { dir: dir.display().to_string() });
            }
        }
        folder.probed()
    }

    /// Takes the folder of a run that is resumed.
    ///
    /// # Errors
    /// When it is not a folder, another process has it, or its folder of checkpoints is a symbolic link.
    pub fn resume(dir: &Path) -> Result<Self, RunError> {
        if !dir.is_dir() {
            return Err(RunError::NoRun { dir: dir.display().to_string() });
        }
        let mut folder = RunFolder::new(dir);
        folder.begun = true;
        folder.lock()?;
        // Checkpoints would be written, and old ones removed, where the link leads.
        let checkpoints = dir.join(checkpoint::CHECKPOINTS);
        refuse_link(&checkpoints).map_err(|cause| RunError::write(&checkpoints, cause))?;
        Ok(folder)
    }

    fn new(dir: &Path) -> Self {
        RunFolder { dir: dir.to_owned(), made: Vec::new(), begun: false, replaces: false, lock: None }
    }

    /// Claims the folder until this is dropped or the process ends, however it ends. On Unix a folder can be locked
    /// like a file; on other systems, and where the file system has no locks, other processes are not kept out.
    fn lock(&mut self) -> Result<(), RunError> {
        if cfg!(unix) {
            let folder = File::open(&self.dir).map_err(|cause| RunError::write(&self.dir, cause))?;
            if matches!(folder.try_lock(), Err(TryLockError::WouldBlock)) {
                // The process that holds the folder needs it, whichever of the two created it.
                self.made.clear();
                return Err(RunError::Busy { dir: self.dir.display().to_string() });
            }
            self.lock = Some(folder);
        }
        Ok(())
    }

    /// Its path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Removes what an earlier run left, opens the logs and writes the model file.
    ///
    /// A process that is killed at any moment of this leaves a folder that another run may replace: the files that
    /// identify a run are removed last, and the logs are created before the model file.
    ///
    /// # Errors
    /// When a file cannot be removed or written, or is not what a run writes.
    pub fn begin(&mut self, model_toml: &str) -> Result<RunLogs, RunError> {
        if self.replaces {
            // Time has passed since it was claimed.
            ours::check(&self.dir)?;
            self.remove(&[WEIGHTS_FILE, HISTORY_CSV_FILE, PROFILE_FILE])?;
            ours::remove_report(&self.dir)?;
            checkpoint::clear(&self.dir)?;
            self.remove(&[RESULT_FILE])?;
        }
        self.begun = true;
        self.remove_leftovers()?;
        let open = |file| LineFile::create(self.dir.join(file));
        let logs = RunLogs { steps: open(STEPS_FILE)?, history: open(HISTORY_FILE)? };
        self.write(MODEL_FILE, model_toml.as_bytes())?;
        Ok(logs)
    }

    /// Cuts the logs of a resumed run back to this many steps and epochs, and opens them at their end.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn go_on(&mut self, model_toml: &str, [steps, epochs]: [usize; 2]) -> Result<RunLogs, RunError> {
        self.remove_leftovers()?;
        self.write(MODEL_FILE, model_toml.as_bytes())?;
        let open = |file, lines| LineFile::cut(self.dir.join(file), lines);
        Ok(RunLogs { steps: open(STEPS_FILE, steps)?, history: open(HISTORY_FILE, epochs)? })
    }

    /// Removes what describes the run before it was resumed: the times of kernels and the page.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove_outdated(&self) -> Result<(), RunError> {
        self.remove(&[PROFILE_FILE])?;
        ours::remove_report(&self.dir)
    }

    fn remove(&self, files: &[&str]) -> Result<(), RunError> {
        files.iter().try_for_each(|file| remove(&self.dir.join(file)))
    }

    /// Removes files that a killed process had not yet renamed.
    fn remove_leftovers(&self) -> Result<(), RunError> {
        remove_files(&self.dir, ours::is_leftover)
    }

    /// Writes a complete file: under another name first, so that no reader ever sees half of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.dir.join(file);
        write_own(&path, bytes).map_err(|cause| RunError::write(&path, cause))
    }

    fn make_all(&mut self) -> Result<(), RunError> {
        let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && fs::symlink_metadata(dir).is_err();
        self.made = self.dir.ancestors().take_while(is_missing).map(Path::to_owned).collect();
        fs::create_dir_all(&self.dir).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                RunError::NotAFolder { dir: self.dir.display().to_string() }
            }
            _ => RunError::write(&self.dir, cause),
        })
    }

    /// Checks, before any training, whether files can be created here, and for a resumed run, whether its own can be
    /// replaced.
    ///
    /// # Errors
    /// When they cannot.
    pub fn probed(self) -> Result<Self, RunError> {
        if self.begun {
            ours::check_files(&self.dir)?;
        }
        let path = self.dir.join(format!("{PROBE}{}", std::process::id()));
        let probed = write_own(&path, b"shadegrad").and_then(|()| fs::remove_file(&path));
        probed.map_err(|cause| RunError::write(&self.dir, cause))?;
        Ok(self)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.begun {
            for dir in &self.made {
                // Only an empty folder is removed; anything in it belongs to someone else.
                let _ = fs::remove_dir(dir);
            }
        }
    }
}

/// Checks the folder of a run that is to be read.
///
/// # Errors
/// When it or one of the files that it needs is missing.
pub fn check_run(dir: &Path) -> Result<(), RunError> {
    let name = || dir.display().to_string();
    if !dir.is_dir() {
        return Err(RunError::NoRun { dir: name() });
    }
    let missing: Vec<_> =
        [MODEL_FILE, WEIGHTS_FILE].into_iter().filter(|file| !dir.join(file).exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let checkpoint = checkpoint::last_checkpoint(dir);
    let settings = checkpoint.as_deref().and_then(|path| checkpoint::read_settings(path).ok()?);
    let resumable = settings.is_none_or(|settings| settings.is_of_the_program());
    let checkpoint = checkpoint.map(|path| path.display().to_string());
    Err(RunError::Incomplete { dir: name(), missing, checkpoint, resumable })
}
