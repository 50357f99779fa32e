use rayon::prelude::*;

use super::Real;
use crate::plan::ConvShape;

/// `dx[n, h, w, c] = sum_{p, q, o} dy[n, (h - p)/sh, (w - q)/sw, o] * kernel[p, q, c, o]`, over the taps for which
/// both quotients are whole and inside the output.
///
/// dy `[batch, out_h, out_w, out_c]`, kernel `[kernel_h, kernel_w, in_c, out_c]`, dx `[batch, in_h, in_w, in_c]`.
pub fn conv2d_backward_input<T: Real>(s: &ConvShape, dy: &[T], kernel: &[T], dx: &mut [T]) {
    let dx_row = s.in_w * s.in_c;
    dx.par_chunks_mut(dx_row).enumerate().for_each(|(row, dx)| {
        let (n, h) = (row / s.in_h, row % s.in_h);
        for (w, dx) in dx.chunks_mut(s.in_c).enumerate() {
            for (c, dx) in dx.iter_mut().enumerate() {
                *dx = T::zero();
                for p in 0..s.kernel_h {
                    for q in 0..s.kernel_w {
                        let Some(i) = output_of(h, p, s.stride_h, s.out_h) else { continue };
                        let Some(j) = output_of(w, q, s.stride_w, s.out_w) else { continue };
                        for o in 0..s.out_c {
                            let dy = dy[((n * s.out_h + i) * s.out_w + j) * s.out_c + o];
                            let tap = (p * s.kernel_w + q) * s.in_c + c;
                            *dx += dy * kernel[tap * s.out_c + o];
                        }
                    }
                }
            }
        }
    });
}

/// The output position that reads input position `at` through tap `tap`, if there is one.
fn output_of(at: usize, tap: usize, stride: usize, out: usize) -> Option<usize> {
    let offset = at.checked_sub(tap)?;
    (offset % stride == 0 && offset / stride < out).then_some(offset / stride)
}
