//! What the windows of a convolution see, as a matrix.

use std::ops::Range;

use super::shape::ConvShape;
use crate::ops::kit::*;

/// Most floats of such a matrix that are worked on at once: it and its product stay in a core's own cache.
const MOST_FLOATS: usize = 1 << 16;
/// Fewest rows of it: enough to make up for going through the kernel once.
const FEWEST_ROWS: usize = 128;

impl ConvShape {
    /// Whether the input is that matrix already: a window of one tap that moves by one.
    pub(super) fn is_pointwise(&self) -> bool {
        [self.kernel_h, self.kernel_w, self.stride_h, self.stride_w, self.groups] == [1; 5]
    }

    /// Whether products of matrices compute it: groups have enough channels.
    pub(super) fn has_products(&self) -> bool {
        fused() && (self.groups == 1 || (self.group_in() >= 4 && self.group_out() >= 4))
    }
}

/// How many lines of so many positions, with so many terms each, are worked on at once.
pub(super) fn lines_at_once(positions: usize, terms: usize) -> usize {
    (MOST_FLOATS / terms.clamp(1, TERMS)).max(FEWEST_ROWS).div_ceil(positions.max(1))
}

/// `columns[position, t]` is the input under term t of the window at a position, for the positions of these output rows `(n, i)`
/// and these of the terms `[kernel_h, kernel_w, in_c / groups]` of a group.
pub(super) fn gather(
    s: &ConvShape,
    x: &[f32],
    rows: Range<usize>,
    group: usize,
    terms: Range<usize>,
    columns: &mut [f32],
) {
    // Taps whose channels are neighbours in the input.
    let taps = if s.groups == 1 && s.dilation_w == 1 { s.kernel_w } else { 1 };
    let run = taps * s.group_in();
    let width = terms.len();
    let mut first = terms.start;
    while first < terms.end {
        let end = ((first / run + 1) * run).min(terms.end);
        let (tap, channel) = (first / s.group_in(), first % s.group_in());
        let (p, q) = (tap / s.kernel_w, tap % s.kernel_w);
        for (row, columns) in rows.clone().zip(columns.chunks_mut(s.out_w * width)) {
            let (n, i) = (row / s.out_h, row % s.out_h);
            let from = s.pixel(n, [i, 0], [p, q]) * s.in_c + group * s.group_in() + channel;
            for (j, columns) in columns.chunks_exact_mut(width).enumerate() {
                let x = &x[from + j * s.stride_w * s.in_c..][..end - first];
                columns[first - terms.start..end - terms.start].copy_from_slice(x);
            }
        }
        first = end;
    }
}
