//! Sizes of a max-pooling, its winners, and the sizes that its kernels are tried on.

use std::borrow::Cow;

use crate::ops::kit::*;

/// Sizes of a max-pooling. Input `[batch, in_h, in_w, channels]`, output `[batch, out_h, out_w, channels]`; no padding.
/// Windows have `pool_h` rows and `pool_w` columns; the next one is `stride_h` rows down or `stride_w` columns to the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct PoolShape {
    pub batch: usize,
    pub in_h: usize,
    pub in_w: usize,
    pub channels: usize,
    pub pool_h: usize,
    pub pool_w: usize,
    pub stride_h: usize,
    pub stride_w: usize,
    pub out_h: usize,
    pub out_w: usize,
}

impl PoolShape {
    /// A max-pooling without padding over `[batch, h, w, c]`; the window must fit.
    pub fn valid(
        [batch, in_h, in_w, channels]: [usize; 4],
        [pool_h, pool_w]: [usize; 2],
        [stride_h, stride_w]: [usize; 2],
    ) -> Self {
        PoolShape {
            batch,
            in_h,
            in_w,
            channels,
            pool_h,
            pool_w,
            stride_h,
            stride_w,
            out_h: (in_h - pool_h) / stride_h + 1,
            out_w: (in_w - pool_w) / stride_w + 1,
        }
    }

    /// Dimensions of the input.
    pub fn x(&self) -> Vec<usize> {
        vec![self.batch, self.in_h, self.in_w, self.channels]
    }

    /// Dimensions of the output.
    pub fn y(&self) -> Vec<usize> {
        vec![self.batch, self.out_h, self.out_w, self.channels]
    }

    /// Whether the winners of four channels share a word, a byte each: where channels come in fours, and a byte holds every
    /// number of a window's elements and the one past them.
    pub fn packs_winners(&self) -> bool {
        self.channels.is_multiple_of(4) && self.pool_h * self.pool_w <= usize::from(u8::MAX)
    }

    /// Dimensions of the winners, in words.
    pub fn winner(&self) -> Vec<usize> {
        let channels = if self.packs_winners() { self.channels / 4 } else { self.channels };
        vec![self.batch, self.out_h, self.out_w, channels]
    }
}

impl PoolShape {
    pub(in crate::ops) fn constants(&self) -> Constants {
        constants! {
            "IN_H" => self.in_h,
            "IN_W" => self.in_w,
            "CHANNELS" => self.channels,
            "POOL_H" => self.pool_h,
            "POOL_W" => self.pool_w,
            "STRIDE_H" => self.stride_h,
            "STRIDE_W" => self.stride_w,
            "OUT_H" => self.out_h,
            "OUT_W" => self.out_w,
        }
    }

    /// The sizes in words.
    pub(super) fn title(&self) -> String {
        format!("x {:?}, {}", self.x(), self.window_title())
    }

    /// The window in words.
    pub(in crate::ops) fn window_title(&self) -> String {
        let PoolShape { pool_h, pool_w, stride_h, stride_w, .. } = self;
        format!("window {pool_h}x{pool_w}, stride {stride_h}x{stride_w}")
    }

    /// Winners of which every number may occur, the one past the window's elements too, which is none of them.
    pub(in crate::ops) fn winners<O>(&self, draw: &mut Draw<'_, O>) -> Values {
        let bound = (self.pool_h * self.pool_w) as u32 + 1;
        if !self.packs_winners() {
            return draw.integers(bound);
        }
        let mut word = || u32::from_le_bytes(std::array::from_fn(|_| draw.stream.below(bound) as u8));
        Values::Integers((0..draw.len).map(|_| word()).collect())
    }
}

/// Winners as an argument.
pub(in crate::ops) fn winner(access: Access, pool: &PoolShape) -> ArgSpec {
    arg("winner", access, Dtype::U32, &pool.winner())
}

/// Winners to a word.
pub(super) const BYTES: usize = size_of::<u32>();

/// Each winner.
pub(in crate::ops) fn unpacked<'a>(s: &PoolShape, words: &'a [u32]) -> Cow<'a, [u32]> {
    match s.packs_winners() {
        true => words.iter().flat_map(|word| word.to_le_bytes().map(u32::from)).collect(),
        false => Cow::Borrowed(words),
    }
}

/// Lets `find` fill in each winner.
pub(in crate::ops) fn pack(s: &PoolShape, words: &mut [u32], find: impl FnOnce(&mut [u32])) {
    if !s.packs_winners() {
        return find(words);
    }
    let mut winners = vec![0; words.len() * BYTES];
    find(&mut winners);
    for (word, winners) in words.iter_mut().zip(winners.chunks_exact(BYTES)) {
        *word = (0..).zip(winners).map(|(byte, winner)| winner << (8 * byte)).sum();
    }
}

pub(super) fn shapes() -> [PoolShape; 12] {
    let valid = PoolShape::valid;
    [
        valid([64, 26, 26, 32], [2, 2], [2, 2]),
        valid([1, 1, 1, 1], [1, 1], [1, 1]),
        valid([1, 2, 2, 8], [2, 2], [2, 2]),
        // Odd sizes: a last row and column in no window.
        valid([2, 7, 9, 3], [2, 2], [2, 2]),
        // Overlapping windows.
        valid([2, 9, 9, 5], [3, 3], [2, 2]),
        valid([1, 11, 8, 12], [3, 2], [1, 1]),
        valid([2, 12, 14, 6], [5, 5], [3, 2]),
        // Gaps.
        valid([3, 10, 13, 4], [2, 2], [3, 4]),
        valid([2, 6, 7, 130], [2, 3], [2, 1]),
        // The largest window whose elements, and none of them, have a byte's numbers, and one more.
        valid([1, 17, 18, 4], [15, 17], [1, 1]),
        valid([1, 17, 16, 4], [16, 16], [1, 1]),
        valid([1, 33, 17, 3], [32, 16], [1, 1]),
    ]
}

/// Overlapping windows in which every element is the largest.
pub(super) fn ties() -> PoolShape {
    PoolShape::valid([2, 7, 9, 4], [3, 3], [2, 2])
}

/// Sizes whose groups fold, by four and not.
pub(super) fn folds() -> [PoolShape; 2] {
    [[3, 17, 19, 12], [3, 9, 11, 5]].map(|x| PoolShape::valid(x, [2, 2], [1, 1]))
}
