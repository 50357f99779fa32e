//! How the CPU executor convolves where each channel is a group of its own: the sums of the twins, in their order, for all channels
//! side by side.

use rayon::prelude::*;

use super::shape::{ConvShape, output_of};
use crate::ops::kit::*;

impl ConvShape {
    /// Whether each channel is a group of its own.
    pub(super) fn is_depthwise(&self) -> bool {
        self.groups == self.in_c && self.groups == self.out_c
    }

    /// The weights of a tap, one for each channel.
    fn tap<'a>(&self, kernel: &'a [f32], [p, q]: [usize; 2]) -> &'a [f32] {
        &kernel[(p * self.kernel_w + q) * self.out_c..][..self.out_c]
    }

    /// The channels of the input under a tap.
    fn under<'a>(&self, x: &'a [f32], n: usize, at: [usize; 2], tap: [usize; 2]) -> &'a [f32] {
        &x[self.pixel(n, at, tap) * self.in_c..][..self.in_c]
    }
}

pub(super) fn forward(s: &ConvShape, x: &[f32], kernel: &[f32], bias: &[f32], y: &mut [f32]) {
    y.par_chunks_mut(s.out_w * s.out_c).enumerate().for_each(|(row, y)| {
        let (n, i) = (row / s.out_h, row % s.out_h);
        for (j, y) in y.chunks_exact_mut(s.out_c).enumerate() {
            y.copy_from_slice(bias);
            for (p, q) in s.taps() {
                add_products(y, s.under(x, n, [i, j], [p, q]), s.tap(kernel, [p, q]));
            }
        }
    });
}

pub(super) fn backward_input(s: &ConvShape, dy: &[f32], kernel: &[f32], dx: &mut [f32]) {
    dx.par_chunks_mut(s.in_w * s.in_c).enumerate().for_each(|(line, dx)| {
        let (n, h) = (line / s.in_h, line % s.in_h);
        dx.fill(0.0);
        for (w, dx) in dx.chunks_exact_mut(s.in_c).enumerate() {
            for (p, q) in s.taps() {
                let Some(i) = output_of(h, p * s.dilation_h, s.stride_h, s.out_h) else { continue };
                let Some(j) = output_of(w, q * s.dilation_w, s.stride_w, s.out_w) else { continue };
                let dy = &dy[((n * s.out_h + i) * s.out_w + j) * s.out_c..][..s.out_c];
                add_products(dx, dy, s.tap(kernel, [p, q]));
            }
        }
    });
}

pub(super) fn backward_kernel(s: &ConvShape, x: &[f32], dy: &[f32], partial: &mut [f32]) {
    let split = s.row_split();
    partial.par_chunks_mut(s.terms() * s.out_c).enumerate().for_each(|(part, partial)| {
        partial.fill(0.0);
        let rows = split.range(part);
        for (row, j) in rows.flat_map(|row| (0..s.out_w).map(move |j| (row, j))) {
            let (n, i) = (row / s.out_h, row % s.out_h);
            let dy = &dy[(row * s.out_w + j) * s.out_c..][..s.out_c];
            for ((p, q), sums) in s.taps().zip(partial.chunks_exact_mut(s.out_c)) {
                add_products(sums, s.under(x, n, [i, j], [p, q]), dy);
            }
        }
    });
}

fn add_products(sums: &mut [f32], a: &[f32], b: &[f32]) {
    for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
        *sum += a * b;
    }
}
