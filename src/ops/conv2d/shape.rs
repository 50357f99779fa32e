//! Sizes of a convolution, and the sizes that its kernels are tried on.

use crate::ops::kit::*;

/// Sizes of a convolution. Input `[batch, in_h, in_w, in_c]`, kernel `[kernel_h, kernel_w, in_c, out_c]`,
/// output `[batch, out_h, out_w, out_c]`; no padding. The kernel moves by `stride_h` rows and `stride_w` columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct ConvShape {
    pub batch: usize,
    pub in_h: usize,
    pub in_w: usize,
    pub in_c: usize,
    pub kernel_h: usize,
    pub kernel_w: usize,
    pub stride_h: usize,
    pub stride_w: usize,
    pub out_h: usize,
    pub out_w: usize,
    pub out_c: usize,
}

impl ConvShape {
    /// A convolution without padding over `[batch, h, w, c]`; the window must fit.
    pub fn valid(
        [batch, in_h, in_w, in_c]: [usize; 4],
        [kernel_h, kernel_w]: [usize; 2],
        [stride_h, stride_w]: [usize; 2],
        out_c: usize,
    ) -> Self {
        ConvShape {
            batch,
            in_h,
            in_w,
            in_c,
            kernel_h,
            kernel_w,
            stride_h,
            stride_w,
            out_h: (in_h - kernel_h) / stride_h + 1,
            out_w: (in_w - kernel_w) / stride_w + 1,
            out_c,
        }
    }

    /// Dimensions of the input.
    pub fn x(&self) -> Vec<usize> {
        vec![self.batch, self.in_h, self.in_w, self.in_c]
    }

    /// Dimensions of the kernel.
    pub fn kernel(&self) -> Vec<usize> {
        vec![self.kernel_h, self.kernel_w, self.in_c, self.out_c]
    }

    /// Dimensions of the output.
    pub fn y(&self) -> Vec<usize> {
        vec![self.batch, self.out_h, self.out_w, self.out_c]
    }

    /// Output positions over the whole batch.
    pub fn positions(&self) -> usize {
        self.batch * self.out_h * self.out_w
    }

    /// How the sums of the kernel's gradient are cut: into runs of output rows `(n, i)`.
    pub fn row_split(&self) -> Split {
        Split::of_runs(self.batch * self.out_h, self.out_w)
    }

    /// Products in one output: the terms of each sum of the forward pass.
    pub fn terms(&self) -> usize {
        self.kernel_h * self.kernel_w * self.in_c
    }
}

impl ConvShape {
    /// The sizes, by the names that the shaders use.
    pub(super) fn constants(&self) -> Constants {
        constants! {
            "IN_H" => self.in_h,
            "IN_W" => self.in_w,
            "IN_C" => self.in_c,
            "KERNEL_H" => self.kernel_h,
            "KERNEL_W" => self.kernel_w,
            "STRIDE_H" => self.stride_h,
            "STRIDE_W" => self.stride_w,
            "OUT_H" => self.out_h,
            "OUT_W" => self.out_w,
            "OUT_C" => self.out_c,
        }
    }

    /// The sizes in words.
    pub(in crate::ops) fn title(&self) -> String {
        let stride = format!("{}x{}", self.stride_h, self.stride_w);
        format!("x {:?}, kernel {:?}, stride {stride}", self.x(), self.kernel())
    }

    /// Whether the channels that a kernel reads four at a time come in fours.
    pub(super) fn channels_by_4(&self) -> bool {
        self.out_c.is_multiple_of(4)
    }

    /// Whether both channels come in eights, so that lanes load their terms at once.
    pub(super) fn channels_by_8(&self) -> bool {
        self.in_c.is_multiple_of(EIGHTS) && self.out_c.is_multiple_of(EIGHTS)
    }
}

/// Most weights of a window that one invocation holds in registers.
pub(in crate::ops) const MOST_TAPS: usize = 25;

/// Most eights of terms of a block of a convolution that stays in the registers of a subgroup: half as many again as of a
/// product, for its sums are long, and each further block has to load and store them.
const MOST_EIGHTS: usize = 12;

/// Eights of terms of a block, of so many in all: as few blocks as the longest allows, all of nearly the same length.
pub(super) fn block_eights(eights: usize) -> usize {
    eights.div_ceil(eights.div_ceil(MOST_EIGHTS))
}

