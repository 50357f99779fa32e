use super::Real;
use crate::model::Regularizer;

/// The gradient of [`weight_penalty`](super::weight_penalty), added in place: `g += l1*sign(w) + 2*l2*w`, with the sign
/// of 0 being 0.
///
/// kernel and gradient `[len]`.
pub fn weight_penalty_gradient<T: Real>(regularizer: &Regularizer, kernel: &[T], gradient: &mut [T]) {
    let (l1, two_l2) = (T::of(regularizer.l1), T::of(2.0 * regularizer.l2));
    for (g, &w) in gradient.iter_mut().zip(kernel) {
        let sign = if w > T::zero() {
            T::one()
        } else if w < T::zero() {
            -T::one()
        } else {
            T::zero()
        };
        *g += l1 * sign + two_l2 * w;
    }
}
