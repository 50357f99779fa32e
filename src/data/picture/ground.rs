//! The background of a drawing: paper or a board, and the light on it.

use super::pixels::{median, quantile};
use crate::data::resample::Plane;

/// Blocks along each side to whose medians a surface is fitted, the least side of a block, and the least side of a
/// plane that has blocks.
const BLOCKS: usize = 32;
const LEAST_BLOCK: usize = 4;
const LEAST_SIDE: usize = 32;
/// A surface of the fourth degree: light falls off from the middle of a lens with about the fourth power of a cosine.
const DEGREE: usize = 4;
const TERMS: usize = (DEGREE + 1) * (DEGREE + 2) / 2;
/// Rounds of reweighting, in which blocks far from the surface lose their weight.
const ROUNDS: usize = 30;
/// Keeps the equations solvable where blocks are few.
const RIDGE: f64 = 1e-6;
/// Strokes are thinner than this share of the smaller side.
const STROKE: f32 = 0.3;

/// The grey of the background at each place.
#[derive(Debug, Clone)]
pub(super) enum Ground {
    /// The same everywhere.
    Even(f32),
    /// A polynomial in x and y, each from -1 to 1 across the plane `[height, width]`.
    Surface { size: [usize; 2], terms: [f64; TERMS] },
    /// A value per pixel of the plane.
    Local(Plane),
}

impl Ground {
    /// At a place in pixels of the plane, the middle of its first pixel being (0.5, 0.5).
    pub fn at(&self, y: f32, x: f32) -> f32 {
        match self {
            Ground::Even(grey) => *grey,
            Ground::Surface { size, terms } => {
                let powers = powers(f64::from(y) / size[0] as f64, f64::from(x) / size[1] as f64);
                powers.iter().zip(terms).map(|(power, term)| power * term).sum::<f64>() as f32
            }
            Ground::Local(plane) => between(plane, y - 0.5, x - 0.5),
        }
    }

    /// The median of the outermost pixels.
    pub fn even(plane: &Plane) -> Self {
        Ground::Even(median(&mut border(plane)))
    }

    /// A smooth surface through most of the plane, whatever the rest is: weighted least squares on medians of blocks.
    /// The weights are those of Cauchy's distribution, `1 / (1 + (r/s)^2)`; the scale `s` of the residuals `r` is
    /// estimated anew in each round. `None` for a plane with few blocks.
    ///
    /// Source: P. J. Huber, Robust Statistics (1981), chapter 7.
    pub fn surface(plane: &Plane) -> Option<Self> {
        let size = [plane.height, plane.width];
        if plane.height.min(plane.width) < LEAST_SIDE {
            return None;
        }
        let blocks = blocks(plane);
        let mut terms = [0.0; TERMS];
        let mut weights = vec![1.0; blocks.len()];
        for _ in 0..ROUNDS {
            terms = least_squares(&blocks, &weights)?;
            let residual = |(powers, grey): &([f64; TERMS], f64)| {
                (powers.iter().zip(terms).map(|(power, term)| power * term).sum::<f64>() - grey).abs()
            };
            let residuals: Vec<f64> = blocks.iter().map(residual).collect();
            let mut sorted: Vec<f32> = residuals.iter().map(|residual| *residual as f32).collect();
            let scale = f64::from(median(&mut sorted)).max(0.5) * 2.0;
            weights = residuals
                .iter()
                .map(|residual| 1.0 / (1.0 + (residual / scale) * (residual / scale)))
                .collect();
        }
        Some(Ground::Surface { size, terms })
    }

    /// What is left when everything thinner than [`STROKE`] is filled from around it: a morphological closing where the
    /// ink is darker than the ground, an opening where it is lighter. It follows the edges of shadows.
    pub fn local(plane: &Plane, darker: bool) -> Self {
        let reach = ((plane.height.min(plane.width) as f32 * STROKE) as usize / 2).max(2);
        let sign = if darker { 1.0 } else { -1.0 };
        let mut made = smoothed(plane);
        made.values.iter_mut().for_each(|value| *value *= sign);
        made = greatest(&made, reach);
        made.values.iter_mut().for_each(|value| *value = -*value);
        made = greatest(&made, reach);
        made.values.iter_mut().for_each(|value| *value *= -sign);
        // The filters leave extremes of the grain; the ground is its middle.
        let mut differences: Vec<f32> =
            plane.values.iter().zip(&made.values).map(|(value, ground)| value - ground).collect();
        let middle = median(&mut differences);
        made.values.iter_mut().for_each(|value| *value += middle);
        Ground::Local(made)
    }
}

/// The outermost pixels.
pub(super) fn border(plane: &Plane) -> Vec<f32> {
    let Plane { height, width, values } = plane;
    let outermost = |at: &usize| {
        let (y, x) = (at / width, at % width);
        y == 0 || x == 0 || y + 1 == *height || x + 1 == *width
    };
    (0..values.len()).filter(outermost).map(|at| values[at]).collect()
}

/// The standard deviation of the noise from pixel to pixel: taken from the differences between neighbours in a row,
/// by their quartile, so that neither strokes nor slow changes of the light count.
pub(super) fn grain(plane: &Plane) -> f32 {
    /// Half of a normal distribution is within this many standard deviations of its mean; the difference of two
    /// values has root 2 times the standard deviation of one.
    const HALF: f32 = 0.6745 * std::f32::consts::SQRT_2;
    let rows = plane.values.chunks_exact(plane.width);
    let mut differences: Vec<f32> =
        rows.flat_map(|row| row.windows(2).map(|pair| (pair[0] - pair[1]).abs())).collect();
    if differences.is_empty() { 0.0 } else { quantile(&mut differences, 0.5) / HALF }
}

