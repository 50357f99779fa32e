use rayon::prelude::*;

use super::Real;

/// `y = tanh(y)` in place. y `[len]`.
pub fn tanh_forward<T: Real>(y: &mut [T]) {
    y.par_iter_mut().with_min_len(4096).for_each(|y| *y = y.tanh());
}
