use rayon::prelude::*;

use super::Real;
use crate::plan::MatmulShape;

/// `c[i, j] = sum_t a[i, t] * b[t, j]`, in parts: `partial[s]` is the sum over the `s`-th range of `t` ([`MatmulShape::split`]).
///
/// a `[m, k]`, b `[k, n]`, partial `[parts, m, n]`.
pub fn matmul<T: Real>(s: &MatmulShape, a: &[T], b: &[T], partial: &mut [T]) {
    let split = s.split();
    partial.par_chunks_mut(s.n).enumerate().for_each(|(row, c)| {
        let (part, i) = (row / s.m, row % s.m);
        c.fill(T::zero());
        for t in split.range(part) {
            let a = a[i * s.k + t];
            for (c, &b) in c.iter_mut().zip(&b[t * s.n..][..s.n]) {
                *c += a * b;
            }
        }
    });
}
