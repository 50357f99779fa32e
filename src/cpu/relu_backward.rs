use rayon::prelude::*;

use super::Real;

/// `dy = dy where y > 0, else 0`, in place; y is the layer's output, and the derivative at 0 is 0.
///
/// y and dy `[len]`.
pub fn relu_backward<T: Real>(y: &[T], dy: &mut [T]) {
    dy.par_iter_mut().with_min_len(4096).zip(y).for_each(|(dy, &y)| {
        if y <= T::zero() {
            *dy = T::zero();
        }
    });
}
