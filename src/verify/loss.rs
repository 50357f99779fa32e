//! Bounds of the losses of a layer's outputs: of each row's loss and of the gradient.

use super::softmax::log_error;
use super::tolerance::{DIVISION, FLUSHED, ULP, sum_of_products};
use crate::plan::PROBABILITIES;

/// The outputs and targets of the rows of a batch; rows past its size are exactly zero.
pub(super) struct Rows<'a> {
    pub(super) columns: usize,
    pub(super) batch_size: u32,
    pub(super) outputs: &'a [f32],
    pub(super) targets: &'a [f32],
}

impl Rows<'_> {
    fn bounds(&self, of_row: impl Fn(&[f64], &[f64]) -> (f64, Vec<f64>)) -> [Vec<f64>; 2] {
        let wide = |row: &[f32]| row.iter().copied().map(f64::from).collect::<Vec<_>>();
        let (mut losses, mut gradients) = (Vec::new(), Vec::new());
        let rows = self.outputs.chunks(self.columns).zip(self.targets.chunks(self.columns));
        for (r, (outputs, targets)) in rows.enumerate() {
            let (loss, gradient) = if r < self.batch_size as usize {
                of_row(&wide(outputs), &wide(targets))
            } else {
                (0.0, vec![0.0; self.columns])
            };
            losses.push(loss);
            gradients.extend(gradient);
        }
        [losses, gradients]
    }

    /// Squared errors: differences and a sum of their squares, divided; the gradient is a difference divided by a product.
    pub(super) fn mean_squared_error(&self) -> [Vec<f64>; 2] {
        let columns = self.columns as f64;
        let n = f64::from(self.batch_size);
        self.bounds(|outputs, targets| {
            let differences = outputs.iter().zip(targets).map(|(y, t)| (y - t).abs());
            let sum: f64 = differences.clone().map(|d| d * d).sum();
            let relative = 2.0 * ULP + sum_of_products(self.columns) + DIVISION;
            let gradient = differences.map(|d| 2.0 * d / (columns * n) * (2.0 * ULP + DIVISION) + FLUSHED);
            (sum / columns * relative + FLUSHED * columns, gradient.collect())
        })
    }

    /// Cross-entropy of `q = y / s`, `s` the row's sum. Where q may be clipped or not, both gradients are right.
    pub(super) fn cross_entropy(&self) -> [Vec<f64>; 2] {
        let n = f64::from(self.batch_size);
        let [least, largest] = PROBABILITIES.map(f64::from);
        self.bounds(|outputs, targets| {
            let s: f64 = outputs.iter().sum();
            let magnitude: f64 = outputs.iter().map(|y| y.abs()).sum();
            let additions = if self.columns == 1 { 0.0 } else { sum_of_products(self.columns) };
            let s_error = additions * magnitude / s.abs();
            let q: Vec<[f64; 2]> = outputs
                .iter()
                .map(|y| y / s)
                .map(|q| [q, q.abs() * (s_error + DIVISION) + FLUSHED])
                .collect();
            let wanted = targets.iter().filter(|&&t| t != 0.0).count();
            let (mut loss, mut free, mut free_error, mut unsure) = (0.0, 0.0, 0.0, 0.0);
            for (&[q, error], t) in q.iter().zip(targets) {
                let clipped = q.clamp(least, largest);
                let ln = clipped.ln().abs();
                let ln_error = error / (clipped - error).max(least) + log_error(clipped, error);
                loss += t * (ln_error + ln * sum_of_products(wanted));
                let is_free = (least..=largest).contains(&q);
                free += if is_free { *t } else { 0.0 };
                free_error += t * sum_of_products(wanted);
                let near = (q - least).abs().min((q - largest).abs());
                unsure += if near <= error { *t } else { 0.0 };
            }
            let gradient = q.iter().zip(targets).map(|(&[q, error], t)| {
                let near = (q - least).abs().min((q - largest).abs()) <= error;
                let is_free = near || (least..=largest).contains(&q);
                let quotient = if is_free { t / q } else { 0.0 };
                let quotient_error = quotient * (error / (q - error).max(least) + DIVISION);
                let own = if near { quotient } else { 0.0 };
                let difference = (free - quotient).abs() + own + unsure;
                let of_difference = free_error + unsure + quotient_error + own + difference * ULP;
                let relative = s_error + 2.0 * ULP + DIVISION;
                (of_difference + difference * relative) / (s.abs() * n) + FLUSHED
            });
            (loss + FLUSHED, gradient.collect())
        })
    }
}
