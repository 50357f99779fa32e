//! What can be wrong with the folder of a run, and what to do about it.

use std::io;
use std::path::Path;

use crate::message::debug_is_message;

/// What is wrong with the folder of a run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The folder holds something already.
    #[error(
        "the folder `{dir}` is not empty; choose another one, continue the run in it with `resume`, or replace its \
         files with `force`"
    )]
    Occupied {
        /// The folder.
        dir: String,
    },
    /// The folder holds something, but no run that could be replaced.
    #[error(
        "the folder `{dir}` is not empty and holds no run that `force` could replace: it holds {found}; move these away, or \
         choose another one"
    )]
    Foreign {
        /// The folder.
        dir: String,
        /// Names in it.
        found: String,
    },
    /// Something has the name of a run's file, and no run wrote it.
    #[error(
        "`{path}` is {what}, and `force` replaces only what an earlier run wrote; move it away, or choose another folder"
    )]
    InTheWay {
        /// The file, link or folder.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// The folder is to hold checkpoints of a program of one's own, and holds something else.
    #[error("the folder `{dir}` holds {found}, and is no folder of checkpoints; choose another one")]
    NotABackup {
        /// The folder.
        dir: String,
        /// What it holds.
        found: String,
    },
    /// A checkpoint would take the place of later ones.
    #[error(
        "`{dir}` holds a checkpoint after step {there}, and one after step {steps} would take its place: go on from the last one, \
         or choose another folder"
    )]
    Earlier {
        /// The folder.
        dir: String,
        /// The steps of the last checkpoint that is there.
        there: usize,
        /// Those of the new one.
        steps: usize,
    },
    /// A folder cannot be read.
    #[error("`{path}` cannot be read: {cause}")]
    Read {
        /// The folder.
        path: String,
        /// What the operating system said.
        cause: io::Error,
    },
    /// There is something else where the folder should be.
    #[error("`{dir}` is not a folder; choose another place")]
    NotAFolder {
        /// The path that was given.
        dir: String,
    },
    /// Something cannot be written.
    #[error("`{path}` cannot be written: {cause}{remedy}")]
    Write {
        /// The file or folder.
        path: String,
        /// What the operating system said.
        cause: io::Error,
        /// What to do, where the cause does not say it.
        remedy: &'static str,
    },
    /// Another process trains into the folder.
    #[error(
        "`{dir}` is the folder of a run that another process is training; wait for it to end, or stop it"
    )]
    Busy {
        /// The folder.
        dir: String,
    },
    /// What should be the folder of a run is not even a folder.
    #[error("`{dir}` is not a folder; name the folder of a run, such as runs/tutorial-1")]
    NoRun {
        /// The folder.
        dir: String,
    },
    /// A file that every run has is missing.
    #[error(
        "`{dir}` is not the folder of a finished run: it has no {}{}",
        missing.join(" and no "),
        checkpoint.as_ref().map_or(String::new(), |path| format!(
            "; {}its last checkpoint in its place: `{path}`",
            match resumable {
                true => format!(
                    "it was interrupted, or is being trained: finish it with `shadegrad train --resume --out {dir}`, or give "
                ),
                false => "it holds the checkpoints of another program: give ".to_owned(),
            }
        ))
    )]
    Incomplete {
        /// The folder.
        dir: String,
        /// The files.
        missing: Vec<&'static str>,
        /// The last checkpoint of an unfinished run, if there is one.
        checkpoint: Option<String>,
        /// Whether `train --resume` goes on from it.
        resumable: bool,
    },
    /// A model cannot be saved where there are other files.
    #[error(
        "`{dir}` holds other files than a saved model ({found}); save it to a folder that is empty or not there yet"
    )]
    NotASavedModel {
        /// The folder.
        dir: String,
        /// The first such file or folder, and how many more there are.
        found: String,
    },
    /// The record of a checkpoint cannot be read.
    #[error("`{path}` is not the record of a checkpoint: {problem}; give another checkpoint of the run")]
    Settings {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The result of a run cannot be read.
    #[error(
        "`{path}` is not the result of a run: {problem}; if you remove it, the record of the last checkpoint is used"
    )]
    Result {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

debug_is_message!(RunError);

impl RunError {
    pub(crate) fn in_the_way(path: &Path, what: &'static str) -> Self {
        RunError::InTheWay { path: path.display().to_string(), what }
    }

    pub(crate) fn read(path: &Path, cause: io::Error) -> Self {
        RunError::Read { path: path.display().to_string(), cause }
    }

    pub(crate) fn write(path: &Path, cause: io::Error) -> Self {
        let remedy = match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                "; free some space, or choose a place on another disk"
            }
            // Errors of this crate already say what to do.
            io::ErrorKind::Other => "",
            _ => "; choose a place that you may write to",
        };
        RunError::Write { path: path.display().to_string(), cause, remedy }
    }
}
