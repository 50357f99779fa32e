//! How a model is compiled.

use crate::data::Augmentation;
use crate::model::{Loss, Optimizer};

/// The batch size where none is given.
pub(super) const DEFAULT_BATCH: usize = 64;

/// How a model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Compile {
    /// What training minimises.
    pub loss: Loss,
    /// How gradients update the weights.
    pub optimizer: Optimizer,
    /// How training images are augmented in each epoch; default none.
    pub augmentation: Option<Augmentation>,
    /// The seed of initial weights and shuffling.
    pub seed: u64,
    /// Whether an adapter runs each step of the plan by itself instead of fusing some ([`Plan::fuse`]).
    pub no_fuse: bool,
    /// Whether data sets stay on the host and are streamed to the adapter even if they fit there; results are the
    /// same to the bit.
    pub stream: bool,
}
