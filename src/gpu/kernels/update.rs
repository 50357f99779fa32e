//! Penalties of weights, clipping of gradients, and weight updates.

use super::{AtomicU32, F32, Kernel, SCALAR, VEC4, Vec4F32, outputs, outputs_by_4, quarter_outputs, shader};
use crate::plan::Op;

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "weight_penalty",
        source: shader!("regularization/weight_penalty.wgsl"),
        elements: &[Vec4F32, F32],
        fits: summed_by_4,
        invocations: outputs,
        ..VEC4
    },
    Kernel {
        kind: "weight_penalty",
        source: shader!("regularization/weight_penalty.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "add_penalty",
        source: shader!("regularization/add_penalty.wgsl"),
        elements: &[F32, F32],
        reads_step: true,
        invocations: |_| 1,
        ..SCALAR
    },
    Kernel {
        kind: "weight_penalty_gradient",
        source: shader!("regularization/weight_penalty_gradient.wgsl"),
        elements: &[Vec4F32, Vec4F32],
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "weight_penalty_gradient",
        source: shader!("regularization/weight_penalty_gradient.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "clip_by_value",
        source: shader!("update/clip_by_value.wgsl"),
        elements: &[Vec4F32],
        reads_step: true,
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "clip_by_value",
        source: shader!("update/clip_by_value.wgsl"),
        elements: &[F32],
        reads_step: true,
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "sum_of_squares",
        source: shader!("update/sum_of_squares.wgsl"),
        elements: &[Vec4F32, F32],
        fits: summed_by_4,
        invocations: outputs,
        ..VEC4
    },
    Kernel {
        kind: "sum_of_squares",
        source: shader!("update/sum_of_squares.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "clip_by_norm",
        source: shader!("update/clip_by_norm.wgsl"),
        elements: &[F32, Vec4F32],
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "clip_by_norm",
        source: shader!("update/clip_by_norm.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "sgd_update",
        source: shader!("update/sgd_update.wgsl"),
        elements: &[Vec4F32, F32, AtomicU32, Vec4F32],
        reads_step: true,
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "sgd_update",
        source: shader!("update/sgd_update.wgsl"),
        elements: &[F32, F32, AtomicU32, F32],
        reads_step: true,
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "sgd_momentum_update",
        source: shader!("update/sgd_momentum_update.wgsl"),
        elements: &[Vec4F32, F32, AtomicU32, Vec4F32, Vec4F32],
        reads_step: true,
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "sgd_momentum_update",
        source: shader!("update/sgd_momentum_update.wgsl"),
        elements: &[F32, F32, AtomicU32, F32, F32],
        reads_step: true,
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "adadelta_update",
        source: shader!("update/adadelta_update.wgsl"),
        elements: &[Vec4F32, F32, AtomicU32, Vec4F32, Vec4F32],
        reads_step: true,
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "adadelta_update",
        source: shader!("update/adadelta_update.wgsl"),
        elements: &[F32, F32, AtomicU32, F32, F32],
        reads_step: true,
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "adam_update",
        source: shader!("update/adam_update.wgsl"),
        elements: &[Vec4F32, F32, AtomicU32, Vec4F32, Vec4F32],
        reads_step: true,
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "adam_update",
        source: shader!("update/adam_update.wgsl"),
        elements: &[F32, F32, AtomicU32, F32, F32],
        reads_step: true,
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "rmsprop_update",
        source: shader!("update/rmsprop_update.wgsl"),
        elements: &[Vec4F32, F32, AtomicU32, Vec4F32, Vec4F32],
        reads_step: true,
        fits: update_by_4,
        invocations: |op| updated(op) / 4,
        ..VEC4
    },
    Kernel {
        kind: "rmsprop_update",
        source: shader!("update/rmsprop_update.wgsl"),
        elements: &[F32, F32, AtomicU32, F32, F32],
        reads_step: true,
        invocations: updated,
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
