//! Activations and dropout.

use super::{Kernel, Real, SCALAR, outputs_by_4, reals, shader};

/// One tensor that is changed element by element, four at a time where they come in fours.
const IN_PLACE: Kernel =
    Kernel { elements: &[Real], by_four: Some(outputs_by_4), invocations: reals, ..SCALAR };
/// Two tensors of one length, the second of which is written.
const TO_SECOND: Kernel = Kernel { elements: &[Real, Real], ..IN_PLACE };

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel { kind: "sigmoid_forward", source: shader!("activations/sigmoid_forward.wgsl"), ..IN_PLACE },
    Kernel { kind: "sigmoid_backward", source: shader!("activations/sigmoid_backward.wgsl"), ..TO_SECOND },
    Kernel { kind: "tanh_forward", source: shader!("activations/tanh_forward.wgsl"), ..IN_PLACE },
    Kernel { kind: "tanh_backward", source: shader!("activations/tanh_backward.wgsl"), ..TO_SECOND },
    Kernel { kind: "leaky_relu_forward", source: shader!("activations/leaky_relu_forward.wgsl"), ..IN_PLACE },
    Kernel {
        kind: "leaky_relu_backward",
        source: shader!("activations/leaky_relu_backward.wgsl"),
        ..TO_SECOND
    },
    Kernel { kind: "copy", source: shader!("activations/copy.wgsl"), ..TO_SECOND },
    Kernel {
        kind: "dropout_forward",
        source: shader!("regularization/dropout_forward.wgsl"),
        reads_step: true,
        ..TO_SECOND
    },
    Kernel {
        kind: "dropout_backward",
        source: shader!("regularization/dropout_backward.wgsl"),
        reads_step: true,
        ..IN_PLACE
    },
];
