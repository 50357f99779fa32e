//! The error of a run that can go on, and of one that ends because another process does.

use std::path::Path;

use anyhow::anyhow;

use super::messages::message;
use super::recorder::Diverged;
use super::train_args::TrainArgs;
use crate::error::{CollectiveError, Error};
use crate::io::checkpoint::run_of;

/// Adds to an error how to resume the run from its last checkpoint. An error of a run that has diverged says so
/// itself.
pub fn unfinished(error: anyhow::Error, last_checkpoint: Option<&Path>, args: &TrainArgs) -> anyhow::Error {
    let (Some(checkpoint), Some(run)) = (last_checkpoint, last_checkpoint.and_then(run_of)) else {
        if matches!(error.downcast_ref(), Some(Error::DeviceInTraining { .. })) {
            return anyhow!("{}; there is no checkpoint: start again", message(&error));
        }
        return error;
    };
    if error.is::<Diverged>() {
        return error;
    }
    let (go_on, checkpoint) = (args.go_on(run), checkpoint.display());
    let kept = format!("`{checkpoint}` is kept: once this is fixed, resume with: {go_on}");
    Unfinished { said: message(&error), is_of_another: is_of_another(&error), kept }.into()
}

/// An error from before a run was resumed. The user has the command, which may be what is wrong.
pub fn not_begun(error: anyhow::Error, checkpoint: Option<&Path>) -> anyhow::Error {
    match checkpoint {
        Some(_) if is_of_another(&error) => error,
        Some(checkpoint) => anyhow!("{}\n`{}` is kept", message(&error), checkpoint.display()),
        None => error,
    }
}

/// Why a run has ended that can go on.
#[derive(Debug, thiserror::Error)]
#[error("{said}; {kept}")]
pub struct Unfinished {
    pub said: String,
    /// Whether it is only that another process has an error.
    pub is_of_another: bool,
    /// What is there to go on from.
    pub kept: String,
}

/// Whether an error says only that another process has one.
pub fn is_of_another(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let collective = match cause.downcast_ref::<Error>() {
            Some(Error::Collective(error)) => Some(error),
            _ => cause.downcast_ref::<CollectiveError>(),
        };
        matches!(collective, Some(CollectiveError::Failed { .. }))
    })
}

/// What can be gone on from, maybe nothing, where an error says only that another process has one; `None` for errors of this one.
#[cfg(feature = "mpi")]
pub fn kept_of_another(error: &anyhow::Error) -> Option<String> {
    match error.downcast_ref::<Unfinished>() {
        Some(unfinished) => unfinished.is_of_another.then(|| unfinished.kept.clone()),
        None => is_of_another(error).then(String::new),
    }
}
