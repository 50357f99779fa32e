use rayon::prelude::*;

use super::Real;
use crate::plan::PoolShape;

/// `y[n, i, j, c] = max_{p, q} x[n, i*sh + p, j*sw + q, c]`; `winner` is `p*pool_w + q` of the first maximum in
/// row-major order.
///
/// x `[batch, in_h, in_w, channels]`, y and winner `[batch, out_h, out_w, channels]`.
pub fn maxpool_forward<T: Real>(s: &PoolShape, x: &[T], y: &mut [T], winner: &mut [u32]) {
    let y_row = s.out_w * s.channels;
    let rows = y.par_chunks_mut(y_row).zip(winner.par_chunks_mut(y_row));
    rows.enumerate().for_each(|(row, (y, winner))| {
        let (n, i) = (row / s.out_h, row % s.out_h);
        for j in 0..s.out_w {
            let y = &mut y[j * s.channels..][..s.channels];
            let winner = &mut winner[j * s.channels..][..s.channels];
            for p in 0..s.pool_h {
                for q in 0..s.pool_w {
                    let pixel = (n * s.in_h + i * s.stride_h + p) * s.in_w + j * s.stride_w + q;
                    let x = &x[pixel * s.channels..][..s.channels];
                    let element = p * s.pool_w + q;
                    for c in 0..s.channels {
                        if element == 0 || x[c] > y[c] {
                            y[c] = x[c];
                            winner[c] = element as u32;
                        }
                    }
                }
            }
        }
    });
}
