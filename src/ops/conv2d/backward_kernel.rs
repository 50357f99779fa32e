use super::columns::gather;
use super::depthwise;
use super::shape::{ConvShape, MOST_TAPS, cases};
use crate::ops::kit::*;

/// Gradient of a convolution with respect to its kernel:
/// `dkernel[p, q, c, o] = sum_{n, i, j} x[n, i*sh + p*dh, j*sw + q*dw, g*gi + c] * dy[n, i, j, o]`, where g is the group of
/// o, and gi are the channels of a group's input, in parts: `partial[s]` is the sum over the `s`-th range of output rows
/// `(n, i)` ([`ConvShape::row_split`]).
///
/// x `[batch, in_h, in_w, in_c]`, dy `[batch, out_h, out_w, out_c]`,
/// partial `[parts, kernel_h, kernel_w, in_c / groups, out_c]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dBackwardKernel(pub ConvShape);

/// Invocations of a workgroup of a kernel that has few invocations, each with much work.
const SMALL_WORKGROUP: u32 = 8;
/// Vec4s of channels of one invocation.
const TILE_C: usize = 2;
/// Most rows that pass by a block.
const MOST_ROWS: usize = 384;

impl OpKind for Conv2dBackwardKernel {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("convolution/conv2d_backward_kernel_workgroup.wgsl"),
            fits: |op| op.0.has_tiles() && op.0.group_in().is_multiple_of(4),
            product: Some(|op| op.by_teams()),
            ..Row::WORKGROUP
        },
        Row {
            variant: "gather",
            source: shader!("convolution/conv2d_backward_kernel_gather.wgsl"),
            elements: &[Element::F32, Element::Vec4F32, Element::Vec4F32],
            fits: |op| op.0.has_tiles() && !op.0.group_in().is_multiple_of(4),
            product: Some(|op| op.by_teams()),
            ..Row::WORKGROUP
        },
        Row {
            source: shader!("lanes/conv2d_backward_kernel_block.wgsl"),
            elements: &[Element::EightF32; 3],
            lanes: Some(ByLanes {
                tile: |op, _| across_tile(op.block_rows(), 1),
                // With few input channels a block's rows would be too few to make up for loading it.
                fits: |op, _| op.0.plain_by_8() && op.0.terms() >= BLOCK_EIGHTS * EIGHTS,
                invocations: |op, lanes| {
                    blocks([op.0.terms(), op.0.out_c], op.block_rows(), op.0.row_split().parts, lanes)
                },
            }),
            ..Row::BLOCK
        },
        Row {
            source: shader!("convolution/conv2d_backward_kernel_tile.wgsl"),
            elements: &[Element::F32, Element::Vec4F32, Element::Vec4F32],
            workgroup: SMALL_WORKGROUP,
            tile: |_| vec![("TILE_C", TILE_C)],
            fits: |op| op.0.plain_by_4() && op.0.kernel_h * op.0.kernel_w <= MOST_TAPS,
            invocations: |op, _| op.0.in_c * (op.0.out_c / 4).div_ceil(TILE_C) * op.0.row_split().parts,
            ..Row::TILE
        },
        Row {
            source: shader!("convolution/conv2d_backward_kernel_depthwise.wgsl"),
            elements: &[Element::Vec4F32; 3],
            fits: |op| op.0.depthwise_by_4(),
            sums: Some(Sums { terms: |op| op.0.row_split().terms_per_part, along: false }),
            invocations: |op, width| reals(op, width),
            ..Row::DEPTHWISE
        },
        Row {
            source: shader!("convolution/conv2d_backward_kernel.wgsl"),
            elements: &[Element::F32, Element::Real, Element::Real],
            by_four: Some(|op| op.0.channels_by_4()),
            ..Row::ELEMENTWISE
        },
    ];

    const FAST: &'static [FastRow<Self>] = &[
        FastRow { fits: |op| op.0.is_depthwise(), ..FastRow::new("depthwise", depthwise_row) },
        FastRow {
            fits: |op| op.0.has_products(),
            room: |op| Room { each: op.room(), ..Room::NONE },
            ..FastRow::new("gemm", fast)
        },
    ];

    fn kind(&self) -> &'static str {
        "conv2d_backward_kernel"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let Conv2dBackwardKernel(s) = self;
        let partial = [&[s.row_split().parts], &s.kernel()[..]].concat();
        vec![read("x", &s.x()), read("dy", &s.y()), written("partial", &partial)]
    }

    fn split(&self) -> Option<Split> {
        Some(self.0.row_split())
    }

    fn flops(&self) -> usize {
        self.0.positions() * self.0.out_c * 2 * self.0.terms()
    }

    fn longest_loop(&self) -> usize {
        self.part_terms()
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(dy), Arg::Out(partial)] = args else { return Err(OtherArguments) };
        conv2d_backward_kernel(&self.0, x, dy, partial);
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        let case = |s| Case::of(Conv2dBackwardKernel(s));
        // 67,600 positions, and an odd number of channels over as many.
        let long = vec![
            case(ConvShape::valid([100, 28, 28, 1], [3, 3], [1, 1], 4)),
            case(ConvShape::valid([100, 28, 28, 1], [2, 2], [1, 1], 3)).with(Numbers::Eighths),
            // Weights for wide workgroups, whose last tiles are not full; channels in fours and others.
            case(ConvShape::valid([1, 4, 4, 1024], [3, 3], [1, 1], 508)).folded(),
            case(ConvShape::valid([1, 4, 4, 1022], [3, 3], [1, 1], 508)).folded(),
        ];
        cases(Conv2dBackwardKernel, [], long)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Conv2dBackwardKernel(s) = trial.case.op;
        trial.sum_of_alike_products(s.row_split().range(0).len() * s.out_w)
    }
}

