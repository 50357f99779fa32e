//! Biases and activations: what is done to each element by itself.

use super::{F32, Kernel, SCALAR, VEC4, Vec4F32, outputs, outputs_by_4, quarter_outputs, shader};
use crate::plan::Op;

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "bias_add",
        source: shader!("dense/bias_add.wgsl"),
        elements: &[Vec4F32, Vec4F32],
        fits: |op| matches!(op, Op::BiasAdd { columns, .. } if columns % 4 == 0),
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "bias_add",
        source: shader!("dense/bias_add.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "relu_forward",
        source: shader!("activations/relu_forward.wgsl"),
        elements: &[Vec4F32],
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "relu_forward",
        source: shader!("activations/relu_forward.wgsl"),
        elements: &[F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "relu_backward",
        source: shader!("activations/relu_backward.wgsl"),
        elements: &[Vec4F32, Vec4F32],
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "relu_backward",
        source: shader!("activations/relu_backward.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
];
