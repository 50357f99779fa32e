//! Loops over rows of channels for fast rows: a few columns at a time, whose sums and factors stay in registers.

use std::ops::Range;

use rayon::prelude::*;

/// Columns at a time: a line of the cache.
const LANES: usize = 16;
/// Floats of one piece of work: enough to make up for handing it to another thread.
const PIECE: usize = 1 << 14;

/// `y[r, c] = f(y[r, c], [x[r, c], ..], [p[c], ..])` for all rows, with `parameters(c)` for p.
pub(crate) fn change_columns<const X: usize, const P: usize>(
    columns: usize,
    y: &mut [f32],
    xs: [&[f32]; X],
    parameters: impl Fn(usize) -> [f32; P] + Sync,
    f: impl Fn(f32, [f32; X], [f32; P]) -> f32 + Sync,
) {
    let piece = (PIECE / columns.max(1)).max(1) * columns;
    y.par_chunks_mut(piece).enumerate().for_each(|(number, y)| {
        let xs = xs.map(|x| &x[number * piece..][..y.len()]);
        for c in (0..columns - columns % LANES).step_by(LANES) {
            let p: [[f32; P]; LANES] = std::array::from_fn(|lane| parameters(c + lane));
            let p: [[f32; LANES]; P] = std::array::from_fn(|of| p.map(|p| p[of]));
            for at in (c..y.len()).step_by(columns) {
                let x: [&[f32; LANES]; X] = xs.map(|x| lanes(x, at));
                for (lane, y) in y[at..at + LANES].iter_mut().enumerate() {
                    *y = f(*y, x.map(|x| x[lane]), std::array::from_fn(|of| p[of][lane]));
                }
            }
        }
        for c in columns - columns % LANES..columns {
            let p = parameters(c);
            for at in (c..y.len()).step_by(columns) {
                y[at] = f(y[at], xs.map(|x| x[at]), p);
            }
        }
    });
}

/// `sum[c] = sum_r f([x[r, c], ..], [p[c], ..])` over these rows, in their order, with `parameters(c)` for p.
pub(crate) fn sum_columns<const X: usize, const P: usize>(
    rows: Range<usize>,
    xs: [&[f32]; X],
    sum: &mut [f32],
    parameters: impl Fn(usize) -> [f32; P],
    f: impl Fn([f32; X], [f32; P]) -> f32,
) {
    let columns = sum.len();
    for (block, sum) in sum.chunks_mut(LANES).enumerate() {
        let c = block * LANES;
        let p: [[f32; P]; LANES] = std::array::from_fn(|lane| parameters((c + lane).min(columns - 1)));
        let p: [[f32; LANES]; P] = std::array::from_fn(|of| p.map(|p| p[of]));
        if let Ok(sum) = <&mut [f32; LANES]>::try_from(&mut *sum) {
            let mut sums = [0.0; LANES];
            for r in rows.clone() {
                let x: [&[f32; LANES]; X] = xs.map(|x| lanes(x, r * columns + c));
                for (lane, sum) in sums.iter_mut().enumerate() {
                    *sum += f(x.map(|x| x[lane]), std::array::from_fn(|of| p[of][lane]));
                }
            }
            *sum = sums;
        } else {
            sum.fill(0.0);
            for r in rows.clone() {
                for (lane, sum) in sum.iter_mut().enumerate() {
                    *sum += f(xs.map(|x| x[r * columns + c + lane]), std::array::from_fn(|of| p[of][lane]));
                }
            }
        }
    }
}

fn lanes(x: &[f32], at: usize) -> &[f32; LANES] {
    // The slice has this length.
    x[at..at + LANES].first_chunk().unwrap_or(&[0.0; LANES])
}
