use rayon::prelude::*;

use super::Real;

/// `y = 1 / (1 + exp(-y))` in place. y `[len]`.
pub fn sigmoid_forward<T: Real>(y: &mut [T]) {
    y.par_iter_mut().with_min_len(4096).for_each(|y| *y = T::one() / (T::one() + (-*y).exp()));
}
