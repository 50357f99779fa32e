//! The folder that a run writes: claimed before anything is trained, filled while it trains, whole at the end.
//!
//! | file                  | content                                                              |
//! |-----------------------|----------------------------------------------------------------------|
//! | `model.toml`          | the model and its optimizer, as trained ([`crate::model::ModelFile`]) |
//! | `steps.jsonl`         | one [`StepRecord`](crate::train::StepRecord) per line                 |
//! | `history.jsonl`       | one [`EpochRecord`](crate::train::EpochRecord) per line               |
//! | `history.csv`         | the same as a table                                                  |
//! | `weights.safetensors` | the weights after the last step                                      |
//! | `result.json`         | a [`RunResult`]                                                      |
//! | `profile.json`        | how long each kernel took, after `train --profile`                    |
//! | `report.html`         | what `report` makes of all of it                                     |
//! | `checkpoints/`        | see [`super::checkpoint`]                                            |
//!
//! JSON has no NaN and no infinity: `null` stands for them.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::checkpoint::CHECKPOINTS;
pub use super::line_file::{LineFile, RunLogs};
pub use super::result::{RunResult, Versions, read_result};
pub use super::run_error::RunError;

/// The model file of a run.
pub const MODEL_FILE: &str = "model.toml";
/// The weights of a run.
pub const WEIGHTS_FILE: &str = "weights.safetensors";
/// The steps of a run.
pub const STEPS_FILE: &str = "steps.jsonl";
/// The epochs of a run.
pub const HISTORY_FILE: &str = "history.jsonl";
/// The epochs of a run as a table.
pub const HISTORY_CSV_FILE: &str = "history.csv";
/// The result of a run.
pub const RESULT_FILE: &str = "result.json";

/// The time of each kernel, where it was measured.
pub const PROFILE_FILE: &str = "profile.json";
/// The page that shows the run.
pub const REPORT_FILE: &str = "report.html";

/// What the folder of a fold of a cross-validation begins with; its number follows.
pub const FOLD: &str = "fold-";
/// What came out of it.
pub const FOLD_FILE: &str = "fold.json";
/// The result of a cross-validation.
pub const CROSSVAL_FILE: &str = "crossval.json";

const FILES: [&str; 8] = [
    MODEL_FILE,
    WEIGHTS_FILE,
    STEPS_FILE,
    HISTORY_FILE,
    HISTORY_CSV_FILE,
    RESULT_FILE,
    PROFILE_FILE,
    REPORT_FILE,
];

/// What the name of a file begins with that tries whether a folder can be written; the number of the process follows.
const PROBE: &str = ".probe-";
/// What the name of a file ends with that is not yet whole.
const TEMPORARY: &str = ".tmp";

/// Version of the layout of a run's files.
pub(super) const FORMAT: u32 = 1;

/// A folder that belongs to one run.
///
/// Until [`begin`](Self::begin) nothing in it is touched; dropped before that, it takes the folders that it made with
/// it.
#[derive(Debug)]
pub struct RunFolder {
    dir: PathBuf,
    /// Folders that did not exist before, the innermost first.
    made: Vec<PathBuf>,
    begun: bool,
    /// Keeps other processes from training into the folder.
    lock: Option<File>,
}

impl RunFolder {
    /// Claims `<parent>/<model>-<n>` for the smallest free `n` from 1; two runs at a time get different ones.
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
                        // Somebody was named it the moment it was there.
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

    /// Claims this folder, made when it is missing. With `force` it need not be empty: [`begin`](Self::begin) then
    /// removes the files of an earlier run, and everything else stays.
    ///
    /// # Errors
    /// When it is not a folder, not empty, or cannot be made or written to.
    pub fn at(dir: &Path, force: bool) -> Result<Self, RunError> {
        let mut folder = RunFolder::new(dir);
        folder.make_all()?;
        folder.lock()?;
        let mut entries = fs::read_dir(dir).map_err(|cause| RunError::write(dir, cause))?;
        if !force && entries.next().is_some() {
            return Err(RunError::Occupied { dir: dir.display().to_string() });
        }
        folder.probed()
    }

