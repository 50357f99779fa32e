//! Loops over rows of channels for fast rows: a few columns at a time, whose sums and factors stay in registers.

use std::ops::Range;

use rayon::prelude::*;

/// Columns at a time: a line of the cache.
pub(crate) const LINE: usize = 16;
/// Floats of one piece of work: enough to make up for handing it to another thread.
const PIECE: usize = 1 << 14;

/// Runs loops that are compiled for every width of vectors, with the widest that this processor has. Rust rounds each product and
/// each sum by itself on all of them, so the bits are the same.
pub(crate) fn wide<R>(loops: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(loops)
}

/// `y[r, c] = f(y[r, c], [x[r, c], ..], [p[c], ..])` for all rows, with `parameters(c)` for p.
pub(crate) fn change_columns<const X: usize, const P: usize>(
    columns: usize,
    y: &mut [f32],
    xs: [&[f32]; X],
    parameters: impl Fn(usize) -> [f32; P] + Sync,
    f: impl Fn(f32, [f32; X], [f32; P]) -> f32 + Sync,
) {
    // A row of each parameter, as the rows of x are.
    let of_columns: [Vec<f32>; P] =
        std::array::from_fn(|at| (0..columns).map(|c| parameters(c)[at]).collect());
    let piece = (PIECE / columns.max(1)).max(1) * columns;
    y.par_chunks_mut(piece).enumerate().for_each(|(number, y)| {
        let xs = xs.map(|x| &x[number * piece..][..y.len()]);
        let p: [&[f32]; P] = std::array::from_fn(|at| &of_columns[at][..columns]);
        wide(|| change_piece(columns, y, xs, p, &f));
    });
}

#[inline(always)]
fn change_piece<const X: usize, const P: usize>(
    columns: usize,
    y: &mut [f32],
    xs: [&[f32]; X],
    p: [&[f32]; P],
    f: &impl Fn(f32, [f32; X], [f32; P]) -> f32,
) {
    for (r, y) in y.chunks_exact_mut(columns).enumerate() {
        let x: [&[f32]; X] = std::array::from_fn(|at| &xs[at][r * columns..][..columns]);
        for (c, y) in y.iter_mut().enumerate() {
            *y = f(*y, std::array::from_fn(|at| x[at][c]), std::array::from_fn(|at| p[at][c]));
        }
    }
}

/// `sum[c] = sum_r f([x[r, c], ..], [p[c], ..])` over these rows, in their order, with `parameters(c)` for p.
pub(crate) fn sum_columns<const X: usize, const P: usize>(
    rows: Range<usize>,
    xs: [&[f32]; X],
    sum: &mut [f32],
    parameters: impl Fn(usize) -> [f32; P],
    f: impl Fn([f32; X], [f32; P]) -> f32,
) {
    wide(|| sum_rows(rows, xs, sum, &parameters, &f));
}

#[inline(always)]
fn sum_rows<const X: usize, const P: usize>(
    rows: Range<usize>,
    xs: [&[f32]; X],
    sum: &mut [f32],
    parameters: &impl Fn(usize) -> [f32; P],
    f: &impl Fn([f32; X], [f32; P]) -> f32,
) {
    let columns = sum.len();
    for c in (0..columns).step_by(LINE) {
        let some = LINE.min(columns - c);
        let mut sums = [0.0; LINE];
        if some == LINE {
            let p = side_by_side(|lane| parameters(c + lane));
            for r in rows.clone() {
                let x = xs.map(|x| line(x, r * columns + c));
                sums = std::array::from_fn(|lane| sums[lane] + f(x.map(|x| x[lane]), p.map(|p| p[lane])));
            }
        } else {
            for (c, sum) in (c..columns).zip(&mut sums) {
                let p = parameters(c);
                *sum = rows.clone().fold(0.0, |sum, r| sum + f(xs.map(|x| x[r * columns + c]), p));
            }
        }
        sum[c..c + some].copy_from_slice(&sums[..some]);
    }
}

/// The values of each parameter side by side.
#[inline(always)]
fn side_by_side<const P: usize>(of_lane: impl Fn(usize) -> [f32; P]) -> [[f32; LINE]; P] {
    let by_lane: [[f32; P]; LINE] = std::array::from_fn(of_lane);
    std::array::from_fn(|parameter| by_lane.map(|p| p[parameter]))
}

/// So many floats from one on.
#[inline(always)]
pub(crate) fn line(x: &[f32], at: usize) -> [f32; LINE] {
    std::array::from_fn(|lane| x[at..at + LINE][lane])
}
