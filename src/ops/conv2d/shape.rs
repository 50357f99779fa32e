//! Sizes of a convolution, and the sizes that its kernels are tried on.

use crate::ops::kit::*;

/// Sizes of a convolution. Input `[batch, in_h, in_w, in_c]`, kernel `[kernel_h, kernel_w, in_c / groups, out_c]`,
/// output `[batch, out_h, out_w, out_c]`; no padding. The kernel moves by `stride_h` rows and `stride_w` columns, and its taps
/// are `dilation_h` rows and `dilation_w` columns apart. Channels of input and output are cut into `groups`; an output reads
/// the inputs of its own group.
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
    pub dilation_h: usize,
    pub dilation_w: usize,
    pub groups: usize,
}

impl ConvShape {
    /// A convolution without padding, dilation and groups over `[batch, h, w, c]`; the window must fit.
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
            dilation_h: 1,
            dilation_w: 1,
            groups: 1,
        }
    }

    /// The same with taps so far apart; the window must fit.
    pub fn dilated(self, [dilation_h, dilation_w]: [usize; 2]) -> Self {
        ConvShape {
            out_h: (self.in_h - (self.kernel_h - 1) * dilation_h - 1) / self.stride_h + 1,
            out_w: (self.in_w - (self.kernel_w - 1) * dilation_w - 1) / self.stride_w + 1,
            dilation_h,
            dilation_w,
            ..self
        }
    }

    /// The same in so many groups, which must divide the channels of input and output.
    pub fn grouped(self, groups: usize) -> Self {
        ConvShape { groups, ..self }
    }

    /// Channels of a group's input.
    pub fn group_in(&self) -> usize {
        self.in_c / self.groups
    }

    /// Channels of a group's output.
    pub fn group_out(&self) -> usize {
        self.out_c / self.groups
    }

    /// Dimensions of the input.
    pub fn x(&self) -> Vec<usize> {
        vec![self.batch, self.in_h, self.in_w, self.in_c]
    }

    /// Dimensions of the kernel.
    pub fn kernel(&self) -> Vec<usize> {
        vec![self.kernel_h, self.kernel_w, self.group_in(), self.out_c]
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
        self.kernel_h * self.kernel_w * self.group_in()
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
            "DILATION_H" => self.dilation_h,
            "DILATION_W" => self.dilation_w,
            "GROUP_IN" => self.group_in(),
            "GROUP_OUT" => self.group_out(),
        }
    }

    /// The sizes in words.
    pub(in crate::ops) fn title(&self) -> String {
        let stride = format!("{}x{}", self.stride_h, self.stride_w);
        let mut title = format!("x {:?}, kernel {:?}, stride {stride}", self.x(), self.kernel());
        if [self.dilation_h, self.dilation_w] != [1, 1] {
            title += &format!(", dilation {}x{}", self.dilation_h, self.dilation_w);
        }
        if self.groups != 1 {
            title += &format!(", {} groups", self.groups);
        }
        title
    }

    /// Whether there are neither gaps between taps nor groups.
    pub(crate) fn is_plain(&self) -> bool {
        self.dilation_h == 1 && self.dilation_w == 1 && self.groups == 1
    }

    /// Whether each channel is a group of its own, and they come in fours.
    pub(super) fn depthwise_by_4(&self) -> bool {
        self.groups == self.in_c && self.groups == self.out_c && self.out_c.is_multiple_of(4)
    }

    /// Whether the channels of a group that a kernel reads four at a time come in fours.
    pub(super) fn channels_by_4(&self) -> bool {
        self.group_out().is_multiple_of(4)
    }

    /// Whether tiles of outputs are worth their while, whose channels must come in fours.
    pub(super) fn has_tiles(&self) -> bool {
        self.channels_by_4() && self.group_out() >= LEAST_CHANNELS
    }

    /// Whether tiles of inputs are, where all channels must come in fours.
    pub(super) fn has_input_tiles(&self) -> bool {
        self.channels_by_4() && self.group_in().is_multiple_of(4) && self.group_in() >= LEAST_CHANNELS
    }

    /// Whether there are no gaps between taps, no groups, and channels in fours.
    pub(super) fn plain_by_4(&self) -> bool {
        self.is_plain() && self.channels_by_4()
    }

    /// The same with both channels in eights, so that lanes load their terms at once.
    pub(super) fn plain_by_8(&self) -> bool {
        self.is_plain() && self.in_c.is_multiple_of(EIGHTS) && self.out_c.is_multiple_of(EIGHTS)
    }

    /// The taps of the window, row by row.
    pub(super) fn taps(&self) -> impl Iterator<Item = (usize, usize)> + Clone + use<> {
        let (height, width) = (self.kernel_h, self.kernel_w);
        (0..height).flat_map(move |p| (0..width).map(move |q| (p, q)))
    }

    /// The pixel of the input under a tap of the window of an output.
    pub(super) fn pixel(&self, n: usize, [i, j]: [usize; 2], [p, q]: [usize; 2]) -> usize {
        let (h, w) = (i * self.stride_h + p * self.dilation_h, j * self.stride_w + q * self.dilation_w);
        (n * self.in_h + h) * self.in_w + w
    }
}