    /// Takes the folder of a run that goes on.
    ///
    /// # Errors
    /// When it is not a folder, or another process has it.
    pub fn resume(dir: &Path) -> Result<Self, RunError> {
        if !dir.is_dir() {
            return Err(RunError::NoRun { dir: dir.display().to_string() });
        }
        let mut folder = RunFolder::new(dir);
        folder.begun = true;
        folder.lock()?;
        Ok(folder)
    }

    fn new(dir: &Path) -> Self {
        RunFolder { dir: dir.to_owned(), made: Vec::new(), begun: false, lock: None }
    }

    /// Claims the folder until this is dropped or the process ends, however it does. On Unix a folder can be locked like a
    /// file; on other systems, and where the file system knows no locks, nobody is kept out.
    fn lock(&mut self) -> Result<(), RunError> {
        if cfg!(unix) {
            let folder = File::open(&self.dir).map_err(|cause| RunError::write(&self.dir, cause))?;
            if matches!(folder.try_lock(), Err(TryLockError::WouldBlock)) {
                return Err(RunError::Busy { dir: self.dir.display().to_string() });
            }
            self.lock = Some(folder);
        }
        Ok(())
    }

    /// Whether it holds a run already.
    pub fn has_run(&self) -> bool {
        self.dir.join(MODEL_FILE).exists()
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Removes what an earlier run left, writes the model file and opens the logs.
    ///
    /// # Errors
    /// When a file cannot be removed or written.
    pub fn begin(&mut self, model_toml: &str) -> Result<RunLogs, RunError> {
        self.remove(&FILES)?;
        let checkpoints = self.dir.join(CHECKPOINTS);
        match fs::remove_dir_all(&checkpoints) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(RunError::write(&checkpoints, cause));
            }
            _ => {}
        }
        self.begun = true;
        self.remove_leftovers()?;
        self.write(MODEL_FILE, model_toml.as_bytes())?;
        let open = |file| LineFile::create(self.dir.join(file));
        Ok(RunLogs { steps: open(STEPS_FILE)?, history: open(HISTORY_FILE)? })
    }

    /// Cuts the logs of a run that goes on back to so many steps and epochs, and opens them at their end.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn go_on(&mut self, model_toml: &str, [steps, epochs]: [usize; 2]) -> Result<RunLogs, RunError> {
        self.remove_leftovers()?;
        self.write(MODEL_FILE, model_toml.as_bytes())?;
        let open = |file, lines| LineFile::cut(self.dir.join(file), lines);
        Ok(RunLogs { steps: open(STEPS_FILE, steps)?, history: open(HISTORY_FILE, epochs)? })
    }

    /// Removes what tells of a run as it was before it went on: times of kernels and the page.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove_outdated(&self) -> Result<(), RunError> {
        self.remove(&[PROFILE_FILE, REPORT_FILE])
    }

    fn remove(&self, files: &[&str]) -> Result<(), RunError> {
        files.iter().try_for_each(|file| remove(&self.dir.join(file)))
    }

    /// Removes what a process that was killed had not yet renamed.
    fn remove_leftovers(&self) -> Result<(), RunError> {
        remove_files(&self.dir, is_leftover)
    }

    /// Removes the results of an earlier cross-validation, and keeps the folder from now on.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn begin_crossval(&mut self) -> Result<(), RunError> {
        self.remove(&[CROSSVAL_FILE])?;
        for model in folders(&self.dir, is_model)? {
            for fold in folders(&model, is_fold)? {
                remove_files(&fold, |name| {
                    let whole = unfinished(name).unwrap_or(name);
                    [HISTORY_FILE, FOLD_FILE].contains(&whole)
                })?;
                // Folders go where nothing else is in them.
                let _ = fs::remove_dir(&fold).and_then(|()| fs::remove_dir(&model));
            }
        }
        self.begun = true;
        Ok(())
    }

    /// Writes a value per line into a whole file of a folder within, made when it is missing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_lines(&self, within: &str, file: &str, values: &[impl Serialize]) -> Result<(), RunError> {
        let dir = self.dir.join(within);
        fs::create_dir_all(&dir).map_err(|cause| RunError::write(&dir, cause))?;
        let path = dir.join(file);
        let lines = values.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
        let text = lines.map(|lines| lines.join("\n") + "\n").map_err(io::Error::from);
        let written = text.and_then(|text| write_whole(&path, text.as_bytes()));
        written.map_err(|cause| RunError::write(&path, cause))
    }

    /// Writes a whole file: under another name first, so that no reader ever sees half of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.dir.join(file);
        write_whole(&path, bytes).map_err(|cause| RunError::write(&path, cause))
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

    /// Finds out, before anything is trained, whether files can be made here.
    ///
    /// # Errors
    /// When they cannot.
    pub fn probed(self) -> Result<Self, RunError> {
        let path = self.dir.join(format!("{PROBE}{}", std::process::id()));
        let probed = write_whole(&path, b"shadegrad").and_then(|()| fs::remove_file(&path));
        probed.map_err(|cause| RunError::write(&self.dir, cause))?;
        Ok(self)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.begun {
            for dir in &self.made {
                // Only what is empty goes; what is not has become someone else's.
                let _ = fs::remove_dir(dir);
            }
        }
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), RunError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(RunError::write(path, cause)),
        _ => Ok(()),
    }
}

