use rayon::prelude::*;

use super::Real;
use crate::plan::PoolShape;

/// `dx[n, h, w, c] = sum of dy[n, i, j, c]` over the windows `(i, j)` whose winner is the element `(h, w)`; a winner
/// past the window's elements stands for none.
///
/// dy and winner `[batch, out_h, out_w, channels]`, dx `[batch, in_h, in_w, channels]`.
pub fn maxpool_backward<T: Real>(s: &PoolShape, dy: &[T], winner: &[u32], dx: &mut [T]) {
    let dx_image = s.in_h * s.in_w * s.channels;
    dx.par_chunks_mut(dx_image).enumerate().for_each(|(n, dx)| {
        dx.fill(T::zero());
        for i in 0..s.out_h {
            for j in 0..s.out_w {
                for c in 0..s.channels {
                    let from = ((n * s.out_h + i) * s.out_w + j) * s.channels + c;
                    if winner[from] as usize >= s.pool_h * s.pool_w {
                        continue;
                    }
                    let (p, q) = (winner[from] as usize / s.pool_w, winner[from] as usize % s.pool_w);
                    let pixel = (i * s.stride_h + p) * s.in_w + j * s.stride_w + q;
                    dx[pixel * s.channels + c] += dy[from];
                }
            }
        }
    });
}
