use rayon::prelude::*;

use super::Real;

/// `sum[i] = partial[0, i] + partial[1, i] + ...`, in this order.
///
/// partial `[parts, len]`, sum `[len]`.
pub fn sum_partials<T: Real>(partial: &[T], sum: &mut [T]) {
    let len = sum.len();
    sum.par_iter_mut().enumerate().for_each(|(i, sum)| {
        *sum = T::zero();
        for part in partial.chunks(len) {
            *sum += part[i];
        }
    });
}
