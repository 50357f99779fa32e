use super::columns::{gather, lines_at_once};
use super::depthwise;
use super::shape::{ConvShape, block_eights, cases, shapes};
use crate::ops::activation::relu;
use crate::ops::kit::*;

/// Convolution plus bias, ReLU where asked for:
/// `y[n, i, j, o] = bias[o] + sum_{p, q, c} x[n, i*sh + p*dh, j*sw + q*dw, g*gi + c] * kernel[p, q, c, o]`, where g is the
/// group of o, and gi are the channels of a group's input.
///
/// x `[batch, in_h, in_w, in_c]`, kernel `[kernel_h, kernel_w, in_c / groups, out_c]`, bias `[out_c]`,
/// y `[batch, out_h, out_w, out_c]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dForward {
    /// The sizes.
    pub conv: ConvShape,
    /// Whether ReLU follows.
    pub relu: bool,
}

/// Most positions along a row of one invocation.
const TILE_W: usize = 13;
/// Vec4s of channels of one invocation.
const TILE_C: usize = 2;
/// Most rows that pass by a block: enough to make up for loading it, and more than of a product.
const MOST_POSITIONS: usize = 256;

impl OpKind for Conv2dForward {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("convolution/conv2d_forward_workgroup.wgsl"),
            elements: &[Element::Vec4F32; 4],
            tile: |op| vec![("POSITIONS", op.conv.positions()), ("TERMS", op.conv.terms())],
            fits: |op| op.conv.has_tiles() && op.conv.group_in().is_multiple_of(4),
            product: Some(|op| op.by_teams()),
            ..Row::WORKGROUP
        },
        Row {
            variant: "gather",
            source: shader!("convolution/conv2d_forward_gather.wgsl"),
            elements: &[Element::F32, Element::Vec4F32, Element::Vec4F32, Element::Vec4F32],
            tile: |op| vec![("POSITIONS", op.conv.positions()), ("TERMS", op.conv.terms())],
            fits: |op| op.conv.has_tiles() && !op.conv.group_in().is_multiple_of(4),
            product: Some(|op| op.by_teams()),
            ..Row::WORKGROUP
        },
        Row {
            source: shader!("lanes/conv2d_forward_block.wgsl"),
            elements: &[Element::EightF32; 4],
            lanes: Some(ByLanes {
                tile: |op, lanes| {
                    let eights = block_eights(op.conv.terms() / EIGHTS);
                    let tile = along_tile(op.block_rows(), op.conv.out_c, eights, lanes);
                    [tile, vec![("POSITIONS", op.conv.positions())]].concat()
                },
                fits: |op, _| op.conv.plain_by_8(),
                invocations: |op, lanes| {
                    blocks([op.conv.positions(), op.conv.out_c], op.block_rows(), 1, lanes)
                },
            }),
            ..Row::BLOCK
        },
        Row {
            source: shader!("convolution/conv2d_forward_tile.wgsl"),
            elements: &[Element::F32, Element::Vec4F32, Element::Vec4F32, Element::Vec4F32],
            tile: |op| vec![("TILE_W", op.tile_w()), ("TILE_C", TILE_C)],
            fits: |op| op.conv.plain_by_4(),
            invocations: |op, _| {
                let s = op.conv;
                s.batch * s.out_h * tiles([s.out_w, s.out_c / 4], [op.tile_w(), TILE_C])
            },
            ..Row::TILE
        },
        Row {
            source: shader!("convolution/conv2d_forward_depthwise.wgsl"),
            elements: &[Element::Vec4F32; 4],
            fits: |op| op.conv.depthwise_by_4(),
            invocations: |op, _| op.conv.positions() * op.conv.out_c / 4,
            ..Row::DEPTHWISE
        },
        Row {
            source: shader!("convolution/conv2d_forward.wgsl"),
            elements: &[Element::F32, Element::Real, Element::Real, Element::Real],
            by_four: Some(|op| op.conv.channels_by_4()),
            ..Row::ELEMENTWISE
        },
    ];

    const FAST: &'static [FastRow<Self>] = &[
        FastRow { fits: |op| op.conv.is_depthwise(), ..FastRow::new("depthwise", depthwise_row) },
        FastRow {
            fits: |op| op.conv.has_products(),
            room: |op| Room { each: op.conv.room(), ..Room::NONE },
            ..FastRow::new("gemm", fast)
        },
    ];

    fn kind(&self) -> &'static str {
        "conv2d_forward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let s = &self.conv;
        vec![read("x", &s.x()), read("kernel", &s.kernel()), read("bias", &[s.out_c]), written("y", &s.y())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.conv.positions() * self.conv.out_c * (2 * self.conv.terms() + 1 + usize::from(self.relu))
    }

    fn longest_loop(&self) -> usize {
        self.conv.terms()
    }

    fn constants(&self) -> Constants {
        [self.conv.constants(), constants! { "RELU" => self.relu }].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(kernel), Arg::In(bias), Arg::Out(y)] = args else {
            return Err(OtherArguments);
        };
        conv2d_forward(&self.conv, x, kernel, bias, y);
        if self.relu {
            change(y, relu);
        }
        Ok(())
    }

    fn title(&self) -> String {
        let relu = if self.relu { ", relu" } else { "" };
        format!("{}{relu}", self.conv.title())
    }

    fn cases() -> Vec<Case<Self>> {
        // One for each kernel, and for sums in several blocks.
        let with_relu = [2, 3, 5, 6, 9, 12, 13, 14, 15, 16].map(|at| shapes()[at]);
        let with_relu = with_relu.map(|conv| Case::of(Conv2dForward { conv, relu: true }));
        let plain = |conv| Conv2dForward { conv, relu: false };
        // The longest sums: 25,000 products in one output.
        let long = Case::of(plain(ConvShape::valid([1, 6, 6, 1000], [5, 5], [1, 1], 4)));
        // Outputs for wide workgroups, whose last tile is not full.
        let wide = |relu, channels| Conv2dForward {
            conv: ConvShape::valid([16, 67, 66, channels], [3, 3], [1, 1], 60),
            relu,
        };
        let wide = [wide(true, 4), wide(false, 3)].map(|op| Case::of(op).folded());
        cases(plain, with_relu, [vec![long], wide.to_vec()].concat())
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum_of_products(trial.case.op.conv.terms() + 1)
    }
}

