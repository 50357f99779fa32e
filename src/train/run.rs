//! One call of `fit`.

use super::checkpoint::Checkpoints;
use super::options::FitOptions;
use super::records::{History, Schedule, StopReason, Stopped};
use super::requests::Requests;
use super::start::Start;
use crate::data::Dataset;
use crate::plan::BatchParams;

/// One call of `fit`.
pub(super) struct Run<'a> {
    pub(super) options: &'a FitOptions,
    pub(super) schedule: Schedule,
    pub(super) checkpoints: Checkpoints,
    /// Samples of the training set.
    pub(super) samples: usize,
    /// Samples that are computed at once.
    pub(super) capacity: usize,
    /// Samples of the validation set, if there is one.
    pub(super) validation: Option<usize>,
    /// A row for each batch of a full epoch; what changes from epoch to epoch is filled in at the start of each.
    pub(super) table: Vec<BatchParams>,
    pub(super) history: History,
    /// What callbacks asked for and was not done yet.
    pub(super) asked: Requests,
    /// The training set.
    pub(super) data: Dataset,
    /// A snapshot of the state before the next part of an epoch, for a rollback if it diverges.
    pub(super) start: Option<Start>,
}

/// Training that ended with this epoch, whose weights it has.
pub(super) fn ended(reason: StopReason, epoch: usize) -> Stopped {
    Stopped { reason, why: None, epoch, weights_of_epoch: epoch }
}

/// Training that a callback ended.
pub(super) fn asked_to(why: String, epoch: usize) -> Stopped {
    Stopped { why: Some(why), ..ended(StopReason::Callback, epoch) }
}
