use super::Real;
use super::batch_metrics::batch_metrics;
use super::softmax_cross_entropy::softmax_cross_entropy;
use crate::plan::StepParams;

/// [`softmax_cross_entropy`], and [`batch_metrics`] of its rows.
///
/// Logits, target and dlogits `[rows, columns]`; of loss and correct `[_]` only element `slot` is written.
pub fn softmax_cross_entropy_metrics<T: Real>(
    columns: usize,
    step: &StepParams,
    logits: &[T],
    target: &[T],
    dlogits: &mut [T],
    loss: &mut [T],
    correct: &mut [u32],
) {
    let rows = logits.len() / columns;
    let mut row_loss = vec![T::zero(); rows];
    let mut row_correct = vec![0; rows];
    softmax_cross_entropy(columns, step, logits, target, &mut row_loss, &mut row_correct, dlogits);
    batch_metrics(step, &row_loss, &row_correct, loss, correct);
}