impl Conv2dForward {
    /// The product that workgroups share out.
    fn by_teams(&self) -> Product {
        let s = &self.conv;
        Product { area: [s.positions(), s.group_out()], areas: s.groups, terms: s.terms() }
    }

    /// Positions along a row of one invocation: as few tiles to a row as the longest allows, all of nearly the same length.
    fn tile_w(&self) -> usize {
        self.conv.out_w.div_ceil(self.conv.out_w.div_ceil(TILE_W))
    }

    /// Blocks of terms.
    fn blocks(&self) -> usize {
        let eights = self.conv.terms().div_ceil(EIGHTS);
        eights.div_ceil(block_eights(eights))
    }

    /// Rows that pass by a block.
    fn block_rows(&self) -> usize {
        block_rows(self.conv.positions(), short(MOST_POSITIONS, self.blocks()))
    }
}

impl ConvShape {
    /// Output rows `(n, i)` that are worked on at once.
    fn rows_at_once(&self) -> usize {
        lines_at_once(self.out_w, self.terms()).min(self.batch * self.out_h)
    }

    /// Floats of what their windows see.
    fn room(&self) -> usize {
        if self.is_pointwise() { 0 } else { self.rows_at_once() * self.out_w * self.terms().min(TERMS) }
    }
}

fn depthwise_row(
    op: &Conv2dForward,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::In(kernel), Arg::In(bias), Arg::Out(y)] = args else {
        return Err(OtherArguments);
    };
    depthwise::forward(&op.conv, x, kernel, bias, y);
    if op.relu {
        change(y, relu);
    }
    Ok(())
}

/// A block of output rows at a time: the matrix of what their windows see, times the kernel.
fn fast(
    op: &Conv2dForward,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    scratch: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::In(kernel), Arg::In(bias), Arg::Out(y)] = args else {
        return Err(OtherArguments);
    };
    let s = &op.conv;
    let (_, threads) = scratch.parts();
    let lines = s.rows_at_once();
    let line = s.out_w * s.out_c;
    each_piece(y, lines * line, &|block, y| {
        let first = block * lines;
        let rows = first..first + y.len() / line;
        y.chunks_exact_mut(s.out_c).for_each(|y| y.copy_from_slice(bias));
        threads.work(|columns| add_products(s, x, kernel, rows, columns, y));
        if op.relu {
            y.iter_mut().for_each(|y| *y = relu(*y));
        }
    });
    Ok(())
}

fn add_products(
    s: &ConvShape,
    x: &[f32],
    kernel: &[f32],
    rows: std::ops::Range<usize>,
    columns: &mut [f32],
    y: &mut [f32],
) {
    let positions = rows.len() * s.out_w;
    for group in 0..s.groups {
        for terms in cut(s.terms()) {
            let windows = if s.is_pointwise() {
                let values = &x[rows.start * s.out_w * s.in_c + terms.start..];
                Matrix { values, row: s.in_c, column: 1 }
            } else {
                gather(s, x, rows.clone(), group, terms.clone(), columns);
                Matrix { values: columns, row: terms.len(), column: 1 }
            };
            let first = group * s.group_out();
            let kernel = &kernel[terms.start * s.out_c + first..];
            let kernel = Matrix { values: kernel, row: s.out_c, column: 1 };
            let to = Target { values: &mut y[first..], row: s.out_c, add: true };
            product([positions, s.group_out(), terms.len()], windows, kernel, to);
        }
    }
}

pub(in crate::ops) fn conv2d_forward<T: Real>(s: &ConvShape, x: &[T], kernel: &[T], bias: &[T], y: &mut [T]) {
    let y_row = s.out_w * s.out_c;
    each_piece(y, y_row, &|row, y| {
        let (n, i) = (row / s.out_h, row % s.out_h);
        for (j, y) in y.chunks_mut(s.out_c).enumerate() {
            y.copy_from_slice(bias);
            for (g, y) in y.chunks_mut(s.group_out()).enumerate() {
                for (p, q) in s.taps() {
                    for c in 0..s.group_in() {
                        let x = x[s.pixel(n, [i, j], [p, q]) * s.in_c + g * s.group_in() + c];
                        let tap = (p * s.kernel_w + q) * s.group_in() + c;
                        let kernel = &kernel[tap * s.out_c + g * s.group_out()..];
                        for (y, &k) in y.iter_mut().zip(kernel) {
                            *y += x * k;
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

    /// lavapipe leaves loops at 65,535 iterations without a word.
    #[test]
    fn loops_over_blocks_stay_short_however_large_the_convolution() {
        for conv in strange_shapes() {
            let op = Conv2dForward { conv, relu: false };
            assert!(op.blocks() * (1 + op.block_rows()) <= MAX_ITERATIONS, "{conv:?}");
        }
    }
}
