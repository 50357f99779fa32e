//! Biases and activations: what is done to each element by itself.

use super::{Kernel, Real, SCALAR, outputs_by_4, reals, shader};
use crate::plan::Op;

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "bias_add",
        source: shader!("dense/bias_add.wgsl"),
        elements: &[Real, Real],
        by_four: Some(|op| matches!(op, Op::BiasAdd { columns, .. } if columns % 4 == 0)),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "relu_forward",
        source: shader!("activations/relu_forward.wgsl"),
        elements: &[Real],
        by_four: Some(outputs_by_4),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "relu_backward",
        source: shader!("activations/relu_backward.wgsl"),
        elements: &[Real, Real],
        by_four: Some(outputs_by_4),
        invocations: reals,
        ..SCALAR
    },
];
