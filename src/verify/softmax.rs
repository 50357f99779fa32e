//! Bounds of softmax and cross-entropy, from the accuracy of `exp`, `log` and division in WGSL.

use super::tolerance::{DIVISION, FLUSHED, ULP, sum_of_products};

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

/// Relative error of `exp(d)` with `d = z - m` rounded once: `3 + 2|d|` ULP of exp, `|d|` ULP of the difference.
fn exp_error(d: f64) -> f64 {
    (3.0 + 3.0 * d.abs()) * ULP
}

impl Row {
    fn new(logits: &[f32]) -> Self {
        let m = logits.iter().fold(f64::MIN, |m, &z| m.max(f64::from(z)));
        let terms = logits.iter().map(|&z| f64::from(z) - m).map(|d| (d.exp(), d.exp() * exp_error(d)));
        let (s, error) = terms.fold((0.0, 0.0), |(s, error), (e, of_e)| (s + e, error + of_e + FLUSHED));
        // All terms are positive: the sum is its own magnitude.
        let additions = if logits.len() > 1 { sum_of_products(logits.len()) } else { 0.0 };
        Row { m, s, s_error: error / s + additions }
    }

    /// Probability and its absolute error.
    fn probability(&self, z: f32) -> [f64; 2] {
        let d = f64::from(z) - self.m;
        let p = d.exp() / self.s;
        [p, p * (exp_error(d) + self.s_error + DIVISION) + 2.0 * FLUSHED]
    }

    /// `ln s` and its absolute error.
    fn ln_s(&self) -> [f64; 2] {
        let ln_s = self.s.ln();
        let relative = LOG * ln_s.abs();
        // Which of the two rules holds is decided by the sum as it was computed.
        let log = if self.s <= 2.0 * (1.0 + self.s_error) { relative.max(LOG_NEAR_ONE) } else { relative };
        [ln_s, self.s_error + log]
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
