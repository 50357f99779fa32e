//! Bounds of softmax and cross-entropy, from the accuracy of `exp`, `log` and division in WGSL.

use super::inputs::Argument;
use super::tolerance::{DIVISION, FLUSHED, ULP, exp_error, sum_of_products};
use crate::plan::MatmulShape;

/// Absolute error of `log` on `[0.5, 2]`.
const LOG_NEAR_ONE: f64 = 1.0 / 2_097_152.0; // 2^-21
/// Relative error of `log` elsewhere: 3 ULP.
const LOG: f64 = 3.0 * ULP;

/// A row's softmax in f64 with its errors.
struct Row {
    /// Largest logit.
    m: f64,
    /// Sum of `exp(z - m)`.
    s: f64,
    /// Relative error of the sum.
    s_error: f64,
}

/// Relative error of `exp(d)` with `d = z - m` rounded once: that of exp, and `|d|` ULP of the difference.
fn difference_exp_error(d: f64) -> f64 {
    exp_error(d) + d.abs() * ULP
}

/// Absolute error of the `log` of a number that is off by no more than `error` itself: which of WGSL's two rules holds is
/// decided by the number as it was computed.
pub(super) fn log_error(x: f64, error: f64) -> f64 {
    let relative = LOG * x.ln().abs();
    let near_one = x >= 0.5 - error && x <= 2.0 + error;
    if near_one { relative.max(LOG_NEAR_ONE) } else { relative }
}

impl Row {
    fn new(logits: &[f32]) -> Self {
        let m = logits.iter().fold(f64::MIN, |m, &z| m.max(f64::from(z)));
        let terms =
            logits.iter().map(|&z| f64::from(z) - m).map(|d| (d.exp(), d.exp() * difference_exp_error(d)));
        let (s, error) = terms.fold((0.0, 0.0), |(s, error), (e, of_e)| (s + e, error + of_e + FLUSHED));
        // All terms are positive: the sum is its own magnitude.
        let additions = if logits.len() > 1 { sum_of_products(logits.len()) } else { 0.0 };
        Row { m, s, s_error: error / s + additions }
    }

    /// Probability and its absolute error.
    fn probability(&self, z: f32) -> [f64; 2] {
        let d = f64::from(z) - self.m;
        let p = d.exp() / self.s;
        [p, p * (difference_exp_error(d) + self.s_error + DIVISION) + 2.0 * FLUSHED]
    }

    /// `ln s` and its absolute error.
    fn ln_s(&self) -> [f64; 2] {
        let ln_s = self.s.ln();
        [ln_s, self.s_error + log_error(self.s, self.s * self.s_error)]
    }
}

/// Bounds of the probabilities of `[_, columns]` logits.
pub(super) fn softmax_bounds(columns: usize, logits: &[f32]) -> Vec<f64> {
    logits
        .chunks(columns)
        .flat_map(|logits| {
            let row = Row::new(logits);
            logits.iter().map(move |&z| row.probability(z)[1])
        })
        .collect()
}

/// Bounds of the loss of each row and of the logits' gradient; rows past the batch's size are exactly zero.
pub(super) fn cross_entropy_bounds(
    columns: usize,
    batch_size: u32,
    logits: &[f32],
    targets: &[f32],
) -> [Vec<f64>; 2] {
    let n = f64::from(batch_size);
    let mut losses = Vec::new();
    let mut gradients = Vec::new();
    for (r, (logits, targets)) in logits.chunks(columns).zip(targets.chunks(columns)).enumerate() {
        if r >= batch_size as usize {
            losses.push(0.0);
            gradients.extend(vec![0.0; columns]);
            continue;
        }
        let row = Row::new(logits);
        losses.push(loss_bound(&row, logits, targets));
        gradients.extend(logits.iter().zip(targets).map(|(&z, &t)| {
            let [p, p_error] = row.probability(z);
            let difference = (p - f64::from(t)).abs();
            // The difference is rounded once, and divided.
            (p_error + difference * (ULP + DIVISION)) / n + FLUSHED
        }));
    }
    [losses, gradients]
}

