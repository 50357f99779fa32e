//! Which part of a convolution's input a gradient is wanted of.

use std::ops::Range;

use super::shape::ConvShape;
use crate::ops::kit::*;

/// A part of every image: `height` rows from row `top` on, and of these `width` columns from column `left` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the sentence above")]
pub struct ImagePart {
    pub top: usize,
    pub left: usize,
    pub height: usize,
    pub width: usize,
}

impl ImagePart {
    /// All of a convolution's input.
    pub fn whole(s: &ConvShape) -> Self {
        ImagePart { top: 0, left: 0, height: s.in_h, width: s.in_w }
    }

    /// Its rows.
    pub(super) fn rows(&self) -> Range<usize> {
        self.top..self.top + self.height
    }

    /// Its columns.
    pub(super) fn columns(&self) -> Range<usize> {
        self.left..self.left + self.width
    }

    /// The sizes, by the names that the shaders use.
    pub(super) fn constants(&self) -> Constants {
        constants! {
            "TOP" => self.top,
            "LEFT" => self.left,
            "PART_H" => self.height,
            "PART_W" => self.width,
        }
    }

    /// Pairs of an output position and a tap that meet in it.
    pub(super) fn meetings(&self, s: &ConvShape) -> usize {
        let along = |part: Range<usize>, taps: usize, [stride, dilation]: [usize; 2], out: usize| {
            let met = |p: usize| (0..out).filter(|i| part.contains(&(i * stride + p * dilation))).count();
            (0..taps).map(met).sum::<usize>()
        };
        along(self.rows(), s.kernel_h, [s.stride_h, s.dilation_h], s.out_h)
            * along(self.columns(), s.kernel_w, [s.stride_w, s.dilation_w], s.out_w)
    }
}
