//! Loops over rows of channels for fast rows: a few columns at a time, whose sums and factors stay in registers.

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Range, Sub};

use super::pieces::each_piece;
use super::wide::{Loops, wide};

/// Columns at a time: a line of the cache.
pub(crate) const LINE: usize = 16;
/// Floats of one piece of work: enough to make up for handing it to another thread.
const PIECE: usize = 1 << 14;

/// Numbers of neighbouring columns. Each operation is one loop over them, which compilers turn into vectors whatever stands around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lanes([f32; LINE]);

impl Lanes {
    /// The same number in all.
    #[inline(always)]
    pub(crate) fn all(x: f32) -> Self {
        Lanes([x; LINE])
    }

    /// Numbers from one on; zeros where there are fewer.
    #[inline(always)]
    fn load(x: &[f32], at: usize) -> Self {
        if x.len() >= at + LINE {
            return Lanes(line(x, at));
        }
        let mut lanes = [0.0; LINE];
        lanes[..x.len() - at].copy_from_slice(&x[at..]);
        Lanes(lanes)
    }

    /// Writes as many as there is room for.
    #[inline(always)]
    fn store(self, y: &mut [f32], at: usize) {
        match y.len() >= at + LINE {
            true => y[at..at + LINE].copy_from_slice(&self.0),
            false => y[at..].iter_mut().zip(self.0).for_each(|(y, lane)| *y = lane),
        }
    }
}

macro_rules! by_lane {
    ($($operation:ident, $method:ident, $operator:tt;)*) => {$(
        impl $operation for Lanes {
            type Output = Lanes;

            #[inline(always)]
            fn $method(self, other: Lanes) -> Lanes {
                Lanes(from_fn(|lane| self.0[lane] $operator other.0[lane]))
            }
        }
    )*};
}

by_lane! {
    Add, add, +;
    Sub, sub, -;
    Mul, mul, *;
    Div, div, /;
}

/// `y[r, c] = f(y[r, c], [x[r, c], ..], [p[c], ..])` for all rows, with `parameters(c)` for p.
pub(crate) fn change_columns<const X: usize, const P: usize>(
    columns: usize,
    y: &mut [f32],
    xs: [&[f32]; X],
    parameters: impl Fn(usize) -> [f32; P] + Sync,
    f: impl Fn(Lanes, [Lanes; X], [Lanes; P]) -> Lanes + Sync,
) {
    let p = rows_of(columns, parameters);
    let piece = (PIECE / columns.max(1)).max(1) * columns;
    each_piece(y, piece, &|number, y| {
        let xs = xs.map(|x| &x[number * piece..][..y.len()]);
        wide(Change { columns, y, xs, p: p.each_ref().map(Vec::as_slice), f: &f });
    });
}

/// A row of each parameter, as the rows of x are.
fn rows_of<const P: usize>(columns: usize, parameters: impl Fn(usize) -> [f32; P]) -> [Vec<f32>; P] {
    from_fn(|at| (0..columns).map(|c| parameters(c)[at]).collect())
}

struct Change<'a, F, const X: usize, const P: usize> {
    columns: usize,
    y: &'a mut [f32],
    xs: [&'a [f32]; X],
    p: [&'a [f32]; P],
    f: &'a F,
}

impl<F, const X: usize, const P: usize> Loops for Change<'_, F, X, P>
where
    F: Fn(Lanes, [Lanes; X], [Lanes; P]) -> Lanes,
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Change { columns, y, xs, p, f } = self;
        for c in (0..columns).step_by(LINE) {
            let p = p.map(|p| Lanes::load(p, c));
            for (r, y) in y.chunks_exact_mut(columns).enumerate() {
                let x = xs.map(|x| Lanes::load(&x[r * columns..][..columns], c));
                f(Lanes::load(y, c), x, p).store(y, c);
            }
        }
    }
}

/// `sum[c] = sum_r f([x[r, c], ..], [p[c], ..])` over these rows, in their order, with `parameters(c)` for p.
pub(crate) fn sum_columns<const X: usize, const P: usize>(
    rows: Range<usize>,
    xs: [&[f32]; X],
    sum: &mut [f32],
    parameters: impl Fn(usize) -> [f32; P],
    f: impl Fn([Lanes; X], [Lanes; P]) -> Lanes,
) {
    let p = rows_of(sum.len(), parameters);
    wide(Sums { rows, xs, sum, p: p.each_ref().map(Vec::as_slice), f });
}

struct Sums<'a, F, const X: usize, const P: usize> {
    rows: Range<usize>,
    xs: [&'a [f32]; X],
    sum: &'a mut [f32],
    p: [&'a [f32]; P],
    f: F,
}

impl<F, const X: usize, const P: usize> Loops for Sums<'_, F, X, P>
where
    F: Fn([Lanes; X], [Lanes; P]) -> Lanes,
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Sums { rows, xs, sum, p, f } = self;
        let columns = sum.len();
        for c in (0..columns).step_by(LINE) {
            let p = p.map(|p| Lanes::load(p, c));
            let mut sums = Lanes::all(0.0);
            for r in rows.clone() {
                sums = sums + f(xs.map(|x| Lanes::load(&x[r * columns..][..columns], c)), p);
            }
            sums.store(sum, c);
        }
    }
}

/// So many floats from one on.
#[inline(always)]
pub(crate) fn line(x: &[f32], at: usize) -> [f32; LINE] {
    from_fn(|lane| x[at..at + LINE][lane])
}