/// Removes the files of a folder that are called so.
fn remove_files(dir: &Path, is_called: impl Fn(&str) -> bool) -> Result<(), RunError> {
    let fail = |cause| RunError::write(dir, cause);
    for entry in fs::read_dir(dir).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        if is_called(&name.to_string_lossy()) {
            remove(&dir.join(name))?;
        }
    }
    Ok(())
}

/// Whether a folder is called as that of a model of a cross-validation is.
fn is_model(name: &str) -> bool {
    name.split_once('-').is_some_and(|(number, _)| number.parse::<usize>().is_ok())
}

/// Whether a folder is called as that of a fold is.
fn is_fold(name: &str) -> bool {
    name.strip_prefix(FOLD).is_some_and(|number| number.parse::<usize>().is_ok())
}

/// The folders in a folder that are called so.
fn folders(dir: &Path, is_called: fn(&str) -> bool) -> Result<Vec<PathBuf>, RunError> {
    let fail = |cause| RunError::write(dir, cause);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if is_called(&entry.file_name().to_string_lossy()) && entry.file_type().map_err(fail)?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether a file of this name was made by [`write_whole`] for a file of a run, or to probe its folder.
pub(super) fn is_leftover(name: &str) -> bool {
    let whole = unfinished(name);
    name.starts_with(PROBE) || whole.is_some_and(|name| FILES.contains(&name) || name.starts_with(PROBE))
}

/// What a file will be called that [`write_whole`] has not finished.
fn unfinished(name: &str) -> Option<&str> {
    name.strip_suffix(TEMPORARY)?.rsplit_once('.')?.0.strip_prefix('.')
}

/// Writes a file under a temporary name beside it, brings it to the disk, and renames it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}{TEMPORARY}", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// What the weight file of a run says about itself: nothing that differs between equal runs.
pub fn weights_metadata(model: &str) -> BTreeMap<String, serde_json::Value> {
    [("format", FORMAT.into()), ("model", model.into()), ("shadegrad", env!("CARGO_PKG_VERSION").into())]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// The folder of a run that is to be read.
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
    if missing.is_empty() { Ok(()) } else { Err(RunError::Incomplete { dir: name(), missing }) }
}
