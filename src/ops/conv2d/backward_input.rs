use rayon::prelude::*;

use super::columns::lines_at_once;
use super::depthwise;
use super::residues::{Met, gather};
use super::shape::{ConvShape, block_eights, cases, output_of};
use crate::ops::kit::*;

/// Gradient of a convolution with respect to its input:
/// `dx[n, h, w, c] = sum_{p, q, o} dy[n, (h - p*dh)/sh, (w - q*dw)/sw, o] * kernel[p, q, c, o]`, over the taps for which
/// both quotients are whole and inside the output, and the outputs o of the group of c; in the kernel, c counts from its group's
/// first channel.
///
/// dy `[batch, out_h, out_w, out_c]`, kernel `[kernel_h, kernel_w, in_c / groups, out_c]`, dx `[batch, in_h, in_w, in_c]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dBackwardInput(pub ConvShape);

/// Positions of each image, or of all images together, that pass by a block.
const BAND_POSITIONS: usize = 256;

/// How images and rows of dx are shared out among subgroups, and channels among their lanes.
const BY_LANES: ByLanes<Conv2dBackwardInput> = ByLanes {
    tile: |Conv2dBackwardInput(s), lanes| {
        let [images, rows] = bands(s, lanes);
        vec![
            ("BATCH", s.batch),
            ("TILE_IMAGES", images),
            ("TILE_H", rows),
            ("ROW_LANES", row_lanes(s.in_c, lanes)),
            ("BLOCK_EIGHTS", block_eights(s.out_c / EIGHTS)),
        ]
    },
    fits: |Conv2dBackwardInput(s), lanes| s.plain_by_8() && band_iterations(s, lanes) <= MAX_ITERATIONS,
    invocations: |Conv2dBackwardInput(s), lanes| {
        let [images, rows] = bands(s, lanes);
        let columns = s.in_c.div_ceil(EIGHTS).div_ceil(row_lanes(s.in_c, lanes));
        tiles([s.batch, s.in_h], [images, rows]) * columns * lanes
    },
};

impl OpKind for Conv2dBackwardInput {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("lanes/conv2d_backward_input_block.wgsl"),
            elements: &[Element::EightF32; 3],
            lanes: Some(BY_LANES),
            ..Row::BLOCK
        },
        Row {
            source: shader!("convolution/conv2d_backward_input_depthwise.wgsl"),
            elements: &[Element::Vec4F32; 3],
            fits: |op| op.0.depthwise_by_4(),
            invocations: |op, width| reals(op, width),
            ..Row::DEPTHWISE
        },
        Row {
            source: shader!("convolution/conv2d_backward_input.wgsl"),
            elements: &[Element::Real, Element::Real, Element::F32],
            by_four: Some(|op| op.0.channels_by_4()),
            ..Row::SCALAR
        },
    ];

    const FAST: &'static [FastRow<Self>] = &[
        FastRow { fits: |op| op.0.is_depthwise(), ..FastRow::new("depthwise", depthwise_row) },
        FastRow { fits: |op| op.0.has_products(), room: |op| op.room(), ..FastRow::new("gemm", fast) },
    ];

    fn kind(&self) -> &'static str {
        "conv2d_backward_input"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("dy", &self.0.y()), read("kernel", &self.0.kernel()), written("dx", &self.0.x())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.0.positions() * self.0.out_c * 2 * self.0.terms()
    }

    fn longest_loop(&self) -> usize {
        self.0.kernel_h * self.0.kernel_w * self.0.group_out()
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(dy), Arg::In(kernel), Arg::Out(dx)] = args else { return Err(OtherArguments) };
        conv2d_backward_input(&self.0, dy, kernel, dx);
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        // The longest sums: 25,000 products in one output.
        let long = Conv2dBackwardInput(ConvShape::valid([1, 6, 6, 4], [5, 5], [1, 1], 1000));
        cases(Conv2dBackwardInput, [], vec![Case::of(long)])
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Conv2dBackwardInput(s) = trial.case.op;
        let covered =
            most_taps(s.kernel_h, s.stride_h, s.dilation_h) * most_taps(s.kernel_w, s.stride_w, s.dilation_w);
        trial.sum_of_products(covered * s.group_out())
    }
}

