use super::shape::{BYTES, PoolShape, folds, pack, shapes, ties, winner};
use crate::ops::kit::*;

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

    const FAST: &'static [FastRow<Self>] =
        &[FastRow { room: |op| Room { each: op.0.channels, ..Room::NONE }, ..FastRow::new("blocks", fast) }];

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

/// Lines of the output side by side, and all channels of a window.
fn fast(
    op: &MaxpoolForward,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    scratch: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::Out(y), Arg::OutU32(winner)] = args else { return Err(OtherArguments) };
    let s = &op.0;
    let (_, threads) = scratch.parts();
    let words = s.winner()[3];
    each_pair(y, s.out_w * s.channels, winner, s.out_w * words, &|line, y, winner| {
        let (n, i) = (line / s.out_h, line % s.out_h);
        threads.work(|room| {
            let best = &mut room[..s.channels];
            let first = (n * s.in_h + i * s.stride_h) * s.in_w;
            wide(Line { shape: s, x: &x[first * s.channels..], y, winner, best });
        });
    });
    Ok(())
}

/// A line of windows.
struct Line<'a> {
    shape: &'a PoolShape,
    x: &'a [f32],
    y: &'a mut [f32],
    winner: &'a mut [u32],
    /// For the winners of a window.
    best: &'a mut [f32],
}

impl Loops for Line<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Line { shape: s, x, y, winner, best } = self;
        let windows = y.chunks_exact_mut(s.channels).zip(winner.chunks_exact_mut(s.winner()[3]));
        for (j, (y, winner)) in windows.enumerate() {
            maximum(s, &x[j * s.stride_w * s.channels..], y, best);
            write_winners(s, best, winner);
        }
    }
}

/// The largest of each channel, and the number of its first element, which f32 holds.
#[inline(always)]
fn maximum(s: &PoolShape, x: &[f32], y: &mut [f32], best: &mut [f32]) {
    let pixel = |element: usize| (element / s.pool_w * s.in_w + element % s.pool_w) * s.channels;
    let elements = 1..s.pool_h * s.pool_w;
    let whole = s.channels - s.channels % LINE;
    for c in (0..whole).step_by(LINE) {
        let (mut most, mut winner) = (line(x, c), [0.0; LINE]);
        for element in elements.clone() {
            let x = line(x, pixel(element) + c);
            let wins: [bool; LINE] = std::array::from_fn(|at| x[at] > most[at]);
            winner = std::array::from_fn(|at| if wins[at] { element as f32 } else { winner[at] });
            most = std::array::from_fn(|at| if wins[at] { x[at] } else { most[at] });
        }
        y[c..c + LINE].copy_from_slice(&most);
        best[c..c + LINE].copy_from_slice(&winner);
    }
    for c in whole..s.channels {
        (y[c], best[c]) = (x[c], 0.0);
        for element in elements.clone() {
            let x = x[pixel(element) + c];
            if x > y[c] {
                (y[c], best[c]) = (x, element as f32);
            }
        }
    }
}

#[inline(always)]
fn write_winners(s: &PoolShape, best: &[f32], winner: &mut [u32]) {
    if !s.packs_winners() {
        winner.iter_mut().zip(best).for_each(|(winner, &best)| *winner = best as u32);
        return;
    }
    for (word, best) in winner.iter_mut().zip(best.chunks_exact(BYTES)) {
        *word = (0..).zip(best).map(|(byte, &best)| (best as u32) << (8 * byte)).sum();
    }
}

pub(in crate::ops) fn maxpool_forward<T: Real>(s: &PoolShape, x: &[T], y: &mut [T], winner: &mut [u32]) {
    let y_row = s.out_w * s.channels;
    each_pair(y, y_row, winner, y_row, &|row, y, winner| {
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
