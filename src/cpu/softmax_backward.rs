use rayon::prelude::*;

use super::Real;

/// `dy[r, c] = y[r, c] * (dy[r, c] - sum_d dy[r, d] * y[r, d])` in place; y is the layer's output.
///
/// Both `[rows, columns]`.
pub fn softmax_backward<T: Real>(columns: usize, y: &[T], dy: &mut [T]) {
    dy.par_chunks_mut(columns).zip(y.par_chunks(columns)).for_each(|(dy, y)| {
        let sum: T = dy.iter().zip(y).map(|(&dy, &y)| dy * y).sum();
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = y * (*dy - sum);
        }
    });
}