/// `x^i y^j` for i + j up to [`DEGREE`], of places that run from 0 to 1.
fn powers(y: f64, x: f64) -> [f64; TERMS] {
    let up_to = |value: f64| {
        let mut power = [1.0; DEGREE + 1];
        (1..=DEGREE).for_each(|at| power[at] = power[at - 1] * value);
        power
    };
    let (down, across) = (up_to(2.0 * y - 1.0), up_to(2.0 * x - 1.0));
    let mut made = [0.0; TERMS];
    let exponents = (0..=DEGREE).flat_map(|sum| (0..=sum).map(move |i| (i, sum - i)));
    for (power, (i, j)) in made.iter_mut().zip(exponents) {
        *power = across[i] * down[j];
    }
    made
}

/// Powers of the middle and the median grey of each block.
fn blocks(plane: &Plane) -> Vec<([f64; TERMS], f64)> {
    let count = |side: usize| (side / LEAST_BLOCK).clamp(1, BLOCKS);
    let (down, across) = (count(plane.height), count(plane.width));
    let cut = |at: usize, of: usize, side: usize| at * side / of;
    let block = |y: usize, x: usize| {
        let (top, left) = (cut(y, down, plane.height), cut(x, across, plane.width));
        let size = [cut(y + 1, down, plane.height) - top, cut(x + 1, across, plane.width) - left];
        let mut part = plane.part([top, left], size);
        let powers = powers((y as f64 + 0.5) / down as f64, (x as f64 + 0.5) / across as f64);
        (powers, f64::from(median(&mut part.values)))
    };
    (0..down).flat_map(|y| (0..across).map(move |x| (y, x))).map(|(y, x)| block(y, x)).collect()
}

/// The terms with the least weighted sum of squares: the normal equations, by Gaussian elimination with pivots.
fn least_squares(blocks: &[([f64; TERMS], f64)], weights: &[f64]) -> Option<[f64; TERMS]> {
    let mut rows = [[0.0; TERMS + 1]; TERMS];
    for ((powers, grey), weight) in blocks.iter().zip(weights) {
        for (row, power) in rows.iter_mut().zip(powers) {
            for (sum, other) in row.iter_mut().zip(powers.iter().chain([grey])) {
                *sum += weight * power * other;
            }
        }
    }
    (0..TERMS).for_each(|at| rows[at][at] += RIDGE);
    for column in 0..TERMS {
        let pivot =
            (column..TERMS).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        let lead = rows[column];
        if lead[column] == 0.0 {
            return None;
        }
        for row in rows.iter_mut().enumerate().filter(|(at, _)| *at != column).map(|(_, row)| row) {
            let share = row[column] / lead[column];
            row.iter_mut().zip(lead).for_each(|(value, by)| *value -= share * by);
        }
    }
    let terms: [f64; TERMS] = std::array::from_fn(|at| rows[at][TERMS] / rows[at][at]);
    terms.iter().all(|term| term.is_finite()).then_some(terms)
}

/// Means of three by three pixels, fewer at the edges.
fn smoothed(plane: &Plane) -> Plane {
    let Plane { height, width, values } = plane;
    let mean = |at: usize| {
        let (y, x) = (at / width, at % width);
        let rows = y.saturating_sub(1)..(y + 2).min(*height);
        let columns = x.saturating_sub(1)..(x + 2).min(*width);
        let count = (rows.len() * columns.len()) as f32;
        rows.flat_map(|y| &values[y * width..][columns.clone()]).sum::<f32>() / count
    };
    Plane { height: *height, width: *width, values: (0..values.len()).map(mean).collect() }
}

/// The greatest value within `reach` pixels in each direction.
fn greatest(plane: &Plane, reach: usize) -> Plane {
    let Plane { height, width, values } = plane;
    let mut made = values.clone();
    for row in made.chunks_exact_mut(*width) {
        slide(row, reach);
    }
    let mut column = vec![0.0; *height];
    for x in 0..*width {
        (0..*height).for_each(|y| column[y] = made[y * width + x]);
        slide(&mut column, reach);
        (0..*height).for_each(|y| made[y * width + x] = column[y]);
    }
    Plane { height: *height, width: *width, values: made }
}

/// Replaces each value with the greatest within `reach` of it, in one pass: a queue holds the values that may still
/// be it.
fn slide(line: &mut [f32], reach: usize) {
    let given = line.to_vec();
    let mut queue = std::collections::VecDeque::new();
    let mut next = 0;
    for (at, value) in line.iter_mut().enumerate() {
        while next < given.len() && next <= at + reach {
            while queue.back().is_some_and(|last: &usize| given[*last] <= given[next]) {
                queue.pop_back();
            }
            queue.push_back(next);
            next += 1;
        }
        while queue.front().is_some_and(|first| first + reach < at) {
            queue.pop_front();
        }
        if let Some(first) = queue.front() {
            *value = given[*first];
        }
    }
}

/// Interpolates between four pixels; at the edges takes the nearest.
fn between(plane: &Plane, y: f32, x: f32) -> f32 {
    let place = |at: f32, side: usize| {
        let at = at.clamp(0.0, (side - 1) as f32);
        let first = at as usize;
        (first, (first + 1).min(side - 1), at - first as f32)
    };
    let (top, bottom, down) = place(y, plane.height);
    let (left, right, across) = place(x, plane.width);
    let value = |y: usize, x: usize| plane.values[y * plane.width + x];
    let row = |y: usize| value(y, left) * (1.0 - across) + value(y, right) * across;
    row(top) * (1.0 - down) + row(bottom) * down
}
