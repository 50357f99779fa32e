use rayon::prelude::*;

use super::Real;
use crate::plan::Split;

/// `sum[c] = sum_r x[r, c]`, in parts: `partial[s]` is the sum over the `s`-th range of rows ([`Split`]).
///
/// x `[rows, columns]`, partial `[parts, columns]`.
pub fn column_sum<T: Real>(rows: usize, columns: usize, x: &[T], partial: &mut [T]) {
    let split = Split::of(rows);
    partial.par_chunks_mut(columns).enumerate().for_each(|(part, partial)| {
        partial.fill(T::zero());
        for r in split.range(part) {
            for (sum, &x) in partial.iter_mut().zip(&x[r * columns..][..columns]) {
                *sum += x;
            }
        }
    });
}
