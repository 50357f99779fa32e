use rayon::prelude::*;

use super::Real;

/// `y[r, c] += bias[c]`.
///
/// bias `[columns]`, y `[rows, columns]`.
pub fn bias_add<T: Real>(bias: &[T], y: &mut [T]) {
    y.par_chunks_mut(bias.len()).for_each(|row| {
        for (y, &b) in row.iter_mut().zip(bias) {
            *y += b;
        }
    });
}
