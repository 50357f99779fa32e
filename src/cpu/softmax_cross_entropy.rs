use super::Real;
use crate::plan::StepParams;

/// Cross-entropy of softmax, on logits, per row `r < batch_size`:
///
/// ```text
/// lse = m + ln sum_c exp(logits[r, c] - m),  m the row's maximum
/// row_loss[r]    = sum_c target[r, c] * (lse - logits[r, c])
/// row_correct[r] = 1 where the first maximum of logits is that of target, else 0
/// dlogits[r, c]  = (exp(logits[r, c] - lse) - target[r, c]) / batch_size
/// ```
///
/// `dlogits` is the gradient of the mean loss for targets that sum to 1. Rows past the batch's size give 0 everywhere.
/// All matrices `[rows, columns]`, row_loss and row_correct `[rows]`.
/// Source: `categorical_crossentropy` in `keras/src/backend/tensorflow/nn.py`, which recovers the logits.
pub fn softmax_cross_entropy<T: Real>(
    columns: usize,
    step: &StepParams,
    logits: &[T],
    target: &[T],
    row_loss: &mut [T],
    row_correct: &mut [u32],
    dlogits: &mut [T],
) {
    let n = T::of(f64::from(step.batch_size));
    for (r, dz) in dlogits.chunks_mut(columns).enumerate() {
        let z = &logits[r * columns..][..columns];
        let t = &target[r * columns..][..columns];
        row_loss[r] = T::zero();
        row_correct[r] = 0;
        if r >= step.batch_size as usize {
            dz.fill(T::zero());
            continue;
        }
        let m = z.iter().fold(z[0], |m, &z| m.max(z));
        let sum: T = z.iter().map(|&z| (z - m).exp()).sum();
        for c in 0..columns {
            row_loss[r] += t[c] * (sum.ln() - (z[c] - m));
            dz[c] = ((z[c] - m).exp() / sum - t[c]) / n;
        }
        row_correct[r] = u32::from(first_maximum(z) == first_maximum(t));
    }
}

/// The place of the first maximum.
pub(super) fn first_maximum<T: Real>(row: &[T]) -> usize {
    let mut best = 0;
    for (c, &value) in row.iter().enumerate() {
        if value > row[best] {
            best = c;
        }
    }
    best
}
