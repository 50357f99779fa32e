use rayon::prelude::*;

use super::Real;
use crate::plan::MatmulShape;

/// `c[i, j] = sum_t a[i, t] * b[j, t]`, in parts: `partial[s]` is the sum over the `s`-th range of `t` ([`MatmulShape::split`]).
///
/// a `[m, k]`, b `[n, k]`, partial `[parts, m, n]`.
pub fn matmul_a_bt<T: Real>(s: &MatmulShape, a: &[T], b: &[T], partial: &mut [T]) {
    let split = s.split();
    partial.par_chunks_mut(s.n).enumerate().for_each(|(row, c)| {
        let (part, i) = (row / s.m, row % s.m);
        let range = split.range(part);
        let a = &a[i * s.k..][range.clone()];
        for (j, c) in c.iter_mut().enumerate() {
            *c = dot(a, &b[j * s.k..][range.clone()]);
        }
    });
}

/// The dot product as eight interleaved sums: one sum alone would wait for each addition to finish.
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::zero(); 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.into_iter().sum()
}
