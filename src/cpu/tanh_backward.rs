use rayon::prelude::*;

use super::Real;

/// `dy = dy * (1 - y^2)` in place; y is the layer's output. y and dy `[len]`.
pub fn tanh_backward<T: Real>(y: &[T], dy: &mut [T]) {
    dy.par_iter_mut().with_min_len(4096).zip(y).for_each(|(dy, &y)| *dy *= T::one() - y * y);
}
