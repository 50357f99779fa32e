use rayon::prelude::*;

use super::Real;

/// `y = max(y, 0)` in place. y `[len]`.
pub fn relu_forward<T: Real>(y: &mut [T]) {
    y.par_iter_mut().with_min_len(4096).for_each(|y| {
        if *y <= T::zero() {
            *y = T::zero();
        }
    });
}
