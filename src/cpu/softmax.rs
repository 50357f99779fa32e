use rayon::prelude::*;

use super::Real;

/// `probabilities[r, c] = exp(logits[r, c] - m) / sum_d exp(logits[r, d] - m)` with `m` the row's maximum.
///
/// Both `[rows, columns]`.
pub fn softmax<T: Real>(columns: usize, logits: &[T], probabilities: &mut [T]) {
    probabilities.par_chunks_mut(columns).zip(logits.par_chunks(columns)).for_each(|(p, z)| {
        let m = z.iter().fold(z[0], |m, &z| m.max(z));
        let mut sum = T::zero();
        for (p, &z) in p.iter_mut().zip(z) {
            *p = (z - m).exp();
            sum += *p;
        }
        for p in p {
            *p /= sum;
        }
    });
}
