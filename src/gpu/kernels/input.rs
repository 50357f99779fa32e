//! Batches of images and targets.

use super::{F32, Kernel, Real, SCALAR, U32, Vec4F32, outputs, shader};
use crate::plan::{Op, image_stride};

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "gather_images",
        source: shader!("data/gather_images.wgsl"),
        elements: &[U32, U32, F32, F32],
        reads_step: true,
        invocations: |op, _| match *op {
            Op::GatherImages { batch, pixels } => batch * image_stride(pixels) / size_of::<u32>(),
            _ => 0,
        },
        ..SCALAR
    },
    Kernel {
        kind: "one_hot",
        source: shader!("data/one_hot.wgsl"),
        elements: &[U32, U32, F32],
        reads_step: true,
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "gather_batch",
        source: shader!("data/gather_batch.wgsl"),
        elements: &[U32, U32, U32, Real, F32],
        reads_step: true,
        by_four: Some(|op| matches!(op, Op::GatherBatch { pixels, .. } if pixels.is_multiple_of(4))),
        invocations: |op, width| match *op {
            Op::GatherBatch { batch, pixels, classes } => batch * (pixels / width + classes),
            _ => 0,
        },
        ..SCALAR
    },
    Kernel {
        kind: "augment_images",
        source: shader!("data/augment_images.wgsl"),
        elements: &[Vec4F32, F32, F32],
        reads_step: true,
        invocations: outputs,
        ..SCALAR
    },
];
