use super::part::ImagePart;
use super::shape::{ConvShape, block_eights, cases, output_of};
use super::{depthwise, input_products};
use crate::ops::kit::*;

/// Gradient of a convolution with respect to a part of its input, such as what lies within a border:
/// `dx[n, h, w, c] = sum_{p, q, o} dy[n, (top + h - p*dh)/sh, (left + w - q*dw)/sw, o] * kernel[p, q, c, o]`, over the taps for
/// which both quotients are whole and inside the output, and the outputs o of the group of c; in the kernel, c counts from its
/// group's first channel.
///
/// dy `[batch, out_h, out_w, out_c]`, kernel `[kernel_h, kernel_w, in_c / groups, out_c]`, dx `[batch, height, width, in_c]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dBackwardInput {
    /// Sizes of the convolution.
    pub conv: ConvShape,
    /// Where the gradient is wanted, `top`, `left`, `height` and `width` of the formula.
    pub part: ImagePart,
}

/// Positions of each image, or of all images together, that pass by a block.
const BAND_POSITIONS: usize = 256;

/// How images and rows of dx are shared out among subgroups, and channels among their lanes.
const BY_LANES: ByLanes<Conv2dBackwardInput> = ByLanes {
    tile: |op, lanes| {
        let [images, rows] = bands(op, lanes);
        vec![
            ("BATCH", op.conv.batch),
            ("TILE_IMAGES", images),
            ("TILE_H", rows),
            ("ROW_LANES", row_lanes(op.conv.in_c, lanes)),
            ("BLOCK_EIGHTS", block_eights(op.conv.out_c / EIGHTS)),
        ]
    },
    fits: |op, lanes| op.conv.plain_by_8() && band_iterations(op, lanes) <= MAX_ITERATIONS,
    invocations: |op, lanes| {
        let ([images, rows], in_c) = (bands(op, lanes), op.conv.in_c);
        let columns = in_c.div_ceil(EIGHTS).div_ceil(row_lanes(in_c, lanes));
        tiles([op.conv.batch, op.part.height], [images, rows]) * columns * lanes
    },
};

impl Conv2dBackwardInput {
    /// Positions of dx.
    fn positions(&self) -> usize {
        self.conv.batch * self.part.height * self.part.width
    }

    /// The product that workgroups share out.
    fn by_teams(&self) -> Product {
        let s = &self.conv;
        Product {
            area: [self.positions(), s.group_in()],
            areas: s.groups,
            terms: s.kernel_h * s.kernel_w * s.group_out(),
        }
    }
}

impl OpKind for Conv2dBackwardInput {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("convolution/conv2d_backward_input_workgroup.wgsl"),
            tile: |op| vec![("POSITIONS", op.positions()), ("TERMS", op.by_teams().terms)],
            fits: |op| op.conv.has_input_tiles(),
            product: Some(|op| op.by_teams()),
            // What it knows of four positions takes the registers.
            wide: false,
            ..Row::WORKGROUP
        },
        Row {
            source: shader!("lanes/conv2d_backward_input_block.wgsl"),
            elements: &[Element::EightF32; 3],
            lanes: Some(BY_LANES),
            ..Row::BLOCK
        },
        Row {
            source: shader!("convolution/conv2d_backward_input_depthwise.wgsl"),
            elements: &[Element::Vec4F32; 3],
            fits: |op| op.conv.depthwise_by_4(),
            invocations: |op, width| reals(op, width),
            ..Row::DEPTHWISE
        },
        Row {
            source: shader!("convolution/conv2d_backward_input.wgsl"),
            elements: &[Element::Real, Element::Real, Element::F32],
            by_four: Some(|op| op.conv.channels_by_4()),
            ..Row::SCALAR
        },
    ];

    const FAST: &'static [FastRow<Self>] = &[
        FastRow { fits: |op| op.conv.is_depthwise(), ..FastRow::new("depthwise", depthwise_row) },
        FastRow {
            fits: |op| op.conv.has_products(),
            room: |op| input_products::room(&op.conv, op.part),
            ..FastRow::new("gemm", products_row)
        },
    ];

    fn kind(&self) -> &'static str {
        "conv2d_backward_input"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let Conv2dBackwardInput { conv: s, part } = self;
        let dx = [s.batch, part.height, part.width, s.in_c];
        vec![read("dy", &s.y()), read("kernel", &s.kernel()), written("dx", &dx)]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.part.meetings(&self.conv) * self.conv.batch * self.conv.out_c * 2 * self.conv.group_in()
    }

    fn longest_loop(&self) -> usize {
        self.conv.kernel_h * self.conv.kernel_w * self.conv.group_out()
    }

    fn constants(&self) -> Constants {
        self.conv.constants().into_iter().chain(self.part.constants()).collect()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(dy), Arg::In(kernel), Arg::Out(dx)] = args else { return Err(OtherArguments) };
        conv2d_backward_input(self, dy, kernel, dx);
        Ok(())
    }

    fn title(&self) -> String {
        let Conv2dBackwardInput { conv, part } = self;
        let mut title = conv.title();
        if *self != Conv2dBackwardInput::whole(*conv) {
            title += &format!(", rows {:?}, columns {:?}", part.rows(), part.columns());
        }
        title
    }

    fn cases() -> Vec<Case<Self>> {
        // The longest sums: 25,000 products in one output.
        let long = Conv2dBackwardInput::whole(ConvShape::valid([1, 6, 6, 4], [5, 5], [1, 1], 1000));
        let mut table = cases(Conv2dBackwardInput::whole, [], vec![Case::of(long)]);
        table.extend(parts().map(Case::of));
        // Within a border, folded.
        let folded = ConvShape::valid([48, 12, 11, 16], [3, 3], [1, 1], 72);
        table.push(Case::of(Conv2dBackwardInput::within(folded, [1, 1], [10, 9])).folded());
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let s = trial.case.op.conv;
        let covered =
            most_taps(s.kernel_h, s.stride_h, s.dilation_h) * most_taps(s.kernel_w, s.stride_w, s.dilation_w);
        trial.sum_of_products(covered * s.group_out())
    }
}

