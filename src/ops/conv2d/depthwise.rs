//! How the CPU executor convolves where each channel is a group of its own: the sums of the twins, in their order, for all channels
//! side by side.

use std::ops::Range;

use super::part::ImagePart;
use super::shape::{ConvShape, output_of};
use crate::ops::kit::*;

impl ConvShape {
    /// Whether each channel is a group of its own.
    pub(super) fn is_depthwise(&self) -> bool {
        self.groups == self.in_c && self.groups == self.out_c
    }
}

pub(super) fn forward(s: &ConvShape, x: &[f32], kernel: &[f32], bias: &[f32], y: &mut [f32]) {
    each_piece(y, s.out_w * s.out_c, &|row, y| wide(Forward { shape: s, x, kernel, bias, row, y }));
}

pub(super) fn backward_input(s: &ConvShape, part: ImagePart, [dy, kernel]: [&[f32]; 2], dx: &mut [f32]) {
    each_piece(dx, part.width * s.in_c, &|line, dx| {
        wide(BackwardInput { shape: s, part, dy, kernel, line, dx })
    });
}

pub(super) fn backward_kernel(s: &ConvShape, x: &[f32], dy: &[f32], partial: &mut [f32]) {
    let split = s.row_split();
    each_piece(partial, s.terms() * s.out_c, &|part, sums| {
        wide(BackwardKernel { shape: s, x, dy, rows: split.range(part), sums });
    });
}

/// A line of the output.
struct Forward<'a> {
    shape: &'a ConvShape,
    x: &'a [f32],
    kernel: &'a [f32],
    bias: &'a [f32],
    row: usize,
    y: &'a mut [f32],
}

impl Loops for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Forward { shape: s, x, kernel, bias, row, y } = self;
        let (n, i) = (row / s.out_h, row % s.out_h);
        let mut pairs = Vec::with_capacity(s.kernel_h * s.kernel_w);
        for (j, y) in y.chunks_exact_mut(s.out_c).enumerate() {
            y.copy_from_slice(bias);
            pairs.clear();
            pairs.extend(s.taps().map(|(p, q)| [s.pixel(n, [i, j], [p, q]), p * s.kernel_w + q]));
            add_products(x, kernel, pairs.iter().copied(), y);
        }
    }
}

/// A line of a part of the input.
struct BackwardInput<'a> {
    shape: &'a ConvShape,
    part: ImagePart,
    dy: &'a [f32],
    kernel: &'a [f32],
    line: usize,
    dx: &'a mut [f32],
}

impl Loops for BackwardInput<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let BackwardInput { shape: s, part, dy, kernel, line, dx } = self;
        let (n, h) = (line / part.height, part.top + line % part.height);
        dx.fill(0.0);
        let mut pairs = Vec::with_capacity(s.kernel_h * s.kernel_w);
        for (w, dx) in part.columns().zip(dx.chunks_exact_mut(s.in_c)) {
            pairs.clear();
            pairs.extend(s.taps().filter_map(|(p, q)| {
                let i = output_of(h, p * s.dilation_h, s.stride_h, s.out_h)?;
                let j = output_of(w, q * s.dilation_w, s.stride_w, s.out_w)?;
                Some([(n * s.out_h + i) * s.out_w + j, p * s.kernel_w + q])
            }));
            add_products(dy, kernel, pairs.iter().copied(), dx);
        }
    }
}

/// A part of the sums over lines of the output.
struct BackwardKernel<'a> {
    shape: &'a ConvShape,
    x: &'a [f32],
    dy: &'a [f32],
    rows: Range<usize>,
    sums: &'a mut [f32],
}

impl Loops for BackwardKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let BackwardKernel { shape: s, x, dy, rows, sums } = self;
        sums.fill(0.0);
        for row in rows {
            let (n, i) = (row / s.out_h, row % s.out_h);
            for ((p, q), sums) in s.taps().zip(sums.chunks_exact_mut(s.out_c)) {
                let positions = (0..s.out_w).map(|j| [s.pixel(n, [i, j], [p, q]), row * s.out_w + j]);
                add_products(x, dy, positions, sums);
            }
        }
    }
}

/// `sums[c] += a[i, c] * b[j, c]` for these pairs `[i, j]`, in their order.
#[inline(always)]
fn add_products(a: &[f32], b: &[f32], pairs: impl Iterator<Item = [usize; 2]> + Clone, sums: &mut [f32]) {
    let channels = sums.len();
    let whole = channels - channels % LINE;
    for c in (0..whole).step_by(LINE) {
        let mut some = line(sums, c);
        for [i, j] in pairs.clone() {
            let (a, b) = (line(a, i * channels + c), line(b, j * channels + c));
            some = std::array::from_fn(|at| some[at] + a[at] * b[at]);
        }
        sums[c..c + LINE].copy_from_slice(&some);
    }
    if whole < channels {
        for [i, j] in pairs {
            for c in whole..channels {
                sums[c] += a[i * channels + c] * b[j * channels + c];
            }
        }
    }
}
