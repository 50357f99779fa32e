use rayon::prelude::*;

use super::Real;

/// `dy = dy * y * (1 - y)` in place; y is the layer's output. y and dy `[len]`.
pub fn sigmoid_backward<T: Real>(y: &[T], dy: &mut [T]) {
    dy.par_iter_mut().with_min_len(4096).zip(y).for_each(|(dy, &y)| *dy *= y * (T::one() - y));
}
