use super::Real;
use super::softmax_cross_entropy::first_maximum;
use crate::plan::StepParams;

/// Squared errors, per row `r < batch_size`:
///
/// ```text
/// row_loss[r]    = (1/columns) sum_c (y[r, c] - target[r, c])^2
/// row_correct[r] = 1 where the first maximum of y is that of target, else 0
/// dy[r, c]       = 2 (y[r, c] - target[r, c]) / (columns * batch_size)
/// ```
///
/// `dy` is the gradient of the mean loss. Rows past the batch's size give 0 everywhere.
/// All matrices `[rows, columns]`, row_loss and row_correct `[rows]`.
/// Source: `mean_squared_error` in `keras/src/losses/losses.py`.
pub fn mean_squared_error<T: Real>(
    columns: usize,
    step: &StepParams,
    y: &[T],
    target: &[T],
    row_loss: &mut [T],
    row_correct: &mut [u32],
    dy: &mut [T],
) {
    let n = T::of(f64::from(step.batch_size));
    let c_count = T::of(columns as f64);
    for (r, dy) in dy.chunks_mut(columns).enumerate() {
        let y = &y[r * columns..][..columns];
        let t = &target[r * columns..][..columns];
        row_loss[r] = T::zero();
        row_correct[r] = 0;
        if r >= step.batch_size as usize {
            dy.fill(T::zero());
            continue;
        }
        for c in 0..columns {
            let d = y[c] - t[c];
            row_loss[r] += d * d;
            dy[c] = (d + d) / (c_count * n);
        }
        row_loss[r] /= c_count;
        row_correct[r] = u32::from(first_maximum(y) == first_maximum(t));
    }
}
