//! Softmax, loss and metrics.

use super::{F32, Kernel, SCALAR, U32, shader};
use crate::plan::{METRICS_LANES, Op};

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "softmax",
        source: shader!("activations/softmax.wgsl"),
        elements: &[F32, F32],
        invocations: rows,
        ..SCALAR
    },
    Kernel {
        kind: "softmax_backward",
        source: shader!("activations/softmax_backward.wgsl"),
        elements: &[F32, F32],
        invocations: rows,
        ..SCALAR
    },
    Kernel {
        kind: "mean_squared_error",
        source: shader!("loss/mean_squared_error.wgsl"),
        elements: &[F32, F32, F32, U32, F32],
        reads_step: true,
        invocations: rows,
        ..SCALAR
    },
    Kernel {
        kind: "cross_entropy",
        source: shader!("loss/cross_entropy.wgsl"),
        elements: &[F32, F32, F32, U32, F32],
        reads_step: true,
        invocations: rows,
        ..SCALAR
    },
    Kernel {
        kind: "softmax_cross_entropy",
        source: shader!("loss/softmax_cross_entropy.wgsl"),
        elements: &[F32, F32, F32, U32, F32],
        reads_step: true,
        invocations: rows,
        ..SCALAR
    },
    Kernel {
        kind: "softmax_cross_entropy_metrics",
        source: shader!("loss/softmax_cross_entropy_metrics.wgsl"),
        elements: &[F32, F32, F32, F32, U32],
        workgroup: METRICS_LANES as u32,
        reads_step: true,
        invocations: |_, _| METRICS_LANES,
        ..SCALAR
    },
    Kernel {
        kind: "batch_metrics",
        source: shader!("loss/batch_metrics.wgsl"),
        elements: &[F32, U32, F32, U32],
        workgroup: METRICS_LANES as u32,
        reads_step: true,
        invocations: |_, _| METRICS_LANES,
        ..SCALAR
    },
];

fn rows(op: &Op, _: usize) -> usize {
    match *op {
        Op::Softmax { rows, .. }
        | Op::SoftmaxBackward { rows, .. }
        | Op::SoftmaxCrossEntropy { rows, .. }
        | Op::MeanSquaredError { rows, .. }
        | Op::CrossEntropy { rows, .. } => rows,
        _ => 0,
    }
}