/// The output position that reads input position `at` through a tap at this place of the window, if there is one.
pub(super) fn output_of(at: usize, tap: usize, stride: usize, out: usize) -> Option<usize> {
    let offset = at.checked_sub(tap)?;
    (offset % stride == 0 && offset / stride < out).then_some(offset / stride)
}

/// Most weights of a window that one invocation holds in registers.
pub(in crate::ops) const MOST_TAPS: usize = 25;

/// Fewest channels of a group for which a tile of 32 of them is worth its while.
const LEAST_CHANNELS: usize = 8;

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
    for shape in dilated_and_grouped() {
        table.push(case(shape));
    }
    table.extend(more);
    table.push(case(ConvShape::valid([4, 11, 10, 3], [3, 3], [1, 1], 12)).with(Numbers::Eighths));
    table.push(case(ConvShape::valid([7, 10, 9, 6], [3, 2], [1, 1], 24)).folded());
    table.push(case(ConvShape::valid([24, 10, 9, 16], [3, 3], [1, 1], 72)).folded());
    table.push(case(ConvShape::valid([24, 10, 9, 32], [3, 3], [1, 1], 32).grouped(32)).folded());
    // Terms for four teams, channels that do not come in fours.
    table.push(case(ConvShape::valid([4, 12, 11, 6], [5, 5], [1, 1], 72)).folded());
    table.extend(long);
    // Several groups of sixteen lanes too.
    table.push(case(ConvShape::valid([72, 10, 9, 16], [3, 3], [1, 1], 72)).folded());
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

/// Gaps between taps, groups with one and several channels, channels that are groups of their own: in fours, in another number,
/// with several outputs each.
pub(super) fn dilated_and_grouped() -> [ConvShape; 14] {
    let valid = ConvShape::valid;
    [
        valid([2, 9, 11, 8], [3, 3], [1, 1], 16).dilated([2, 3]),
        valid([3, 12, 8, 3], [3, 2], [1, 1], 5).dilated([4, 1]),
        valid([1, 7, 10, 2], [2, 3], [2, 3], 4).dilated([3, 2]),
        valid([2, 8, 7, 8], [3, 3], [1, 1], 16).grouped(2),
        valid([3, 6, 9, 6], [2, 3], [2, 1], 9).grouped(3),
        valid([2, 13, 9, 32], [3, 3], [1, 1], 32).grouped(32),
        valid([3, 9, 12, 12], [3, 3], [2, 2], 12).grouped(12),
        valid([2, 8, 8, 4], [3, 3], [1, 1], 4).grouped(4).dilated([2, 2]),
        valid([2, 7, 6, 5], [3, 3], [1, 1], 5).grouped(5),
        valid([2, 7, 6, 4], [3, 2], [1, 1], 16).grouped(4),
        valid([2, 8, 9, 6], [3, 3], [1, 2], 16).grouped(2).dilated([2, 1]),
        // Several tiles and teams to a group, and several parts.
        valid([2, 8, 7, 72], [3, 3], [1, 1], 144).grouped(2),
        valid([2, 9, 8, 9], [5, 3], [1, 1], 108).grouped(3),
        valid([4, 18, 20, 16], [3, 2], [1, 1], 16).grouped(2),
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
