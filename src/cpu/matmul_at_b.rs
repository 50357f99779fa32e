use rayon::prelude::*;

use super::Real;
use crate::plan::MatmulShape;

/// `c[i, j] = sum_t a[t, i] * b[t, j]`, in parts: `partial[s]` is the sum over the `s`-th range of `t` ([`MatmulShape::split`]).
///
/// With `bias`, a row follows that a column of ones after the last of a would give: `c[m, j] = sum_t b[t, j]`.
///
/// a `[k, m]`, b `[k, n]`, partial `[parts, m, n]`, or `[parts, m + 1, n]` with `bias`.
pub fn matmul_at_b<T: Real>(s: &MatmulShape, bias: bool, a: &[T], b: &[T], partial: &mut [T]) {
    let split = s.split();
    partial.par_chunks_mut(s.n).enumerate().for_each(|(row, c)| {
        let rows = s.m + usize::from(bias);
        let (part, i) = (row / rows, row % rows);
        c.fill(T::zero());
        for t in split.range(part) {
            let a = if i < s.m { a[t * s.m + i] } else { T::one() };
            for (c, &b) in c.iter_mut().zip(&b[t * s.n..][..s.n]) {
                *c += a * b;
            }
        }
    });
}
