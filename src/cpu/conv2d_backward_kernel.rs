use rayon::prelude::*;

use super::Real;
use crate::plan::ConvShape;

/// `dkernel[p, q, c, o] = sum_{n, i, j} x[n, i*sh + p, j*sw + q, c] * dy[n, i, j, o]`, in parts: `partial[s]` is the
/// sum over the `s`-th range of output rows `(n, i)` ([`ConvShape::row_split`]).
///
/// x `[batch, in_h, in_w, in_c]`, dy `[batch, out_h, out_w, out_c]`,
/// partial `[parts, kernel_h, kernel_w, in_c, out_c]`.
pub fn conv2d_backward_kernel<T: Real>(s: &ConvShape, x: &[T], dy: &[T], partial: &mut [T]) {
    let split = s.row_split();
    let len = s.terms() * s.out_c;
    partial.par_chunks_mut(len).enumerate().for_each(|(part, partial)| {
        partial.fill(T::zero());
        let rows = split.range(part);
        for (row, j) in rows.flat_map(|row| (0..s.out_w).map(move |j| (row, j))) {
            let (n, i) = (row / s.out_h, row % s.out_h);
            let dy = &dy[(row * s.out_w + j) * s.out_c..][..s.out_c];
            for p in 0..s.kernel_h {
                for q in 0..s.kernel_w {
                    for c in 0..s.in_c {
                        let pixel = (n * s.in_h + i * s.stride_h + p) * s.in_w + j * s.stride_w + q;
                        let x = x[pixel * s.in_c + c];
                        let tap = (p * s.kernel_w + q) * s.in_c + c;
                        let partial = &mut partial[tap * s.out_c..][..s.out_c];
                        for (sum, &dy) in partial.iter_mut().zip(dy) {
                            *sum += x * dy;
                        }
                    }
                }
            }
        }
    });
}
