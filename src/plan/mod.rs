//! The plan: a training step as data.
//!
//! [`Plan::build`] lowers a network once to a flat list of [`Step`]s over [`Buffer`]s. Two executors run it, one with
//! compute shaders ([`crate::gpu`]) and one with plain loops ([`crate::cpu`]); neither decides anything that the plan
//! does not say.

mod augment;
mod explain;
mod fuse;
mod lower;

pub use crate::layers::kit::{Buffer, Phase, PlanError, Role, Stage, Step, Tensor};
pub use crate::ops::{
    Access, ArgSpec, AugmentShape, BatchParams, ConvPoolShape, ConvShape, DATA, DropoutShape, Dtype, Hole,
    MAX_ITERATIONS, METRICS_LANES, MatmulShape, Op, PROBABILITIES, PoolShape, Split, image_stride,
};
pub use fuse::Fusion;
pub use lower::{Attribution, Goal, MAX_BATCH};

use crate::data::DataForm;
use crate::model::Network;

/// A training step as data. See the [module](self).
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Most samples in one batch.
    pub batch: usize,
    /// Memory.
    pub buffers: Vec<Buffer>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// Where each weight tensor lies in the parameter arena, in the order of [`Network::weights`].
    pub parameters: Vec<Tensor>,
    /// Where each gradient lies in the gradient arena, in the order of [`Network::trainable_weights`].
    pub gradients: Vec<Tensor>,
    /// What is added up over the micro-batches of a batch, between backward and update: the gradients, then what layers say of the
    /// batch, such as the sums that moving statistics follow.
    pub summands: Vec<Tensor>,
    /// Whether there are several micro-batches to a batch: then every gradient is stored.
    pub in_parts: bool,
    /// The whole optimizer state, `[slots, len]`; `None` for an optimizer without any.
    pub state: Option<Tensor>,
    /// The moving average of the weights, laid out as the parameter arena: the last slot of the state. `None` where there is none.
    pub average: Option<Tensor>,
    /// Input of the first layer, `[batch, h, w, c]` or `[batch, features]`.
    pub input: Tensor,
    /// Targets, `[batch, outputs]`: of classes one-hot, with a column for each class, or for class 1 where the last layer is a single
    /// sigmoid unit.
    pub target: Tensor,
    /// Output of the last layer before what the loss is fused with: softmax or sigmoid; `[batch, outputs]`.
    pub logits: Tensor,
    /// Outputs of the last layer, `[batch, outputs]`; written in [`Phase::Predict`].
    pub probabilities: Tensor,
    /// The network it was made from.
    pub network: Network,
    /// How the data sets are held that it reads.
    pub form: DataForm,
}

impl Plan {
    /// The same for batches of several micro-batches of at most `batch` samples each.
    pub fn of_micro_batches(self) -> Plan {
        Plan { in_parts: true, ..self }
    }

    /// The steps that run in a phase, in order, with their places in [`Plan::steps`].
    pub fn steps_of(&self, phase: Phase) -> impl Iterator<Item = (usize, &Step)> {
        self.steps.iter().enumerate().filter(move |(_, step)| phase.includes(step.stage))
    }

    /// Bytes of all buffers whose size the plan decides.
    pub fn bytes(&self) -> u64 {
        self.buffers.iter().map(Buffer::bytes).sum()
    }

    /// The place of the one buffer with this role, for roles that only one buffer has.
    pub fn buffer_with(&self, role: Role) -> Option<usize> {
        self.buffers.iter().position(|buffer| buffer.role == role)
    }
}
