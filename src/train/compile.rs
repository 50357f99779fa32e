//! How a model is compiled.

use crate::data::{Augmentation, DataForm};
use crate::model::{Loss, Network, Optimizer};
use crate::plan::{Plan, PlanError};

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

impl Compile {
    /// The plan of a network, as it is lowered, for batches of at most this many samples of bytes that count alike.
    ///
    /// # Errors
    /// A batch size out of range, a tensor too large or a sum too long for the kernels.
    pub fn plan(&self, network: &Network, batch: usize) -> Result<Plan, PlanError> {
        self.plan_for(network, batch, DataForm::default())
    }

    /// [`plan`](Self::plan) for data sets of another form.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_for(&self, network: &Network, batch: usize, form: DataForm) -> Result<Plan, PlanError> {
        let plan = Plan::build_for(network, self.loss, self.optimizer, batch, form)?;
        Ok(plan.augment(self.augmentation.as_ref()))
    }
}
