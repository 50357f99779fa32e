//! How the CPU executor computes the gradient of a convolution's input: for the positions that the same taps meet, the matrix of what
//! these see of dy, times the kernel transposed.

use super::columns::lines_at_once;
use super::part::ImagePart;
use super::residues::{Met, gather};
use super::shape::ConvShape;
use crate::ops::kit::*;

/// Lines of the part `(n, h)` that are computed at once.
fn lines(s: &ConvShape, part: ImagePart) -> usize {
    lines_at_once(part.width, s.kernel_h * s.kernel_w * s.group_out()).min(s.batch * part.height)
}

/// Whether dy is that matrix already.
fn is_one_product(s: &ConvShape, part: ImagePart) -> bool {
    s.is_pointwise() && part == ImagePart::whole(s)
}

/// The kernel transposed; and what taps see from the positions of some lines, and their sums where these have to be handed out.
pub(super) fn room(s: &ConvShape, part: ImagePart) -> Room {
    if is_one_product(s, part) {
        return Room::NONE;
    }
    let met = s.met(part);
    let terms = met.iter().map(Met::terms_at_once).max().unwrap_or(0);
    let sums = if met.iter().any(Met::is_all) { 0 } else { s.group_in() };
    Room { shared: s.terms() * s.out_c, each: lines(s, part) * part.width * (terms + sums) }
}

/// The gradient of this part of the input.
pub(super) fn backward_input(
    s: &ConvShape,
    part: ImagePart,
    [dy, kernel]: [&[f32]; 2],
    dx: &mut [f32],
    scratch: &mut Scratch,
) {
    let lines = lines(s, part);
    let line = part.width * s.in_c;
    if is_one_product(s, part) {
        let kernel = Matrix { values: kernel, row: 1, column: s.out_c };
        each_piece_by(dx, lines * line, dy, lines * s.out_w * s.out_c, &|_, dx, dy| {
            let dy = Matrix { values: dy, row: s.out_c, column: 1 };
            let sizes = [dx.len() / s.in_c, s.in_c, s.out_c];
            product(sizes, dy, kernel, Target { values: dx, row: s.in_c, add: false });
        });
        return;
    }
    let met = s.met(part);
    // Then every position gets a sum.
    let is_covered = met.iter().any(Met::is_all);
    let (transposed, threads) = scratch.parts();
    transpose(s, &met, kernel, transposed);
    each_piece(dx, lines * line, &|block, dx| {
        if !is_covered {
            dx.fill(0.0);
        }
        threads.work(|room| {
            let mut kernel = &*transposed;
            for met in &met {
                let of_group = met.terms() * s.group_in();
                for group in 0..s.groups {
                    gradient(met, dy, &kernel[..of_group], [block * lines, group], room, dx);
                    kernel = &kernel[of_group..];
                }
            }
        });
    });
}

/// The kernel for each set of positions and each group: `[taps, out_c / groups, in_c / groups]`, with the taps in the set's order.
fn transpose(s: &ConvShape, met: &[Met], kernel: &[f32], transposed: &mut [f32]) {
    let mut order = Vec::with_capacity(s.kernel_h * s.kernel_w * s.groups);
    for met in met {
        for group in 0..s.groups {
            order.extend(met.taps().map(|tap| (tap * s.group_in() * s.out_c) + group * s.group_out()));
        }
    }
    let (inputs, outputs) = (s.group_in(), s.group_out());
    each_piece(&mut transposed[..order.len() * inputs * outputs], inputs * outputs, &|number, to| {
        let from = order[number];
        // Few outputs at a time, so that what is written stays in the cache.
        for outputs in (0..outputs).step_by(EIGHTS).map(|first| first..(first + EIGHTS).min(outputs)) {
            for c in 0..inputs {
                let from = &kernel[from + c * s.out_c..];
                for o in outputs.clone() {
                    to[o * inputs + c] = from[o];
                }
            }
        }
    });
}

/// The gradient at those positions of some lines, from this one on, and for one group; the others are left as they are.
fn gradient(
    met: &Met,
    dy: &[f32],
    kernel: &[f32],
    [first, group]: [usize; 2],
    room: &mut [f32],
    dx: &mut [f32],
) {
    let (s, width) = (met.conv(), met.part().width);
    let inputs = s.group_in();
    let lines = dx.len() / (width * s.in_c);
    let positions = met.lines(first, lines).count() * met.columns();
    if positions == 0 || met.terms() == 0 {
        return;
    }
    if met.is_all() {
        let to = Target { values: &mut dx[group * inputs..], row: s.in_c, add: false };
        return sum_products(met, dy, kernel, [first, lines, group], room, to);
    }
    let (sums, columns) = room.split_at_mut(positions * inputs);
    let to = Target { values: &mut *sums, row: inputs, add: false };
    sum_products(met, dy, kernel, [first, lines, group], columns, to);
    let mut sums = sums.chunks_exact(inputs);
    for line in met.lines(first, lines) {
        let dx = &mut dx[(line - first) * width * s.in_c..][..width * s.in_c];
        let positions = dx.chunks_exact_mut(s.in_c).skip(met.first_column()).step_by(s.stride_w);
        for (dx, sums) in positions.zip(&mut sums) {
            dx[group * inputs..][..inputs].copy_from_slice(sums);
        }
    }
}

/// The sums at those positions of so many lines, a row for each position.
fn sum_products(
    met: &Met,
    dy: &[f32],
    kernel: &[f32],
    [first, lines, group]: [usize; 3],
    columns: &mut [f32],
    to: Target<'_>,
) {
    let inputs = met.conv().group_in();
    let positions = met.lines(first, lines).count() * met.columns();
    let mut done = 0;
    for rows in met.rows_at_once() {
        let terms = gather(met, dy, rows, met.lines(first, lines), group, columns);
        let columns = Matrix { values: &*columns, row: terms, column: 1 };
        let kernel = Matrix { values: &kernel[done * inputs..], row: inputs, column: 1 };
        let to = Target { values: &mut *to.values, row: to.row, add: done > 0 };
        product([positions, inputs, terms], columns, kernel, to);
        done += terms;
    }
}