/// Images and rows of dx of one subgroup of the block kernel: enough positions to make up for loading a block, and few
/// enough for many subgroups.
fn bands(op: &Conv2dBackwardInput, lanes: usize) -> [usize; 2] {
    let ImagePart { height, width, .. } = op.part;
    let at_once = lanes / row_lanes(op.conv.in_c, lanes);
    let rows = height.min((BAND_POSITIONS / width).max(1));
    let rows = height.div_ceil(height.div_ceil(rows));
    let images = (BAND_POSITIONS / (rows * width)).max(1);
    // A power of two: batches mostly are.
    [at_once << images.ilog2(), rows]
}

/// Iterations of an invocation of that kernel over all its loops, at most; one more for the end of each.
fn band_iterations(op: &Conv2dBackwardInput, lanes: usize) -> usize {
    let Conv2dBackwardInput { conv: s, part } = op;
    let [images, rows] = bands(op, lanes);
    let steps = images * row_lanes(s.in_c, lanes) / lanes;
    let eights = s.out_c / EIGHTS;
    let blocks = s.kernel_h * s.kernel_w * eights.div_ceil(block_eights(eights));
    let outputs = rows.min(s.out_h) * part.width.min(s.out_w);
    steps * (2 + rows * part.width) + blocks * (2 + steps * (2 + outputs))
}

impl Conv2dBackwardInput {
    /// The gradient of the whole input.
    pub fn whole(conv: ConvShape) -> Self {
        Conv2dBackwardInput { conv, part: ImagePart::whole(&conv) }
    }

    /// The gradient from row `top` and column `left` of the input on, of so many rows and columns; they must be there.
    pub fn within(conv: ConvShape, [top, left]: [usize; 2], [height, width]: [usize; 2]) -> Self {
        Conv2dBackwardInput { conv, part: ImagePart { top, left, height, width } }
    }
}

/// Parts of the input: what lies within borders as layers make them, and others.
fn parts() -> impl Iterator<Item = Conv2dBackwardInput> {
    let (valid, within) = (ConvShape::valid, Conv2dBackwardInput::within);
    [
        // By eight channels: bands of rows, several blocks to a weight, empty places for images, strides that begin anywhere.
        within(valid([3, 30, 17, 32], [3, 3], [1, 1], 104), [1, 1], [28, 15]),
        within(valid([5, 9, 9, 72], [3, 3], [1, 1], 16), [1, 1], [7, 7]),
        within(valid([3, 13, 12, 8], [5, 4], [2, 3], 16), [2, 1], [10, 9]),
        within(valid([9, 9, 8, 16], [3, 3], [2, 2], 24), [0, 0], [8, 7]),
        within(valid([2, 8, 7, 24], [3, 3], [1, 1], 8), [0, 6], [8, 1]),
        // A single row and a single column, of which some or most taps never see a thing.
        within(valid([2, 9, 7, 8], [3, 3], [2, 2], 8), [8, 2], [1, 4]),
        within(valid([3, 9, 7, 8], [3, 3], [2, 2], 8), [3, 1], [1, 1]),
        within(valid([2, 9, 11, 16], [2, 2], [4, 4], 8), [2, 1], [3, 9]),
        // Channels in fours and in any number; borders on one side, and wider ones.
        within(valid([2, 10, 12, 4], [3, 3], [1, 1], 12), [1, 1], [8, 10]),
        within(valid([2, 9, 10, 3], [4, 2], [1, 1], 5), [1, 0], [6, 9]),
        within(valid([3, 11, 8, 5], [3, 3], [3, 2], 7), [0, 1], [9, 6]),
        within(valid([2, 9, 9, 2], [2, 2], [3, 3], 4), [2, 5], [6, 3]),
        within(valid([2, 6, 7, 12], [1, 1], [1, 1], 20), [1, 2], [4, 3]),
        // Gaps and groups.
        within(valid([2, 12, 15, 8], [3, 3], [1, 1], 16).dilated([2, 3]), [2, 3], [8, 9]),
        within(valid([1, 9, 11, 2], [2, 3], [2, 3], 4).dilated([3, 2]), [1, 2], [7, 8]),
        within(valid([2, 9, 8, 8], [3, 3], [1, 1], 16).grouped(2), [1, 1], [7, 6]),
        within(valid([3, 7, 9, 6], [2, 3], [2, 1], 9).grouped(3), [0, 1], [6, 7]),
        within(valid([2, 14, 9, 32], [3, 3], [1, 1], 32).grouped(32), [1, 1], [12, 7]),
        within(valid([3, 9, 12, 12], [3, 3], [2, 2], 12).grouped(12), [0, 1], [8, 10]),
        within(valid([2, 11, 10, 5], [3, 3], [1, 1], 5).grouped(5).dilated([2, 2]), [2, 2], [7, 6]),
    ]
    .into_iter()
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
    depthwise::backward_input(&op.conv, op.part, [dy, kernel], dx);
    Ok(())
}