/// Cases of one way through a convolution: on all sizes, exact, and folded; then `long`, the longest sums of this way.
pub(super) fn cases<O: OpKind>(
    op: impl Fn(ConvShape) -> O,
    more: impl IntoIterator<Item = Case<O>>,
    long: Vec<Case<O>>,
) -> Vec<Case<O>> {
    let case = |shape| Case::of(op(shape));
    let mut table: Vec<Case<O>> = shapes().into_iter().map(case).collect();
    table.extend(more);
    table.push(case(ConvShape::valid([4, 11, 10, 3], [3, 3], [1, 1], 12)).with(Numbers::Eighths));
    table.push(case(ConvShape::valid([7, 10, 9, 6], [3, 2], [1, 1], 24)).folded());
    table.push(case(ConvShape::valid([24, 10, 9, 16], [3, 3], [1, 1], 72)).folded());
    table.extend(long);
    table
}

/// Sizes where kernels could go wrong.
pub(super) fn shapes() -> [ConvShape; 20] {
    let valid = ConvShape::valid;
    [
        valid([64, 28, 28, 1], [3, 3], [1, 1], 32),
        // A convolution after a convolution.
        valid([2, 13, 13, 32], [3, 3], [1, 1], 64),
        valid([1, 1, 1, 1], [1, 1], [1, 1], 1),
        valid([1, 1, 1, 4], [1, 1], [1, 1], 4),
        valid([3, 5, 7, 1], [1, 1], [1, 1], 5),
        valid([2, 7, 11, 5], [3, 2], [1, 1], 7),
        valid([2, 9, 30, 3], [3, 3], [1, 1], 8),
        // Strides that leave rows and columns over; 12 channels: by 4, not by 8.
        valid([1, 13, 17, 4], [3, 3], [2, 3], 12),
        // Strides past the window: gaps that get no gradient.
        valid([3, 8, 6, 2], [2, 2], [3, 3], 4),
        valid([1, 3, 3, 6], [3, 3], [1, 1], 16),
        valid([5, 12, 31, 2], [4, 3], [1, 2], 20),
        valid([1, 6, 7, 130], [2, 3], [1, 1], 130),
        // Channels in eights: strides, more of them than 8 lanes hold, positions for more than one tile.
        valid([3, 9, 11, 8], [3, 3], [2, 3], 72),
        valid([2, 10, 14, 24], [2, 2], [1, 1], 16),
        // Blocks of 12 eights, of 11, of 7 with one too many, and of one; bands of rows; batches that leave places for images empty.
        valid([3, 40, 15, 32], [3, 3], [2, 1], 104),
        valid([5, 9, 20, 16], [3, 2], [3, 2], 88),
        valid([9, 6, 6, 48], [1, 2], [1, 1], 8),
        // Two blocks to a weight, channels for two tiles of 8 lanes, short last bands, blocks, tiles of rows and parts.
        valid([3, 29, 15, 72], [3, 3], [1, 1], 160),
        valid([2, 5, 6, 88], [2, 2], [1, 1], 208),
        // Bands of a single row.
        valid([1, 4, 140, 8], [2, 2], [1, 1], 8),
    ]
}

/// Large, small and lopsided sizes, for tests of the lengths of loops.
#[cfg(test)]
pub(super) fn strange_shapes() -> Vec<ConvShape> {
    let valid = ConvShape::valid;
    vec![
        valid([64, 13, 13, 32], [3, 3], [1, 1], 64),
        valid([1, 5, 5, 3000], [3, 3], [1, 1], 8),
        valid([64, 40, 40, 3000], [3, 3], [1, 1], 64),
        valid([2, 300, 300, 64], [3, 3], [1, 1], 64),
        valid([512, 3, 3, 8], [3, 3], [1, 1], 24),
        valid([3, 40, 15, 32], [3, 3], [2, 1], 104),
        valid([64, 5, 5, 8], [5, 5], [1, 1], 1192),
        // Few outputs and many weights, and a single row that is too long.
        valid([64, 5, 5, 8], [5, 5], [1, 1], 9600),
        valid([2, 9, 9000, 16], [3, 3], [1, 1], 1024),
    ]
}