/// Images and rows of dx of one subgroup of the block kernel: enough positions to make up for loading a block, and few
/// enough for many subgroups.
fn bands(s: &ConvShape, lanes: usize) -> [usize; 2] {
    let at_once = lanes / row_lanes(s.in_c, lanes);
    let rows = s.in_h.min((BAND_POSITIONS / s.in_w).max(1));
    let rows = s.in_h.div_ceil(s.in_h.div_ceil(rows));
    let images = (BAND_POSITIONS / (rows * s.in_w)).max(1);
    // A power of two: batches mostly are.
    [at_once << images.ilog2(), rows]
}

/// Iterations of an invocation of that kernel over all its loops, at most; one more for the end of each.
fn band_iterations(s: &ConvShape, lanes: usize) -> usize {
    let [images, rows] = bands(s, lanes);
    let steps = images * row_lanes(s.in_c, lanes) / lanes;
    let eights = s.out_c / EIGHTS;
    let blocks = s.kernel_h * s.kernel_w * eights.div_ceil(block_eights(eights));
    let outputs = rows.min(s.out_h) * s.out_w;
    steps * (2 + rows * s.in_w) + blocks * (2 + steps * (2 + outputs))
}

impl Conv2dBackwardInput {
    /// Lines of the input `(n, h)` that a fast row computes at once.
    fn lines(&self) -> usize {
        let Conv2dBackwardInput(s) = self;
        lines_at_once(s.in_w, s.kernel_h * s.kernel_w * s.group_out()).min(s.batch * s.in_h)
    }

    /// The kernel transposed; and what taps see from the positions of some lines, and their sums.
    fn room(&self) -> Room {
        let Conv2dBackwardInput(s) = self;
        if s.is_pointwise() {
            return Room::NONE;
        }
        let terms = s.met().iter().map(Met::terms_at_once).max().unwrap_or(0);
        let each = self.lines() * s.in_w * (terms + s.group_in());
        Room { shared: s.terms() * s.out_c, each }
    }
}

fn depthwise_row(
    op: &Conv2dBackwardInput,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(dy), Arg::In(kernel), Arg::Out(dx)] = args else {
        return Err(OtherArguments);
    };
    depthwise::backward_input(&op.0, dy, kernel, dx);
    Ok(())
}

