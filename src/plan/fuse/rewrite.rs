//! What rewrites are, and what they ask of a plan.

use std::ops::Range;

use crate::layers::kit::PARTIALS;
use crate::ops::{ActivationBackward, ActivationForward, Function, Op, SumPartials};
use crate::plan::{Buffer, Plan, Role, Stage, Step, Tensor};

/// Steps that go and steps that come, in front of what is now step `at`.
pub(super) struct Rewrite {
    pub(super) gone: Vec<usize>,
    pub(super) at: usize,
    pub(super) steps: Vec<Step>,
}

impl Rewrite {
    /// Puts one step in the place of several.
    pub(super) fn one(gone: Vec<usize>, step: Step) -> Option<Self> {
        Some(Rewrite { at: gone[0], gone, steps: vec![step] })
    }
}

/// The layer of a step, from its name.
pub(super) fn layer(step: &Step) -> &str {
    step.name.split('/').next().unwrap_or(&step.name)
}

/// Kernel and bias gradient as one tensor, where the bias follows at once.
pub(super) fn joined(kernel: &Tensor, bias: &Tensor) -> Option<Tensor> {
    let follows = kernel.buffer == bias.buffer && kernel.offset + kernel.len() == bias.offset;
    let columns = bias.len();
    follows.then(|| Tensor { shape: vec![kernel.len() / columns + 1, columns], ..kernel.clone() })
}

/// Whether a step is ReLU in place.
pub(super) fn is_relu(op: &Op) -> bool {
    matches!(op, Op::ActivationForward(ActivationForward { function: Function::Relu(_), .. }))
}

/// Whether a step is the gradient of ReLU in place.
pub(super) fn is_relu_backward(op: &Op) -> bool {
    matches!(op, Op::ActivationBackward(ActivationBackward { function: Function::Relu(_), .. }))
}

/// Whether it holds the parts of sums; a layer, too, may have its name.
fn is_partials(buffer: &Buffer) -> bool {
    buffer.role == Role::Scratch && buffer.name == PARTIALS
}

impl Plan {
    /// Whether it holds the parts of a sum.
    pub(super) fn is_scratch(&self, tensor: &Tensor) -> bool {
        is_partials(&self.buffers[tensor.buffer])
    }

    /// The steps that have a tensor of this buffer among their arguments.
    pub(super) fn users(&self, tensor: &Tensor) -> Vec<usize> {
        let uses = |step: &Step| step.args.iter().any(|arg| arg.buffer == tensor.buffer);
        (0..self.steps.len()).filter(|&index| uses(&self.steps[index])).collect()
    }

    /// The steps that have some element of this tensor among their arguments.
    pub(super) fn readers_and_writers(&self, tensor: &Tensor) -> impl Iterator<Item = usize> {
        let shared = |arg: &Tensor| {
            arg.buffer == tensor.buffer
                && arg.offset < tensor.offset + tensor.len()
                && tensor.offset < arg.offset + arg.len()
        };
        let uses = move |step: &Step| step.args.iter().any(shared);
        (0..self.steps.len()).filter(move |&index| uses(&self.steps[index]))
    }

    /// The whole sum whose parts this step computes: where it ends up, and the steps that it takes.
    pub(super) fn whole_sum(&self, at: usize) -> Option<(Tensor, Range<usize>)> {
        let output = self.steps.get(at)?.args.last()?;
        if !self.is_scratch(output) {
            return Some((output.clone(), at..at + 1));
        }
        let sum = self.steps.get(at + 1)?;
        matches!(sum.op, Op::SumPartials(_)).then(|| (sum.args[1].clone(), at..at + 2))
    }

    /// Steps that write a sum which `op` computes in parts, as its last argument.
    pub(super) fn steps_in_parts(
        &self,
        stage: Stage,
        name: String,
        op: Op,
        mut args: Vec<Tensor>,
        sum: Tensor,
    ) -> Vec<Step> {
        let parts = op.split().map_or(1, |split| split.parts);
        if parts == 1 {
            args.push(sum);
            return vec![Step { name, stage, op, args }];
        }
        let len = sum.len();
        let scratch = self.scratch(vec![parts, len]);
        args.push(scratch.clone());
        let total = Step {
            name: format!("{name}.sum"),
            stage,
            op: Op::SumPartials(SumPartials { parts, len }),
            args: vec![scratch, sum],
        };
        vec![Step { name, stage, op, args }, total]
    }

    /// Room of these dimensions for the parts of a sum.
    pub(super) fn scratch(&self, shape: Vec<usize>) -> Tensor {
        let buffer = self.buffers.iter().position(is_partials);
        Tensor { buffer: buffer.unwrap_or(0), offset: 0, shape }
    }
}