/// Bounds of the last layer of a classifier, both ways, with the loss between them: gradient, dx, and the loss of each row.
///
/// Logits that are off by no more than e make a row's loss off by 2e more, and a probability by a factor of exp(2e).
pub(super) fn last_layer_bounds(s: &MatmulShape, batch_size: u32, arguments: &[Argument]) -> [Vec<f64>; 3] {
    let [x, kernel, bias, targets] = [0, 1, 2, 3].map(|at| arguments[at].floats());
    let float = |values: &[f32], at: usize| f64::from(values[at]);
    let mut logits = Vec::with_capacity(s.m * s.n);
    let mut off = vec![0.0f64; s.m];
    for (r, off) in off.iter_mut().enumerate() {
        for c in 0..s.n {
            let product = |t: usize| float(x, r * s.k + t) * float(kernel, t * s.n + c);
            let logit = float(bias, c) + (0..s.k).map(product).sum::<f64>();
            let magnitude = float(bias, c).abs() + (0..s.k).map(|t| product(t).abs()).sum::<f64>();
            let error = magnitude * sum_of_products(s.k + 1) + FLUSHED * s.k as f64;
            // As is its value in f32, of which the rest of the bound is made.
            *off = off.max(error + logit.abs() * ULP);
            logits.push(logit as f32);
        }
    }
    let [mut losses, mut d_errors] = cross_entropy_bounds(s.n, batch_size, &logits, targets);
    let mut d = vec![0.0; s.m * s.n];
    let n = f64::from(batch_size);
    for r in 0..batch_size as usize {
        let row = Row::new(&logits[r * s.n..][..s.n]);
        losses[r] += 2.0 * off[r];
        for c in 0..s.n {
            let at = r * s.n + c;
            let [p, _] = row.probability(logits[at]);
            d[at] = (p - float(targets, at)) / n;
            d_errors[at] += p * (2.0 * off[r]).exp_m1() / n;
        }
    }
    let bound = |terms: usize, term: &dyn Fn(usize) -> (f64, usize)| {
        let sum =
            |errors: &[f64]| (0..terms).map(term).map(|(w, at)| w.abs() * errors[at].abs()).sum::<f64>();
        // The terms are off, and their sum is rounded.
        sum(&d_errors) + (sum(&d) + sum(&d_errors)) * sum_of_products(terms) + FLUSHED * terms as f64
    };
    let of_gradient = |t: usize, c: usize| {
        bound(s.m, &|r| (if t < s.k { float(x, r * s.k + t) } else { 1.0 }, r * s.n + c))
    };
    let of_dx = |r: usize, t: usize| bound(s.n, &|c| (float(kernel, t * s.n + c), r * s.n + c));
    let gradient = (0..(s.k + 1) * s.n).map(|at| of_gradient(at / s.n, at % s.n)).collect();
    let dx = (0..s.m * s.k).map(|at| of_dx(at / s.k, at % s.k)).collect();
    [gradient, dx, losses]
}

/// Of `sum_c t_c (ln s - d_c)` with `d_c = z_c - m`, over the classes with a target.
fn loss_bound(row: &Row, logits: &[f32], targets: &[f32]) -> f64 {
    let [ln_s, ln_s_error] = row.ln_s();
    let wanted: Vec<_> = logits.iter().zip(targets).filter(|(_, t)| **t != 0.0).collect();
    let terms = wanted.iter().map(|&(&z, &t)| {
        let d = f64::from(z) - row.m;
        let term = (ln_s - d).abs();
        // Rounded: d, and its difference from ln s.
        let term_error = ln_s_error + d.abs() * ULP + term * ULP;
        f64::from(t).abs() * (term_error + term * sum_of_products(wanted.len()))
    });
    terms.sum::<f64>() + FLUSHED
}