impl Conv2dBackwardKernel {
    /// The product that workgroups share out.
    fn by_teams(&self) -> Product {
        let s = &self.0;
        let parts = s.row_split().parts;
        Product { area: [s.terms(), s.group_out()], areas: s.groups * parts, terms: self.part_terms() }
    }

    /// Terms of a part of a sum.
    fn part_terms(&self) -> usize {
        self.0.row_split().terms_per_part * self.0.out_w
    }

    /// Output rows `(n, i)` whose positions a fast row adds up at once.
    fn rows_at_once(&self) -> usize {
        (TERMS / self.0.out_w).max(1).min(self.0.row_split().terms_per_part)
    }

    /// Floats of what their windows see.
    fn room(&self) -> usize {
        let s = &self.0;
        if s.is_pointwise() { 0 } else { self.rows_at_once() * s.out_w * s.terms().min(TERMS) }
    }

    /// Rows that pass by a block.
    fn block_rows(&self) -> usize {
        // A load for every eight rows beside the rows themselves.
        let blocks = 2 * self.part_terms().div_ceil(BLOCK_EIGHTS * EIGHTS);
        block_rows(self.0.terms(), short(MOST_ROWS, blocks))
    }
}

fn depthwise_row(
    op: &Conv2dBackwardKernel,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::In(dy), Arg::Out(partial)] = args else {
        return Err(OtherArguments);
    };
    depthwise::backward_kernel(&op.0, x, dy, partial);
    Ok(())
}

/// The matrix of what the windows see, transposed, times dy: for each part, and for each range of the kernel's terms.
fn fast(
    op: &Conv2dBackwardKernel,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    scratch: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::In(dy), Arg::Out(partial)] = args else { return Err(OtherArguments) };
    let s = &op.0;
    let (_, threads) = scratch.parts();
    let some = cut(s.terms()).next().map_or(1, |terms| terms.len());
    each_piece(partial, s.terms() * s.out_c, &|part, partial| {
        each_piece(partial, some * s.out_c, &|range, partial| {
            let terms = range * some..range * some + partial.len() / s.out_c;
            threads.work(|columns| sum_products(op, [x, dy], part, terms, columns, partial));
        });
    });
    Ok(())
}

fn sum_products(
    op: &Conv2dBackwardKernel,
    [x, dy]: [&[f32]; 2],
    part: usize,
    terms: std::ops::Range<usize>,
    columns: &mut [f32],
    partial: &mut [f32],
) {
    let s = &op.0;
    let rows = s.row_split().range(part);
    for group in 0..s.groups {
        for first in rows.clone().step_by(op.rows_at_once()) {
            let some = first..(first + op.rows_at_once()).min(rows.end);
            let position = first * s.out_w;
            let windows = if s.is_pointwise() {
                Matrix { values: &x[position * s.in_c + terms.start..], row: 1, column: s.in_c }
            } else {
                gather(s, x, some.clone(), group, terms.clone(), columns);
                Matrix { values: columns, row: 1, column: terms.len() }
            };
            let out = group * s.group_out();
            let dy = Matrix { values: &dy[position * s.out_c + out..], row: s.out_c, column: 1 };
            let to = Target { values: &mut partial[out..], row: s.out_c, add: first > rows.start };
            product([terms.len(), s.group_out(), some.len() * s.out_w], windows, dy, to);
        }
    }
}

fn conv2d_backward_kernel<T: Real>(s: &ConvShape, x: &[T], dy: &[T], partial: &mut [T]) {
    let split = s.row_split();
    let len = s.terms() * s.out_c;
    each_piece(partial, len, &|part, partial| {
        partial.fill(T::zero());
        let rows = split.range(part);
        for (row, j) in rows.flat_map(|row| (0..s.out_w).map(move |j| (row, j))) {
            let (n, i) = (row / s.out_h, row % s.out_h);
            let dy = &dy[(row * s.out_w + j) * s.out_c..][..s.out_c];
            for (g, dy) in dy.chunks(s.group_out()).enumerate() {
                for (p, q) in s.taps() {
                    for c in 0..s.group_in() {
                        let x = x[s.pixel(n, [i, j], [p, q]) * s.in_c + g * s.group_in() + c];
                        let tap = (p * s.kernel_w + q) * s.group_in() + c;
                        let partial = &mut partial[tap * s.out_c + g * s.group_out()..];
                        for (sum, &dy) in partial.iter_mut().zip(dy) {
                            *sum += x * dy;
                        }
                    }
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::shape::strange_shapes;
    use super::*;

    #[test]
    fn loops_over_blocks_stay_short_however_large_the_convolution() {
        for s in strange_shapes() {
            let op = Conv2dBackwardKernel(s);
            let blocks = op.part_terms().div_ceil(BLOCK_EIGHTS * EIGHTS);
            let rows = op.block_rows();
            assert!(blocks * (1 + rows + rows / EIGHTS) <= MAX_ITERATIONS, "{s:?}");
        }
    }
}
