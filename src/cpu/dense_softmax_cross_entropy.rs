use super::Real;
use super::dense_backward::dense_backward;
use super::dense_forward::dense_forward;
use super::softmax_cross_entropy_metrics::softmax_cross_entropy_metrics;
use crate::plan::{MatmulShape, StepParams};

/// The last layer of a classifier in training, whose forward product is `s`: [`dense_forward`],
/// [`softmax_cross_entropy_metrics`], [`dense_backward`].
///
/// x and dx `[m, k]`, kernel `[k, n]`, bias `[n]`, target `[m, n]`, gradient `[k + 1, n]`; of loss and correct `[_]` only
/// element `slot` is written.
#[expect(clippy::too_many_arguments, reason = "those of its shader")]
pub fn dense_softmax_cross_entropy<T: Real>(
    s: &MatmulShape,
    relu: bool,
    step: &StepParams,
    x: &[T],
    kernel: &[T],
    bias: &[T],
    target: &[T],
    gradient: &mut [T],
    dx: &mut [T],
    loss: &mut [T],
    correct: &mut [u32],
) {
    let mut logits = vec![T::zero(); target.len()];
    dense_forward(s, false, x, kernel, bias, &mut logits);
    let mut dlogits = vec![T::zero(); target.len()];
    softmax_cross_entropy_metrics(s.n, step, &logits, target, &mut dlogits, loss, correct);
    dense_backward(s, relu, x, kernel, &dlogits, gradient, dx);
}