/// For the positions that the same taps meet: the matrix of what these see of dy, times the kernel transposed.
fn fast(
    op: &Conv2dBackwardInput,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    scratch: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(dy), Arg::In(kernel), Arg::Out(dx)] = args else { return Err(OtherArguments) };
    let (s, lines) = (&op.0, op.lines());
    let line = s.in_w * s.in_c;
    if s.is_pointwise() {
        let kernel = Matrix { values: kernel, row: 1, column: s.out_c };
        dx.par_chunks_mut(lines * line).zip(dy.par_chunks(lines * s.out_w * s.out_c)).for_each(|(dx, dy)| {
            let dy = Matrix { values: dy, row: s.out_c, column: 1 };
            let sizes = [dx.len() / s.in_c, s.in_c, s.out_c];
            product(sizes, dy, kernel, Target { values: dx, row: s.in_c, add: false });
        });
        return Ok(());
    }
    let met = s.met();
    let (transposed, threads) = scratch.parts();
    transpose(s, &met, kernel, transposed);
    dx.par_chunks_mut(lines * line).enumerate().for_each(|(block, dx)| {
        dx.fill(0.0);
        threads.work(|room| {
            let mut kernel = &*transposed;
            for met in &met {
                let of_group = met.terms() * s.group_in();
                for group in 0..s.groups {
                    sum_products(met, dy, &kernel[..of_group], [block * lines, group], room, dx);
                    kernel = &kernel[of_group..];
                }
            }
        });
    });
    Ok(())
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
    transposed.par_chunks_mut(inputs * outputs).zip(&order).for_each(|(to, &from)| {
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
fn sum_products(
    met: &Met,
    dy: &[f32],
    kernel: &[f32],
    [first, group]: [usize; 2],
    room: &mut [f32],
    dx: &mut [f32],
) {
    let s = met.conv();
    let lines = dx.len() / (s.in_w * s.in_c);
    let positions = met.lines(first, lines).count() * met.columns();
    if positions == 0 || met.terms() == 0 {
        return;
    }
    let (sums, columns) = room.split_at_mut(positions * s.group_in());
    let mut done = 0;
    for rows in met.rows_at_once() {
        let terms = gather(met, dy, rows, met.lines(first, lines), group, columns);
        let columns = Matrix { values: columns, row: terms, column: 1 };
        let kernel = Matrix { values: &kernel[done * s.group_in()..], row: s.group_in(), column: 1 };
        let to = Target { values: &mut *sums, row: s.group_in(), add: done > 0 };
        product([positions, s.group_in(), terms], columns, kernel, to);
        done += terms;
    }
    let mut sums = sums.chunks_exact(s.group_in());
    for line in met.lines(first, lines) {
        let dx = &mut dx[(line - first) * s.in_w * s.in_c..][..s.in_w * s.in_c];
        let positions = dx.chunks_exact_mut(s.in_c).skip(met.first_column()).step_by(s.stride_w);
        for (dx, sums) in positions.zip(&mut sums) {
            dx[group * s.group_in()..][..s.group_in()].copy_from_slice(sums);
        }
    }
}

fn conv2d_backward_input<T: Real>(s: &ConvShape, dy: &[T], kernel: &[T], dx: &mut [T]) {
    let dx_row = s.in_w * s.in_c;
    dx.par_chunks_mut(dx_row).enumerate().for_each(|(row, dx)| {
        let (n, h) = (row / s.in_h, row % s.in_h);
        for (w, dx) in dx.chunks_mut(s.in_c).enumerate() {
            for (c, dx) in dx.iter_mut().enumerate() {
                *dx = T::zero();
                let (g, c) = (c / s.group_in(), c % s.group_in());
                for (p, q) in s.taps() {
                    let Some(i) = output_of(h, p * s.dilation_h, s.stride_h, s.out_h) else { continue };
                    let Some(j) = output_of(w, q * s.dilation_w, s.stride_w, s.out_w) else { continue };
                    for o in g * s.group_out()..(g + 1) * s.group_out() {
                        let dy = dy[((n * s.out_h + i) * s.out_w + j) * s.out_c + o];
                        let tap = (p * s.kernel_w + q) * s.group_in() + c;
                        *dx += dy * kernel[tap * s.out_c + o];
                    }
                }
            }
        }
    });
}

/// Most taps, so many apart, that meet one position of the input: those whose places leave the same rest by the stride.
fn most_taps(taps: usize, stride: usize, dilation: usize) -> usize {
    let apart = (1..=stride).find(|n| (n * dilation).is_multiple_of(stride)).unwrap_or(stride);
    taps.div_ceil(apart)
}

#[cfg(test)]
mod tests {
    use super::super::shape::strange_shapes;
    use super::*;

    /// The loops of `conv2d_backward_input_block.wgsl`, counted one by one: the most of any subgroup of so many lanes.
    fn counted(s: &ConvShape, lanes: usize) -> usize {
        let [images, rows] = bands(s, lanes);
        let at_once = lanes / row_lanes(s.in_c, lanes);
        let blocks = (s.out_c / EIGHTS).div_ceil(block_eights(s.out_c / EIGHTS));
        let count = |first_h: usize| {
            let end_h = (first_h + rows).min(s.in_h);
            let mut count = 0;
            for _ in (0..images).step_by(at_once) {
                count += 1 + (end_h - first_h) * s.in_w;
            }
            for block in 0..s.kernel_h * s.kernel_w * blocks {
                let p = block / blocks / s.kernel_w;
                let met = |i: &usize| (first_h..end_h).contains(&(i * s.stride_h + p));
                let outputs = (0..s.out_h).filter(met).count() * s.out_w;
                count += 1;
                for _ in (0..images).step_by(at_once) {
                    count += 1 + outputs;
                }
            }
            count
        };
        (0..s.in_h).step_by(rows).map(count).max().unwrap()
    }

    #[test]
    fn loops_over_blocks_stay_short_however_large_the_convolution() {
        // Of too many weights, and a single row that is too long, the block kernel keeps away.
        let expected = [true, true, true, true, true, true, true, false, false];
        for lanes in [4, 8, 16] {
            for (s, expected) in strange_shapes().into_iter().zip(expected) {
                let (count, most) = (counted(&s, lanes), band_iterations(&s, lanes));
                let fits = (BY_LANES.fits)(&Conv2dBackwardInput(s), lanes);
                assert_eq!(fits, expected, "{s:?}, {lanes} lanes: {count}");
                assert!(count <= most, "{s:?}, {lanes} lanes: {count} of {most}");
                assert!(!expected || count <= MAX_ITERATIONS, "{s:?}, {lanes} lanes: {count}");
            }
        }
    }
}
