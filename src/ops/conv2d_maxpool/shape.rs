//! Sizes of a convolution that is pooled at once, and the sizes that its kernels are tried on.

use crate::ops::conv2d::{ConvShape, MOST_TAPS};
use crate::ops::kit::*;
use crate::ops::maxpool::PoolShape;

/// The length of a part of a sum over pooling windows: short, since there are few such sums and each term is dear.
const POOLED_PART: usize = 256;

/// A convolution whose output is pooled at once, in windows that do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvPoolShape {
    /// The convolution.
    pub conv: ConvShape,
    /// The pooling of its output.
    pub pool: PoolShape,
    /// Whether ReLU comes between them.
    pub relu: bool,
}

impl ConvPoolShape {
    /// Elements of a pooling window. As a winner this number says that ReLU cut all of them off.
    pub fn none_won(&self) -> usize {
        self.pool.pool_h * self.pool.pool_w
    }

    /// Dimensions of the gradient of kernel and bias together: the bias is the last row.
    pub fn gradient(&self) -> Vec<usize> {
        vec![self.conv.terms() + 1, self.conv.out_c]
    }

    /// How the sums of the gradient are cut: into runs of rows `(n, i)` of windows.
    pub fn row_split(&self) -> Split {
        let runs = self.conv.batch * self.pool.out_h;
        Split::cut(runs, (runs * self.pool.out_w).div_ceil(POOLED_PART).min(runs), 1)
    }
}

/// Most pixels of a row of an image that a subgroup holds in registers.
const MOST_PIXELS: usize = 32;

/// Most elements of a pooling window that one invocation holds in registers.
pub(super) const MOST_ELEMENTS: usize = 9;

impl ConvPoolShape {
    /// The sizes, by the names that the shaders use.
    pub(super) fn constants(&self) -> Constants {
        let ConvPoolShape { conv, pool, relu } = self;
        constants! {
            "IN_H" => conv.in_h,
            "IN_W" => conv.in_w,
            "IN_C" => conv.in_c,
            "KERNEL_H" => conv.kernel_h,
            "KERNEL_W" => conv.kernel_w,
            "STRIDE_H" => conv.stride_h,
            "STRIDE_W" => conv.stride_w,
            "POOL_H" => pool.pool_h,
            "POOL_W" => pool.pool_w,
            "POOL_STRIDE_H" => pool.stride_h,
            "POOL_STRIDE_W" => pool.stride_w,
            "BATCH" => conv.batch,
            "OUT_H" => pool.out_h,
            "OUT_W" => pool.out_w,
            "OUT_C" => conv.out_c,
            "RELU" => *relu,
        }
    }

    /// The sizes in words.
    pub(super) fn title(&self) -> String {
        let relu = if self.relu { ", relu" } else { "" };
        format!("{}{relu}, {}", self.conv.title(), self.pool.window_title())
    }

    /// Whether the registers of a subgroup, of any size, can hold rows of the image and the rest of the work.
    pub(super) fn one_channel_by_lanes(&self) -> bool {
        let row = self.conv.in_w.is_multiple_of(4) && self.conv.in_w <= MOST_PIXELS;
        let window = self.conv.kernel_h * self.conv.kernel_w <= MOST_TAPS && self.none_won() <= MOST_ELEMENTS;
        self.conv.in_c == 1 && self.pool.packs_winners() && row && window
    }

    /// Windows that a subgroup computes at a time: the fewest that begin at every fourth pixel.
    pub(super) fn run(&self) -> usize {
        match self.pool.stride_w * self.conv.stride_w % 4 {
            0 => 1,
            2 => 2,
            _ => 4,
        }
    }
}

fn shape(
    x: [usize; 4],
    kernel: [usize; 2],
    strides: [usize; 2],
    out_c: usize,
    window: [usize; 2],
    window_strides: [usize; 2],
    relu: bool,
) -> ConvPoolShape {
    let conv = ConvShape::valid(x, kernel, strides, out_c);
    let pool = PoolShape::valid([x[0], conv.out_h, conv.out_w, out_c], window, window_strides);
    ConvPoolShape { conv, pool, relu }
}

/// Sizes where kernels could go wrong.
pub(super) fn shapes() -> [ConvPoolShape; 14] {
    [
        shape([64, 28, 28, 1], [3, 3], [1, 1], 32, [2, 2], [2, 2], true),
        shape([2, 13, 13, 32], [3, 3], [1, 1], 64, [2, 2], [2, 2], true),
        shape([1, 1, 1, 1], [1, 1], [1, 1], 1, [1, 1], [1, 1], true),
        shape([1, 2, 2, 1], [1, 1], [1, 1], 4, [2, 2], [2, 2], false),
        // Odd sizes: a last row and column in no window.
        shape([3, 9, 12, 1], [3, 2], [1, 1], 5, [2, 2], [2, 2], false),
        shape([2, 10, 32, 1], [4, 3], [1, 1], 12, [3, 2], [3, 2], true),
        // Channels for one lane and for more than eight; gaps between windows, strides of the convolution.
        shape([5, 14, 20, 1], [3, 3], [2, 1], 4, [1, 2], [2, 3], true),
        shape([1, 11, 8, 1], [2, 3], [1, 1], 44, [2, 2], [2, 2], false),
        shape([2, 7, 9, 3], [3, 3], [1, 1], 8, [2, 2], [2, 2], false),
        shape([2, 8, 10, 5], [2, 2], [1, 2], 7, [2, 1], [3, 1], true),
        // Channels in eights, for one lane, two, three and five; windows of one, two and four to a run, one row to a part.
        shape([3, 14, 20, 1], [3, 3], [2, 1], 8, [1, 2], [2, 4], true),
        shape([5, 15, 28, 1], [3, 3], [1, 1], 16, [2, 2], [2, 2], false),
        shape([2, 9, 12, 1], [2, 4], [1, 1], 24, [3, 1], [3, 1], true),
        shape([1, 11, 32, 1], [2, 3], [1, 1], 40, [2, 3], [3, 3], true),
    ]
}

/// Sizes whose groups fold, by lanes and not.
pub(super) fn folds() -> [ConvPoolShape; 3] {
    [
        shape([5, 21, 16, 1], [3, 3], [1, 1], 72, [2, 2], [2, 2], true),
        shape([3, 9, 11, 2], [3, 3], [1, 1], 7, [2, 2], [2, 2], true),
        shape([40, 21, 16, 1], [3, 3], [1, 1], 144, [2, 2], [2, 2], true),
    ]
}

/// 86,240 windows.
pub(super) fn many_windows() -> ConvPoolShape {
    shape([280, 30, 12, 1], [3, 2], [1, 1], 8, [1, 1], [1, 1], true)
}
