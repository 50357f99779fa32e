use super::Real;
use super::softmax_cross_entropy::first_maximum;
use crate::plan::{PROBABILITIES, StepParams};

/// Cross-entropy of outputs that are taken as probabilities, per row `r < batch_size`:
///
/// ```text
/// q[c]           = y[r, c] / s,  s = sum_c y[r, c]
/// row_loss[r]    = -sum_c target[r, c] * ln clip(q[c]),  clipped to [1e-7, 1 - 1e-7]
/// row_correct[r] = 1 where the first maximum of y is that of target, else 0
/// dy[r, c]       = (sum_d u[d] * q[d] - u[c]) / (s * batch_size),
///                  u[c] = target[r, c] / q[c] where q[c] is within the bounds of clip, else 0
/// ```
///
/// `dy` is the gradient of the mean loss through clipping and renormalisation. Rows past the batch's size give 0
/// everywhere; a row of outputs that sum to 0 has no loss (NaN), as in Keras.
/// All matrices `[rows, columns]`, row_loss and row_correct `[rows]`.
/// Source: `categorical_crossentropy` in `keras/src/backend/tensorflow/nn.py`.
pub fn cross_entropy<T: Real>(
    columns: usize,
    step: &StepParams,
    y: &[T],
    target: &[T],
    row_loss: &mut [T],
    row_correct: &mut [u32],
    dy: &mut [T],
) {
    let n = T::of(f64::from(step.batch_size));
    let [least, largest] = PROBABILITIES.map(|bound| T::of(f64::from(bound)));
    for (r, dy) in dy.chunks_mut(columns).enumerate() {
        let y = &y[r * columns..][..columns];
        let t = &target[r * columns..][..columns];
        row_loss[r] = T::zero();
        row_correct[r] = 0;
        if r >= step.batch_size as usize {
            dy.fill(T::zero());
            continue;
        }
        let s: T = y.iter().copied().sum();
        let q: Vec<T> = y.iter().map(|&y| y / s).collect();
        let mut u = vec![T::zero(); columns];
        for c in 0..columns {
            // What is not a number stays one.
            let clipped = match q[c] {
                q if q < least => least,
                q if q > largest => largest,
                q => q,
            };
            row_loss[r] -= t[c] * clipped.ln();
            if q[c] >= least && q[c] <= largest {
                u[c] = t[c] / q[c];
            }
        }
        let sum: T = u.iter().zip(&q).map(|(&u, &q)| u * q).sum();
        for c in 0..columns {
            dy[c] = (sum - u[c]) / (s * n);
        }
        row_correct[r] = u32::from(first_maximum(y) == first_maximum(t));
    }
}
