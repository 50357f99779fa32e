//! Convolution, each way.

use super::product::{across_tile, along_tile, blocks, row_lanes};
use super::{
    BLOCK8, EIGHTS, EightF32, F32, Kernel, LANES, Real, SCALAR, TILE, Vec4F32, outputs, parts, reals, shader,
    tiles,
};
use crate::plan::{ConvShape, MAX_ITERATIONS, Op};

/// Invocations of a workgroup of a kernel that has few invocations, each with much work.
const SMALL_WORKGROUP: u32 = 8;
/// Most positions along a row of one invocation of `conv2d_forward`.
const CONV_TILE_W: usize = 13;
/// Vec4s of channels of one invocation of a convolution.
const CONV_TILE_C: usize = 2;
/// Most weights of a window that one invocation holds in registers.
pub(super) const MOST_TAPS: usize = 25;
/// Most eights of terms of a block of a convolution that stays in the registers of a subgroup: half as many again as of a
/// product, for its sums are long, and each further block has to load and store them.
const MOST_EIGHTS: usize = 12;
/// Positions of each image, or of all images together, that pass by a block of `conv2d_backward_input`.
const BAND_POSITIONS: usize = 256;

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "conv2d_forward",
        source: shader!("lanes/conv2d_forward_block8.wgsl"),
        elements: &[EightF32, EightF32, EightF32, EightF32],
        tile: |op| match op {
            Op::Conv2dForward { conv: s, .. } => {
                let tile = along_tile(op, s.out_c, block_eights(s.terms() / EIGHTS));
                [tile, vec![("POSITIONS", s.positions())]].concat()
            }
            _ => Vec::new(),
        },
        fits: channels_by_8,
        invocations: |op, _| match op {
            Op::Conv2dForward { conv: s, .. } => blocks(op, [s.positions(), s.out_c]),
            _ => 0,
        },
        ..BLOCK8
    },
    Kernel {
        kind: "conv2d_forward",
        source: shader!("convolution/conv2d_forward_tile.wgsl"),
        elements: &[F32, Vec4F32, Vec4F32, Vec4F32],
        tile: |op| conv_tile(op).map_or(Vec::new(), |[w, c]| vec![("TILE_W", w), ("TILE_C", c)]),
        fits: channels_by_4,
        invocations: |op, _| match (op, conv_tile(op)) {
            (Op::Conv2dForward { conv: s, .. }, Some(tile)) => {
                s.batch * s.out_h * tiles([s.out_w, s.out_c / 4], tile)
            }
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "conv2d_forward",
        source: shader!("convolution/conv2d_forward.wgsl"),
        elements: &[F32, Real, Real, Real],
        by_four: Some(channels_by_4),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "conv2d_backward_input",
        source: shader!("lanes/conv2d_backward_input_block8.wgsl"),
        elements: &[EightF32, EightF32, EightF32],
        tile: |op| match op {
            Op::Conv2dBackwardInput(s) => {
                let [images, rows] = bands(s);
                vec![
                    ("BATCH", s.batch),
                    ("TILE_IMAGES", images),
                    ("TILE_H", rows),
                    ("ROW_LANES", row_lanes(s.in_c)),
                    ("BLOCK_EIGHTS", block_eights(s.out_c / EIGHTS)),
                ]
            }
            _ => Vec::new(),
        },
        fits: |op| {
            let short = |s: &ConvShape| band_iterations(s) <= MAX_ITERATIONS;
            channels_by_8(op) && matches!(op, Op::Conv2dBackwardInput(s) if short(s))
        },
        invocations: |op, _| match op {
            Op::Conv2dBackwardInput(s) => {
                let [images, rows] = bands(s);
                let columns = s.in_c.div_ceil(EIGHTS).div_ceil(row_lanes(s.in_c));
                tiles([s.batch, s.in_h], [images, rows]) * columns * LANES as usize
            }
            _ => 0,
        },
        ..BLOCK8
    },
    Kernel {
        kind: "conv2d_backward_input",
        source: shader!("convolution/conv2d_backward_input.wgsl"),
        elements: &[Real, Real, F32],
        by_four: Some(channels_by_4),
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "conv2d_backward_kernel",
        source: shader!("lanes/conv2d_backward_kernel_block8.wgsl"),
        elements: &[EightF32, EightF32, EightF32],
        tile: across_tile,
        fits: channels_by_8,
        invocations: |op, _| match op {
            Op::Conv2dBackwardKernel(s) => blocks(op, [s.terms(), s.out_c]),
            _ => 0,
        },
        ..BLOCK8
    },
    Kernel {
        kind: "conv2d_backward_kernel",
        source: shader!("convolution/conv2d_backward_kernel_tile.wgsl"),
        elements: &[F32, Vec4F32, Vec4F32],
        workgroup: SMALL_WORKGROUP,
        tile: |_| vec![("TILE_C", CONV_TILE_C)],
        fits: |op| {
            let small = |s: &ConvShape| s.kernel_h * s.kernel_w <= MOST_TAPS;
            channels_by_4(op) && matches!(op, Op::Conv2dBackwardKernel(s) if small(s))
        },
        invocations: |op, _| match op {
            Op::Conv2dBackwardKernel(s) => s.in_c * (s.out_c / 4).div_ceil(CONV_TILE_C) * parts(op),
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "conv2d_backward_kernel",
        source: shader!("convolution/conv2d_backward_kernel.wgsl"),
        elements: &[F32, Real, Real],
        by_four: Some(channels_by_4),
        invocations: reals,
        ..SCALAR
    },
];

/// Positions and vec4s of channels of one invocation of `conv2d_forward`: as few tiles to a row as the longest allows,
/// all of nearly the same length.
fn conv_tile(op: &Op) -> Option<[usize; 2]> {
    let Op::Conv2dForward { conv: s, .. } = op else { return None };
    Some([s.out_w.div_ceil(s.out_w.div_ceil(CONV_TILE_W)), CONV_TILE_C])
}

/// Whether the channels that a kernel reads four at a time come in fours.
fn channels_by_4(op: &Op) -> bool {
    match op {
        Op::Conv2dForward { conv: s, .. } | Op::Conv2dBackwardInput(s) | Op::Conv2dBackwardKernel(s) => {
            s.out_c % 4 == 0
        }
        _ => false,
    }
}

/// Whether a convolution's channels come in eights, so that lanes load their terms at once.
fn channels_by_8(op: &Op) -> bool {
    match op {
        Op::Conv2dForward { conv: s, .. } | Op::Conv2dBackwardInput(s) => {
            s.in_c % EIGHTS == 0 && s.out_c % EIGHTS == 0
        }
        // With few input channels a block's rows would be too few to make up for loading it.
        Op::Conv2dBackwardKernel(s) => {
            s.terms() >= EIGHTS * LANES as usize && s.in_c % EIGHTS == 0 && s.out_c % EIGHTS == 0
        }
        _ => false,
    }
}

/// Eights of terms of a block, of so many in all: as few blocks as the longest allows, all of nearly the same length.
fn block_eights(eights: usize) -> usize {
    eights.div_ceil(eights.div_ceil(MOST_EIGHTS))
}

/// Blocks of `conv2d_forward`.
pub(super) fn forward_blocks(s: &ConvShape) -> usize {
    let eights = s.terms().div_ceil(EIGHTS);
    eights.div_ceil(block_eights(eights))
}

/// Images and rows of dx of one subgroup of `conv2d_backward_input`: enough positions to make up for loading a block, and few
/// enough for many subgroups.
fn bands(s: &ConvShape) -> [usize; 2] {
    let at_once = LANES as usize / row_lanes(s.in_c);
    let rows = s.in_h.min((BAND_POSITIONS / s.in_w).max(1));
    let rows = s.in_h.div_ceil(s.in_h.div_ceil(rows));
    let images = (BAND_POSITIONS / (rows * s.in_w)).max(1);
    // A power of two: batches mostly are.
    [at_once << images.ilog2(), rows]
}

/// Iterations of an invocation of `conv2d_backward_input` over all its loops, at most; one more for the end of each.
fn band_iterations(s: &ConvShape) -> usize {
    let [images, rows] = bands(s);
    let steps = images * row_lanes(s.in_c) / LANES as usize;
    let eights = s.out_c / EIGHTS;
    let blocks = s.kernel_h * s.kernel_w * eights.div_ceil(block_eights(eights));
    let outputs = rows.min(s.out_h) * s.out_w;
    steps * (2 + rows * s.in_w) + blocks * (2 + steps * (2 + outputs))
}

#[cfg(test)]
mod tests {
    use super::super::product::block_rows;
    use super::*;

    /// The loops of `conv2d_backward_input_block8.wgsl`, counted one by one: the most of any subgroup.
    fn counted(s: &ConvShape) -> usize {
        let [images, rows] = bands(s);
        let at_once = LANES as usize / row_lanes(s.in_c);
        let blocks = (s.out_c / EIGHTS).div_ceil(block_eights(s.out_c / EIGHTS));
        let count = |first_h: usize| {
            let end_h = (first_h + rows).min(s.in_h);
            let mut count = 0;
            for _ in (0..images).step_by(at_once) {
                count += 1 + (end_h - first_h) * s.in_w;
            }
            for block in 0..s.kernel_h * s.kernel_w * blocks {
                let p = block / blocks / s.kernel_w;
                let met = |i: &usize| (first_h..end_h).contains(&(i * s.stride_h + p));
                let outputs = (0..s.out_h).filter(met).count() * s.out_w;
                count += 1;
                for _ in (0..images).step_by(at_once) {
                    count += 1 + outputs;
                }
            }
            count
        };
        (0..s.in_h).step_by(rows).map(count).max().unwrap()
    }

    /// lavapipe leaves loops at 65,535 iterations without a word.
    #[test]
    fn loops_over_blocks_stay_short_however_large_the_convolution() {
        let valid = ConvShape::valid;
        // (shape, whether `conv2d_backward_input` takes it by blocks)
        let rows = [
            (valid([64, 13, 13, 32], [3, 3], [1, 1], 64), true),
            (valid([1, 5, 5, 3000], [3, 3], [1, 1], 8), true),
            (valid([64, 40, 40, 3000], [3, 3], [1, 1], 64), true),
            (valid([2, 300, 300, 64], [3, 3], [1, 1], 64), true),
            (valid([512, 3, 3, 8], [3, 3], [1, 1], 24), true),
            (valid([3, 40, 15, 32], [3, 3], [2, 1], 104), true),
            // Few outputs and many weights, and a single row that is too long.
            (valid([64, 5, 5, 8], [5, 5], [1, 1], 1192), true),
            (valid([64, 5, 5, 8], [5, 5], [1, 1], 9600), false),
            (valid([2, 9, 9000, 16], [3, 3], [1, 1], 1024), false),
        ];
        for (s, expected) in rows {
            let forward = Op::Conv2dForward { conv: s, relu: false };
            assert!(forward_blocks(&s) * (1 + block_rows(&forward)) <= MAX_ITERATIONS, "{s:?}");
            let kernel = Op::Conv2dBackwardKernel(s);
            let blocks = (s.row_split().terms_per_part * s.out_w).div_ceil(EIGHTS * LANES as usize);
            let rows = block_rows(&kernel);
            assert!(blocks * (1 + rows + rows / EIGHTS) <= MAX_ITERATIONS, "{s:?}");
            let block8 = KERNELS.iter().find(|kernel| kernel.kind == "conv2d_backward_input").unwrap();
            assert_eq!((block8.fits)(&Op::Conv2dBackwardInput(s)), expected, "{s:?}: {}", counted(&s));
            assert!(counted(&s) <= band_iterations(&s), "{s:?}: {} of {}", counted(&s), band_iterations(&s));
            assert!(!expected || counted(&s) <= MAX_ITERATIONS, "{s:?}: {}", counted(&s));
        }
    }
}