fn products_row(
    op: &Conv2dBackwardInput,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    scratch: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(dy), Arg::In(kernel), Arg::Out(dx)] = args else { return Err(OtherArguments) };
    input_products::backward_input(&op.conv, op.part, [dy, kernel], dx, scratch);
    Ok(())
}

fn conv2d_backward_input<T: Real>(op: &Conv2dBackwardInput, dy: &[T], kernel: &[T], dx: &mut [T]) {
    let Conv2dBackwardInput { conv: s, part } = op;
    let dx_row = part.width * s.in_c;
    each_piece(dx, dx_row, &|row, dx| {
        let (n, h) = (row / part.height, part.top + row % part.height);
        for (w, dx) in part.columns().zip(dx.chunks_mut(s.in_c)) {
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
    fn counted(op: &Conv2dBackwardInput, lanes: usize) -> usize {
        let Conv2dBackwardInput { conv: s, part } = op;
        let [images, rows] = bands(op, lanes);
        let at_once = lanes / row_lanes(s.in_c, lanes);
        let blocks = (s.out_c / EIGHTS).div_ceil(block_eights(s.out_c / EIGHTS));
        let count = |first_h: usize| {
            let end_h = (first_h + rows).min(part.rows().end);
            let mut count = 0;
            for _ in (0..images).step_by(at_once) {
                count += 1 + (end_h - first_h) * part.width;
            }
            for block in 0..s.kernel_h * s.kernel_w * blocks {
                let (p, q) = (block / blocks / s.kernel_w, block / blocks % s.kernel_w);
                let down = |i: &usize| (first_h..end_h).contains(&(i * s.stride_h + p));
                let along = |j: &usize| part.columns().contains(&(j * s.stride_w + q));
                let outputs = (0..s.out_h).filter(down).count() * (0..s.out_w).filter(along).count();
                count += 1;
                for _ in (0..images).step_by(at_once) {
                    count += 1 + outputs;
                }
            }
            count
        };
        part.rows().step_by(rows).map(count).max().unwrap()
    }

    #[test]
    fn loops_over_blocks_stay_short_however_large_the_convolution() {
        // Of too many weights, and a single row that is too long, the block kernel keeps away.
        let expected = [true, true, true, true, true, true, true, false, false];
        for (s, expected) in strange_shapes().into_iter().zip(expected) {
            let whole = Conv2dBackwardInput::whole(s);
            let within = Conv2dBackwardInput::within(s, [1, 1], [s.in_h - 2, s.in_w - 2]);
            for (op, lanes) in [whole, within].into_iter().flat_map(|op| [4, 8, 16].map(|lanes| (op, lanes)))
            {
                let (count, most) = (counted(&op, lanes), band_iterations(&op, lanes));
                let fits = (BY_LANES.fits)(&op, lanes);
                assert_eq!(fits, expected, "{op:?}, {lanes} lanes: {count}");
                assert!(count <= most, "{op:?}, {lanes} lanes: {count} of {most}");
                assert!(!expected || count <= MAX_ITERATIONS, "{op:?}, {lanes} lanes: {count}");
            }
        }
    }

    #[test]
    fn work_is_counted_where_an_output_and_a_tap_meet() {
        for op in parts().chain(strange_shapes().into_iter().take(1).map(Conv2dBackwardInput::whole)) {
            let Conv2dBackwardInput { conv: s, part } = op;
            let meets = |[h, w]: [usize; 2], (p, q)| {
                output_of(h, p * s.dilation_h, s.stride_h, s.out_h).is_some()
                    && output_of(w, q * s.dilation_w, s.stride_w, s.out_w).is_some()
            };
            let positions = part.rows().flat_map(|h| part.columns().map(move |w| [h, w]));
            let met: usize = positions.map(|at| s.taps().filter(|&tap| meets(at, tap)).count()).sum();
            assert_eq!(op.flops(), 2 * met * s.batch * s.in_c * s.group_out(), "{op:?}");
        }
    }
}
