//! Pooling, each way, alone and together with the convolution before it.

use super::convolution::MOST_TAPS;
use super::product::row_lanes;
use super::{
    EIGHTS, EightF32, F32, Kernel, LANES, Real, SCALAR, SUBGROUP8, U32, Vec2U32, Vec4F32, outputs, parts,
    reals, shader, tiles,
};
use crate::plan::{ConvPoolShape, Op};

/// Most elements of a pooling window that one invocation holds in registers.
const MOST_ELEMENTS: usize = 9;
/// Most rows of windows of one subgroup of a pooled convolution.
const WINDOW_ROWS: usize = 8;

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "maxpool_forward",
        source: shader!("pooling/maxpool_forward.wgsl"),
        elements: &[Real, Real, U32],
        fits: |op| !packs_winners(op),
        by_four: Some(packs_winners),
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "maxpool_backward",
        source: shader!("pooling/maxpool_backward.wgsl"),
        elements: &[Real, U32, Real],
        fits: |op| !packs_winners(op),
        by_four: Some(packs_winners),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "conv2d_maxpool_forward",
        source: shader!("lanes/conv2d_maxpool_forward_subgroup8.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32, Vec4F32, U32],
        tile: |op| vec![("TILE_I", window_rows(op)), ("RUN", run(op))],
        fits: one_channel_by_lanes,
        invocations: |op, _| match op {
            Op::Conv2dMaxpoolForward(s) => {
                let tile = [window_rows(op), LANES as usize];
                s.conv.batch * tiles([s.pool.out_h, s.conv.out_c / 4], tile) * LANES as usize
            }
            _ => 0,
        },
        ..SUBGROUP8
    },
    Kernel {
        kind: "conv2d_maxpool_forward",
        source: shader!("convolution/conv2d_maxpool_forward.wgsl"),
        elements: &[F32, Real, Real, Real, U32],
        fits: |op| !packs_winners(op),
        by_four: Some(packs_winners),
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "conv2d_maxpool_backward_kernel",
        source: shader!("lanes/conv2d_maxpool_backward_kernel_subgroup8.wgsl"),
        tile: image_tile,
        elements: &[Vec4F32, EightF32, Vec2U32, EightF32],
        fits: |op| {
            let eights = |s: &ConvPoolShape| s.conv.out_c.is_multiple_of(EIGHTS);
            one_channel_by_lanes(op) && matches!(op, Op::Conv2dMaxpoolBackwardKernel(s) if eights(s))
        },
        invocations: |op, _| match op {
            Op::Conv2dMaxpoolBackwardKernel(s) => {
                (s.conv.out_c / EIGHTS).div_ceil(row_lanes(s.conv.out_c)) * parts(op) * LANES as usize
            }
            _ => 0,
        },
        ..SUBGROUP8
    },
    Kernel {
        kind: "conv2d_maxpool_backward_kernel",
        source: shader!("convolution/conv2d_maxpool_backward_kernel.wgsl"),
        elements: &[F32, Real, U32, Real],
        fits: |op| !packs_winners(op),
        by_four: Some(packs_winners),
        invocations: reals,
        ..SCALAR
    },
];

/// Whether the winners of four channels share a word.
fn packs_winners(op: &Op) -> bool {
    match op {
        Op::MaxpoolForward(s) | Op::MaxpoolBackward(s) => s.packs_winners(),
        Op::Conv2dMaxpoolForward(s) | Op::Conv2dMaxpoolBackwardKernel(s) => s.pool.packs_winners(),
        _ => false,
    }
}

/// Whether a subgroup can hold a row of the image, a Real to a lane, and its registers the rest of the work.
fn one_channel_by_lanes(op: &Op) -> bool {
    match op {
        Op::Conv2dMaxpoolForward(s) | Op::Conv2dMaxpoolBackwardKernel(s) => {
            let row = s.conv.in_w.is_multiple_of(4) && s.conv.in_w <= 4 * LANES as usize;
            let window = s.conv.kernel_h * s.conv.kernel_w <= MOST_TAPS && s.none_won() <= MOST_ELEMENTS;
            s.conv.in_c == 1 && s.pool.packs_winners() && row && window
        }
        _ => false,
    }
}

/// How the gradient of a pooled convolution shares out lanes and registers.
fn image_tile(op: &Op) -> Vec<(&'static str, usize)> {
    let Op::Conv2dMaxpoolBackwardKernel(s) = op else { return Vec::new() };
    let lanes = row_lanes(s.conv.out_c);
    vec![("IMAGE_LANES", lanes), ("IMAGES", LANES as usize / lanes), ("RUN", run(op))]
}

/// Rows of windows that one subgroup goes through: as few tiles as the longest allows, all of nearly the same length.
fn window_rows(op: &Op) -> usize {
    let Op::Conv2dMaxpoolForward(s) = op else { return 1 };
    s.pool.out_h.div_ceil(s.pool.out_h.div_ceil(WINDOW_ROWS))
}

/// Windows that a subgroup computes at a time: the fewest that begin at every fourth pixel.
fn run(op: &Op) -> usize {
    match op {
        Op::Conv2dMaxpoolForward(s) | Op::Conv2dMaxpoolBackwardKernel(s) => {
            match s.pool.stride_w * s.conv.stride_w % 4 {
                0 => 1,
                2 => 2,
                _ => 4,
            }
        }
        _ => 1,
    }
}
