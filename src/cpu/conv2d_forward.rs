use rayon::prelude::*;

use super::Real;
use crate::plan::ConvShape;

/// `y[n, i, j, o] = bias[o] + sum_{p, q, c} x[n, i*sh + p, j*sw + q, c] * kernel[p, q, c, o]`
///
/// x `[batch, in_h, in_w, in_c]`, kernel `[kernel_h, kernel_w, in_c, out_c]`, bias `[out_c]`,
/// y `[batch, out_h, out_w, out_c]`.
pub fn conv2d_forward<T: Real>(s: &ConvShape, x: &[T], kernel: &[T], bias: &[T], y: &mut [T]) {
    let y_row = s.out_w * s.out_c;
    y.par_chunks_mut(y_row).enumerate().for_each(|(row, y)| {
        let (n, i) = (row / s.out_h, row % s.out_h);
        for (j, y) in y.chunks_mut(s.out_c).enumerate() {
            y.copy_from_slice(bias);
            for p in 0..s.kernel_h {
                for q in 0..s.kernel_w {
                    for c in 0..s.in_c {
                        let pixel = (n * s.in_h + i * s.stride_h + p) * s.in_w + j * s.stride_w + q;
                        let x = x[pixel * s.in_c + c];
                        let tap = (p * s.kernel_w + q) * s.in_c + c;
                        let kernel = &kernel[tap * s.out_c..][..s.out_c];
                        for (y, &k) in y.iter_mut().zip(kernel) {
                            *y += x * k;
                        }
                    }
                }
            }
        }
    });
}
