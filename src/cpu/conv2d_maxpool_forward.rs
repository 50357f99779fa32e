use super::Real;
use super::conv2d_forward::conv2d_forward;
use super::maxpool_forward::maxpool_forward;
use super::relu_forward::relu_forward;
use crate::plan::ConvPoolShape;

/// [`conv2d_forward`], [`relu_forward`] where asked for, [`maxpool_forward`]; where ReLU cut off the whole window,
/// `winner` is [`ConvPoolShape::none_won`], so that the gradient needs nothing else of the way forward.
///
/// x `[batch, in_h, in_w, in_c]`, kernel `[kernel_h, kernel_w, in_c, out_c]`, bias `[out_c]`,
/// y and winner `[batch, pooled_h, pooled_w, out_c]`.
pub fn conv2d_maxpool_forward<T: Real>(
    s: &ConvPoolShape,
    x: &[T],
    kernel: &[T],
    bias: &[T],
    y: &mut [T],
    winner: &mut [u32],
) {
    let mut convolved = vec![T::zero(); s.conv.y().iter().product()];
    conv2d_forward(&s.conv, x, kernel, bias, &mut convolved);
    if s.relu {
        relu_forward(&mut convolved);
    }
    maxpool_forward(&s.pool, &convolved, y, winner);
    if s.relu {
        for (winner, &y) in winner.iter_mut().zip(y.iter()) {
            if y <= T::zero() {
                *winner = s.none_won() as u32;
            }
        }
    }
}
