//! Penalties of weights, clipping of gradients, and weight updates.

use super::{AtomicU32, F32, Kernel, Real, SCALAR, outputs, outputs_by_4, reals, shader};
use crate::plan::Op;

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "weight_penalty",
        source: shader!("regularization/weight_penalty.wgsl"),
        elements: &[Real, F32],
        by_four: Some(summed_by_4),
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "add_penalty",
        source: shader!("regularization/add_penalty.wgsl"),
        elements: &[F32, F32],
        reads_step: true,
        invocations: |_, _| 1,
        ..SCALAR
    },
    Kernel {
        kind: "weight_penalty_gradient",
        source: shader!("regularization/weight_penalty_gradient.wgsl"),
        elements: &[Real, Real],
        by_four: Some(outputs_by_4),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "clip_by_value",
        source: shader!("update/clip_by_value.wgsl"),
        elements: &[Real],
        reads_step: true,
        by_four: Some(outputs_by_4),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "sum_of_squares",
        source: shader!("update/sum_of_squares.wgsl"),
        elements: &[Real, F32],
        by_four: Some(summed_by_4),
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "clip_by_norm",
        source: shader!("update/clip_by_norm.wgsl"),
        elements: &[F32, Real],
        by_four: Some(outputs_by_4),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "sgd_update",
        source: shader!("update/sgd_update.wgsl"),
        elements: &[Real, F32, AtomicU32, Real],
        reads_step: true,
        by_four: Some(outputs_by_4),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "sgd_momentum_update",
        source: shader!("update/sgd_momentum_update.wgsl"),
        elements: &[Real, F32, AtomicU32, Real, Real],
        reads_step: true,
        by_four: Some(outputs_by_4),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "adadelta_update",
        source: shader!("update/adadelta_update.wgsl"),
        elements: &[Real, F32, AtomicU32, Real, Real],
        reads_step: true,
        by_four: Some(outputs_by_4),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "adam_update",
        source: shader!("update/adam_update.wgsl"),
        elements: &[Real, F32, AtomicU32, Real, Real],
        reads_step: true,
        by_four: Some(outputs_by_4),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "rmsprop_update",
        source: shader!("update/rmsprop_update.wgsl"),
        elements: &[Real, F32, AtomicU32, Real, Real],
        reads_step: true,
        by_four: Some(update_by_4),
        invocations: |op, width| updated(op) / width,
        ..SCALAR
    },
];

/// Whether what is summed comes in fours.
fn summed_by_4(op: &Op) -> bool {
    match op {
        Op::SumOfSquares { len } | Op::WeightPenalty { len, .. } => len.is_multiple_of(4),
        _ => false,
    }
}

/// Weights that the step updates.
fn updated(op: &Op) -> usize {
    match op {
        Op::RmspropUpdate { len, hole, .. } => len - hole.len,
        _ => 0,
    }
}

fn update_by_4(op: &Op) -> bool {
    match op {
        Op::RmspropUpdate { len, hole, .. } => [*len, hole.first, hole.len].iter().all(|size| size % 4 == 0),
        _ => false,
    }
}
