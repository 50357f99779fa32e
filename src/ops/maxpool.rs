//! Max-pooling, each way.

use std::borrow::Cow;

use rayon::prelude::*;

use super::kit::*;

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
    pub(super) fn constants(&self) -> Constants {
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
    fn title(&self) -> String {
        format!("x {:?}, {}", self.x(), self.window_title())
    }

    /// The window in words.
    pub(super) fn window_title(&self) -> String {
        let PoolShape { pool_h, pool_w, stride_h, stride_w, .. } = self;
        format!("window {pool_h}x{pool_w}, stride {stride_h}x{stride_w}")
    }

    /// Winners of which every number may occur, the one past the window's elements too, which is none of them.
    pub(super) fn winners<O>(&self, draw: &mut Draw<'_, O>) -> Values {
        let bound = (self.pool_h * self.pool_w) as u32 + 1;
        if !self.packs_winners() {
            return draw.integers(bound);
        }
        let mut word = || u32::from_le_bytes(std::array::from_fn(|_| draw.stream.below(bound) as u8));
        Values::Integers((0..draw.len).map(|_| word()).collect())
    }
}

/// Winners as an argument.
pub(super) fn winner(access: Access, pool: &PoolShape) -> ArgSpec {
    arg("winner", access, Dtype::U32, &pool.winner())
}

/// The maximum of each window and which element it was:
/// `y[n, i, j, c] = max_{p, q} x[n, i*sh + p, j*sw + q, c]`; `winner` is `p*pool_w + q` of the first maximum in
/// row-major order.
///
/// x `[batch, in_h, in_w, channels]`, y and winner `[batch, out_h, out_w, channels]`.
///
/// Where [`PoolShape::packs_winners`], the winners of four channels share a word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxpoolForward(pub PoolShape);

impl OpKind for MaxpoolForward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("pooling/maxpool_forward.wgsl"),
        elements: &[Element::Real, Element::Real, Element::U32],
        fits: |op| !op.0.packs_winners(),
        by_four: Some(|op| op.0.packs_winners()),
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "maxpool_forward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &self.0.x()), written("y", &self.0.y()), winner(Access::Out, &self.0)]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.0.y().iter().product::<usize>() * self.0.pool_h * self.0.pool_w
    }

    fn longest_loop(&self) -> usize {
        self.0.pool_h * self.0.pool_w
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y), Arg::OutU32(winner)] = args else { return Err(OtherArguments) };
        pack(&self.0, winner, |winner| maxpool_forward(&self.0, x, y, winner));
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        let forward = |s| Case::of(MaxpoolForward(s));
        let eighths = |s| forward(s).with(Numbers::Eighths);
        let mut table: Vec<_> = shapes().into_iter().flat_map(|s| [forward(s), eighths(s)]).collect();
        table.push(forward(ties()).with(Numbers::Equal));
        for s in folds() {
            table.push(eighths(s).folded());
        }
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }

    fn kinks(&self, args: &[&[f64]]) -> Kinks {
        windows(&self.0, args[0])
    }
}

/// Gradient sent back to the elements that won:
/// `dx[n, h, w, c] = sum of dy[n, i, j, c]` over the windows `(i, j)` whose winner is the element `(h, w)`; a winner
/// past the window's elements stands for none.
///
/// dy and winner `[batch, out_h, out_w, channels]`, dx `[batch, in_h, in_w, channels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxpoolBackward(pub PoolShape);

impl OpKind for MaxpoolBackward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("pooling/maxpool_backward.wgsl"),
        elements: &[Element::Real, Element::U32, Element::Real],
        fits: |op| !op.0.packs_winners(),
        by_four: Some(|op| op.0.packs_winners()),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "maxpool_backward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("dy", &self.0.y()), winner(Access::In, &self.0), written("dx", &self.0.x())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.0.y().iter().product()
    }

    fn longest_loop(&self) -> usize {
        self.windows_of_element()
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(dy), Arg::InU32(winner), Arg::Out(dx)] = args else { return Err(OtherArguments) };
        maxpool_backward(&self.0, dy, &unpacked(&self.0, winner), dx);
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        let backward = |s| Case::of(MaxpoolBackward(s));
        let mut table: Vec<_> = shapes().into_iter().map(backward).collect();
        table.push(backward(ties()).with(Numbers::Eighths));
        for s in folds() {
            table.push(backward(s).folded());
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            "winner" => draw.case.op.0.winners(draw),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum(trial.case.op.windows_of_element())
    }
}

impl MaxpoolBackward {
    /// Most windows that an element of the input is in.
    fn windows_of_element(&self) -> usize {
        let PoolShape { pool_h, pool_w, stride_h, stride_w, .. } = self.0;
        pool_h.div_ceil(stride_h) * pool_w.div_ceil(stride_w)
    }
}

