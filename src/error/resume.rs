//! Why training cannot go on from its checkpoints.

use std::io;
use std::path::PathBuf;

use crate::message::debug_is_message;

/// Why a checkpoint is not used.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("checkpoint `{}` is not used: {problem}", path.display())]
pub struct DamagedCheckpoint {
    /// Its folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

debug_is_message!(DamagedCheckpoint);

/// Why a run cannot be resumed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// There are no checkpoints.
    #[error(
        "`{dir}` has no checkpoint to resume from; training writes them into the folder `checkpoints` of its run"
    )]
    None {
        /// The folder of the run.
        dir: String,
    },
    /// There is no intact one.
    #[error(
        "`{dir}` has no intact checkpoint to resume from; to begin anew, choose another folder:\n{}",
        list(damaged)
    )]
    Damaged {
        /// The folder of the run.
        dir: String,
        /// Every checkpoint.
        damaged: Vec<DamagedCheckpoint>,
    },
    /// The folder of checkpoints cannot be read.
    #[error(
        "`{dir}` cannot be read, so that nobody knows whether there is a checkpoint to resume from: {cause}; make it readable, or \
         choose another folder"
    )]
    Unreadable {
        /// The folder.
        dir: String,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The last one is of another model, or of training with other options.
    #[error(
        "`{dir}` holds checkpoints of another training: {differs}; give what it was begun with, or choose another folder"
    )]
    OtherModel {
        /// The folder.
        dir: String,
        /// The first difference.
        differs: String,
    },
}

debug_is_message!(ResumeError);

fn list(damaged: &[DamagedCheckpoint]) -> String {
    damaged.iter().map(|one| format!("  {one}")).collect::<Vec<_>>().join("\n")
}
