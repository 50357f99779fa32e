//! What plans are made of: buffers, tensors, and steps over them.

use crate::data::DataPart;
use crate::message::debug_is_message;
use crate::ops::{Dtype, Op};

/// Why a network cannot be lowered.
#[derive(thiserror::Error, PartialEq)]
pub enum PlanError {
    /// The batch size is 0 or larger than the engine's limit.
    #[error("batch size {asked} must be between 1 and {limit}")]
    BatchSize {
        /// What was asked for.
        asked: usize,
        /// The limit.
        limit: usize,
    },
    /// A tensor has more elements than 32-bit indices reach.
    #[error(
        "step `{step}`: tensor `{tensor}` of shape {shape:?} has over {limit} elements in a batch of {samples} samples; \
         use a smaller batch size or a smaller layer"
    )]
    TensorTooLarge {
        /// The step.
        step: String,
        /// The argument.
        tensor: &'static str,
        /// Its dimensions.
        shape: Vec<usize>,
        /// The limit.
        limit: usize,
        /// Samples of a batch.
        samples: usize,
    },
    /// A sum is longer than a kernel may loop.
    #[error(
        "step `{step}`: one output takes {iterations} iterations, over the limit of {limit}; \
         use fewer channels or a smaller window in this layer, pool before it, or use fewer classes"
    )]
    LoopTooLong {
        /// The step.
        step: String,
        /// What it takes.
        iterations: usize,
        /// The limit.
        limit: usize,
    },
}

debug_is_message!(PlanError);

/// What a buffer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// All weights, one after another.
    Parameters,
    /// All gradients of weights, laid out as the weights.
    Gradients,
    /// All optimizer state, slot after slot, each laid out as the weights.
    OptimizerState,
    /// A layer's output, kept for the backward pass.
    Activation,
    /// The gradient of the loss with respect to a layer's output.
    ActivationGradient,
    /// Sums over a batch and what follows from them, kept for the backward pass: the same for all of its samples.
    Statistics,
    /// Parts of sums, used at once by the next step.
    Scratch,
    /// A constant table.
    Table,
    /// Zeros that nothing writes.
    Zeros,
    /// A part of the data set.
    Data(DataPart),
    /// The order in which samples are taken, as long as the longest pass.
    Order,
    /// The transforms of augmented images, in the order in which they are taken, as long as the longest pass.
    Transforms,
    /// Loss or number of hits of each batch of a pass.
    Metrics,
    /// The row of a pass, counted from 1, in which a loss or a gradient was not finite; 0 as long as all were.
    Tripwire,
}

/// Memory that a plan needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Buffer {
    /// Unique in the plan.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// What its elements are.
    pub dtype: Dtype,
    /// Number of elements; [`DATA`](crate::ops::DATA) when the data set decides.
    pub len: usize,
}

/// A range of a buffer, with a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Index into [`Plan::buffers`](crate::plan::Plan::buffers).
    pub buffer: usize,
    /// First element; a multiple of 4.
    pub offset: usize,
    /// Dimensions; [`DATA`](crate::ops::DATA) for one that the data set decides.
    pub shape: Vec<usize>,
}

impl Tensor {
    /// Number of elements; 0 when the data set decides.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the data set decides the number of elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether these are the same elements, in whatever dimensions.
    pub(crate) fn is_same_as(&self, other: &Tensor) -> bool {
        (self.buffer, self.offset, self.len()) == (other.buffer, other.offset, other.len())
    }
}

/// When a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Images of the batch: always.
    Input,
    /// Targets of the batch: in training and evaluation.
    Target,
    /// The layers: always.
    Forward,
    /// Probabilities: in prediction.
    Output,
    /// Loss, hits and the gradient of the logits: in training and evaluation.
    Loss,
    /// Penalties, added to the loss of the whole batch: in training and evaluation.
    Penalty,
    /// Gradients: in training.
    Backward,
    /// Gradients of penalties, added to those of the whole batch: in training.
    PenaltyGradient,
    /// New weights: in training.
    Update,
    /// A layer that training runs within a later step: in evaluation and prediction.
    Inference,
    /// Loss and hits that training computes within another step: in evaluation.
    Judgement,
}

/// What a pass over samples is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Forward, loss, backward, update.
    Train,
    /// Forward, loss and backward of a micro-batch, whose loss and gradients are a part of those of the batch.
    Gradients,
    /// The same of the first micro-batch, whose loss takes the penalties of the batch.
    FirstGradients,
    /// What follows once the gradients of all micro-batches are added up: gradients of penalties, and update.
    Update,
    /// Forward and loss.
    Evaluate,
    /// Forward and probabilities.
    Predict,
}

impl Phase {
    /// That of a micro-batch.
    pub(crate) fn of_gradients(is_first: bool) -> Self {
        if is_first { Phase::FirstGradients } else { Phase::Gradients }
    }

    /// Whether steps of a stage run in this phase.
    pub fn includes(self, stage: Stage) -> bool {
        match stage {
            Stage::Input | Stage::Forward => self != Phase::Update,
            Stage::Target | Stage::Loss => !matches!(self, Phase::Predict | Phase::Update),
            Stage::Output => self == Phase::Predict,
            Stage::Penalty => matches!(self, Phase::Train | Phase::Evaluate | Phase::FirstGradients),
            Stage::Backward => matches!(self, Phase::Train | Phase::Gradients | Phase::FirstGradients),
            Stage::PenaltyGradient | Stage::Update => matches!(self, Phase::Train | Phase::Update),
            Stage::Inference => matches!(self, Phase::Evaluate | Phase::Predict),
            Stage::Judgement => self == Phase::Evaluate,
        }
    }
}

/// One step: a kind applied to tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `<layer>/<what>`, for messages and timings.
    pub name: String,
    /// When it runs.
    pub stage: Stage,
    /// What it computes.
    pub op: Op,
    /// Its arguments, in the order of [`Op::args`].
    pub args: Vec<Tensor>,
}

impl Step {
    /// Where each argument begins in its buffer, in elements.
    pub fn bases(&self) -> Vec<usize> {
        self.args.iter().map(|tensor| tensor.offset).collect()
    }
}

impl Buffer {
    /// Its size; 0 when the data set decides.
    pub fn bytes(&self) -> u64 {
        self.len as u64 * self.dtype.bytes()
    }
}
