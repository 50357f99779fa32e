use rayon::prelude::*;

use super::Real;
use crate::plan::ConvPoolShape;

/// With `(h, w)` the output of the convolution that won window `(n, i, j)` of channel `o`:
/// `dkernel[p, q, c, o] = sum_{n, i, j} x[n, h*sh + p, w*sw + q, c] * dy[n, i, j, o]` and
/// `dbias[o] = sum_{n, i, j} dy[n, i, j, o]`, over the windows that have a winner, in parts: `partial[s]` is the sum over
/// the `s`-th range of rows `(n, i)` ([`ConvPoolShape::row_split`]), kernel first, then bias.
///
/// x `[batch, in_h, in_w, in_c]`, dy and winner `[batch, pooled_h, pooled_w, out_c]`,
/// partial `[parts, kernel_h * kernel_w * in_c + 1, out_c]`.
pub fn conv2d_maxpool_backward_kernel<T: Real>(
    s: &ConvPoolShape,
    x: &[T],
    dy: &[T],
    winner: &[u32],
    partial: &mut [T],
) {
    let (conv, pool, split) = (&s.conv, &s.pool, s.row_split());
    let (terms, channels) = (conv.terms(), conv.out_c);
    partial.par_chunks_mut((terms + 1) * channels).enumerate().for_each(|(part, partial)| {
        partial.fill(T::zero());
        for (row, j) in split.range(part).flat_map(|row| (0..pool.out_w).map(move |j| (row, j))) {
            let (n, i) = (row / pool.out_h, row % pool.out_h);
            for o in 0..channels {
                let window = (row * pool.out_w + j) * channels + o;
                let (dy, won) = (dy[window], winner[window] as usize);
                if won == s.none_won() {
                    continue;
                }
                let h = i * pool.stride_h + won / pool.pool_w;
                let w = j * pool.stride_w + won % pool.pool_w;
                for p in 0..conv.kernel_h {
                    for q in 0..conv.kernel_w {
                        for c in 0..conv.in_c {
                            let pixel =
                                (n * conv.in_h + h * conv.stride_h + p) * conv.in_w + w * conv.stride_w + q;
                            let tap = (p * conv.kernel_w + q) * conv.in_c + c;
                            partial[tap * channels + o] += x[pixel * conv.in_c + c] * dy;
                        }
                    }
                }
                partial[terms * channels + o] += dy;
            }
        }
    });
}
