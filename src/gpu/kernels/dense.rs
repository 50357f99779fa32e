//! Several steps of a dense layer in one kernel.

use super::product::{across_tile, blocks, one_block};
use super::{
    AtomicU32, BLOCK8, EIGHTS, EightF32, F32, Kernel, LANES, Real, SCALAR, TILE, U32, Vec4F32, reals, shader,
};
use crate::plan::{METRICS_LANES, MatmulShape, Op};

/// Most classes of `dense_softmax_cross_entropy_block8`, whose sums lie in workgroup memory.
const MOST_CLASSES: usize = 16;
/// Vec4s of rows of weights of one invocation of `dense_rmsprop_update`: few, so that enough invocations remain.
const UPDATE_TILE: usize = 2;
/// Most terms of such an invocation, whose loops over the rows of its tile count as well.
const UPDATE_TILE_TERMS: usize = 1024;

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "dense_softmax_cross_entropy",
        source: shader!("lanes/dense_softmax_cross_entropy_block8.wgsl"),
        elements: &[EightF32, F32, F32, F32, F32, EightF32, F32, U32],
        reads_step: true,
        fits: |op| {
            let fits = |s: &MatmulShape| {
                s.k.is_multiple_of(EIGHTS) && s.k <= EIGHTS * LANES as usize && s.n <= MOST_CLASSES
            };
            matches!(op, Op::DenseSoftmaxCrossEntropy { product, .. } if fits(product))
        },
        invocations: |_, _| LANES as usize,
        ..BLOCK8
    },
    Kernel {
        kind: "dense_softmax_cross_entropy",
        source: shader!("dense/dense_softmax_cross_entropy.wgsl"),
        elements: &[F32, F32, F32, F32, F32, F32, F32, U32],
        workgroup: METRICS_LANES as u32,
        reads_step: true,
        invocations: |_, _| METRICS_LANES,
        ..SCALAR
    },
    Kernel {
        kind: "dense_rmsprop_update",
        source: shader!("lanes/dense_rmsprop_update_block8.wgsl"),
        elements: &[EightF32, EightF32, F32, AtomicU32, EightF32, EightF32],
        reads_step: true,
        tile: across_tile,
        fits: |op| {
            let fits = |s: &MatmulShape| one_block(s.k) && s.m.is_multiple_of(EIGHTS);
            let whole = matches!(op, Op::DenseRmspropUpdate { product, .. } if fits(product));
            whole && update_by(op, EIGHTS)
        },
        invocations: |op, _| match op {
            Op::DenseRmspropUpdate { product: s, .. } => blocks(op, [s.m + 1, s.n]),
            _ => 0,
        },
        ..BLOCK8
    },
    Kernel {
        kind: "dense_rmsprop_update",
        source: shader!("update/dense_rmsprop_update_tile.wgsl"),
        elements: &[Vec4F32, Vec4F32, F32, AtomicU32, Vec4F32, Vec4F32],
        reads_step: true,
        tile: |_| vec![("TILE_M", UPDATE_TILE)],
        fits: |op| {
            let fits = |s: &MatmulShape| s.m.is_multiple_of(4) && s.k <= UPDATE_TILE_TERMS;
            matches!(op, Op::DenseRmspropUpdate { product, .. } if fits(product)) && update_by(op, 4)
        },
        invocations: |op, _| match op {
            Op::DenseRmspropUpdate { product: s, .. } => (s.m + 1).div_ceil(4 * UPDATE_TILE) * (s.n / 4),
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "dense_rmsprop_update",
        source: shader!("update/dense_rmsprop_update.wgsl"),
        elements: &[F32, Real, F32, AtomicU32, Real, Real],
        reads_step: true,
        by_four: Some(|op| update_by(op, 4)),
        invocations: |op, width| updated(op) / width,
        ..SCALAR
    },
    Kernel {
        kind: "dense_forward",
        source: shader!("dense/dense_forward.wgsl"),
        elements: &[F32, Real, Real, Real],
        by_four: Some(|op| matches!(op, Op::DenseForward { product, .. } if product.n % 4 == 0)),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "dense_backward",
        source: shader!("dense/dense_backward.wgsl"),
        elements: &[F32, F32, F32, F32, F32],
        invocations: |op, _| match op {
            Op::DenseBackward { product: s, .. } => (s.k + 1) * s.n + s.m * s.k,
            _ => 0,
        },
        ..SCALAR
    },
];

/// Weights of the layer.
fn updated(op: &Op) -> usize {
    match op {
        Op::DenseRmspropUpdate { product: s, .. } => (s.m + 1) * s.n,
        _ => 0,
    }
}

/// Whether columns, and the arena and where the layer begins in it, are multiples of `width`.
fn update_by(op: &Op, width: usize) -> bool {
    match op {
        Op::DenseRmspropUpdate { product, first, len, .. } => {
            [product.n, *first, *len].iter().all(|size| size.is_multiple_of(width))
        }
        _ => false,
    }
}