fn shapes() -> [PoolShape; 12] {
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
fn ties() -> PoolShape {
    PoolShape::valid([2, 7, 9, 4], [3, 3], [2, 2])
}

/// Sizes whose groups fold, by four and not.
fn folds() -> [PoolShape; 2] {
    [[3, 17, 19, 12], [3, 9, 11, 5]].map(|x| PoolShape::valid(x, [2, 2], [1, 1]))
}

pub(super) fn maxpool_forward<T: Real>(s: &PoolShape, x: &[T], y: &mut [T], winner: &mut [u32]) {
    let y_row = s.out_w * s.channels;
    let rows = y.par_chunks_mut(y_row).zip(winner.par_chunks_mut(y_row));
    rows.enumerate().for_each(|(row, (y, winner))| {
        let (n, i) = (row / s.out_h, row % s.out_h);
        for j in 0..s.out_w {
            let y = &mut y[j * s.channels..][..s.channels];
            let winner = &mut winner[j * s.channels..][..s.channels];
            for p in 0..s.pool_h {
                for q in 0..s.pool_w {
                    let pixel = (n * s.in_h + i * s.stride_h + p) * s.in_w + j * s.stride_w + q;
                    let x = &x[pixel * s.channels..][..s.channels];
                    let element = p * s.pool_w + q;
                    for c in 0..s.channels {
                        if element == 0 || x[c] > y[c] {
                            y[c] = x[c];
                            winner[c] = element as u32;
                        }
                    }
                }
            }
        }
    });
}

fn maxpool_backward<T: Real>(s: &PoolShape, dy: &[T], winner: &[u32], dx: &mut [T]) {
    let dx_image = s.in_h * s.in_w * s.channels;
    dx.par_chunks_mut(dx_image).enumerate().for_each(|(n, dx)| {
        dx.fill(T::zero());
        for i in 0..s.out_h {
            for j in 0..s.out_w {
                for c in 0..s.channels {
                    let from = ((n * s.out_h + i) * s.out_w + j) * s.channels + c;
                    if winner[from] as usize >= s.pool_h * s.pool_w {
                        continue;
                    }
                    let (p, q) = (winner[from] as usize / s.pool_w, winner[from] as usize % s.pool_w);
                    let pixel = (i * s.stride_h + p) * s.in_w + j * s.stride_w + q;
                    dx[pixel * s.channels + c] += dy[from];
                }
            }
        }
    });
}

const BYTES: usize = size_of::<u32>();

/// Each winner.
pub(super) fn unpacked<'a>(s: &PoolShape, words: &'a [u32]) -> Cow<'a, [u32]> {
    match s.packs_winners() {
        true => words.iter().flat_map(|word| word.to_le_bytes().map(u32::from)).collect(),
        false => Cow::Borrowed(words),
    }
}

/// Lets `find` fill in each winner.
pub(super) fn pack(s: &PoolShape, words: &mut [u32], find: impl FnOnce(&mut [u32])) {
    if !s.packs_winners() {
        return find(words);
    }
    let mut winners = vec![0; words.len() * BYTES];
    find(&mut winners);
    for (word, winners) in words.iter_mut().zip(winners.chunks_exact(BYTES)) {
        *word = (0..).zip(winners).map(|(byte, winner)| winner << (8 * byte)).sum();
    }
}

/// The largest element of each window and its distance from the second. A window of equal zeros, which ReLU makes,
/// stays one as long as its ReLUs stay shut, and those are noted.
fn windows(pool: &PoolShape, x: &[f64]) -> Kinks {
    let mut kinks = Kinks::default();
    for n in 0..pool.batch {
        for (i, j) in (0..pool.out_h).flat_map(|i| (0..pool.out_w).map(move |j| (i, j))) {
            for c in 0..pool.channels {
                let taps = (0..pool.pool_h).flat_map(|p| (0..pool.pool_w).map(move |q| (p, q)));
                let mut window: Vec<(usize, f64)> = taps
                    .map(|(p, q)| (i * pool.stride_h + p, j * pool.stride_w + q))
                    .map(|(h, w)| x[((n * pool.in_h + h) * pool.in_w + w) * pool.channels + c])
                    .enumerate()
                    .collect();
                window.sort_by(|a, b| b.1.total_cmp(&a.1));
                kinks.pattern.push(window[0].0);
                if let [(_, first), (_, second), ..] = window[..]
                    && (first, second) != (0.0, 0.0)
                {
                    kinks.margin = kinks.margin.min(first - second);
                }
            }
        }
    }
    kinks
}
