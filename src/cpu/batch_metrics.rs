use super::Real;
use crate::plan::StepParams;

/// `loss[slot] = (1/batch_size) sum_r row_loss[r]` and `correct[slot] = sum_r row_correct[r]`, over `r < batch_size`.
///
/// row_loss and row_correct `[rows]`; of loss and correct `[_]` only element `slot` is written.
pub fn batch_metrics<T: Real>(
    step: &StepParams,
    row_loss: &[T],
    row_correct: &[u32],
    loss: &mut [T],
    correct: &mut [u32],
) {
    let n = step.batch_size as usize;
    let slot = step.slot as usize;
    loss[slot] = row_loss[..n].iter().copied().sum::<T>() / T::of(n as f64);
    correct[slot] = row_correct[..n].iter().sum();
}
