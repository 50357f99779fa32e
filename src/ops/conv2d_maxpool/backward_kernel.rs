use super::shape::{ConvPoolShape, MOST_ELEMENTS, folds, many_windows, shapes};
use crate::ops::kit::*;
use crate::ops::maxpool::{unpacked, winner};

/// Gradients of kernel and bias of a pooled convolution.
///
/// With `(h, w)` the output of the convolution that won window `(n, i, j)` of channel `o`:
/// `dkernel[p, q, c, o] = sum_{n, i, j} x[n, h*sh + p, w*sw + q, c] * dy[n, i, j, o]` and
/// `dbias[o] = sum_{n, i, j} dy[n, i, j, o]`, over the windows that have a winner, in parts: `partial[s]` is the sum over
/// the `s`-th range of rows `(n, i)` ([`ConvPoolShape::row_split`]), kernel first, then bias.
///
/// x `[batch, in_h, in_w, in_c]`, dy and winner `[batch, pooled_h, pooled_w, out_c]`,
/// partial `[parts, kernel_h * kernel_w * in_c + 1, out_c]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dMaxpoolBackwardKernel(pub ConvPoolShape);

/// Invocations of a workgroup that shares the windows of a part.
const WORKGROUP: u32 = 64;
/// Most rows of the gradient whose sums one of them holds in registers.
const MOST_ROWS: usize = 8;

impl Conv2dMaxpoolBackwardKernel {
    /// Rows of the gradient that a workgroup computes: as few workgroups as the most allows, all with nearly the same number.
    fn rows_here(&self) -> usize {
        let rows = self.0.conv.terms() + 1;
        rows.div_ceil(rows.div_ceil(MOST_ROWS))
    }

    /// Workgroups that share windows: for each range of rows, part and four channels.
    fn groups(&self) -> usize {
        let ranges = (self.0.conv.terms() + 1).div_ceil(self.rows_here());
        ranges * self.0.row_split().parts * self.0.conv.out_c / 4
    }
}

impl OpKind for Conv2dMaxpoolBackwardKernel {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("lanes/conv2d_maxpool_backward_kernel_subgroup.wgsl"),
            elements: &[Element::Vec4F32, Element::EightF32, Element::Vec2U32, Element::EightF32],
            lanes: Some(ByLanes {
                // How lanes are shared out among images.
                tile: |Conv2dMaxpoolBackwardKernel(s), lanes| {
                    let of_image = row_lanes(s.conv.out_c, lanes);
                    vec![("IMAGE_LANES", of_image), ("IMAGES", lanes / of_image), ("RUN", s.run())]
                },
                fits: |op, _| op.0.one_channel_by_lanes() && op.0.conv.out_c.is_multiple_of(EIGHTS),
                invocations: |Conv2dMaxpoolBackwardKernel(s), lanes| {
                    let columns = (s.conv.out_c / EIGHTS).div_ceil(row_lanes(s.conv.out_c, lanes));
                    columns * s.row_split().parts * lanes
                },
            }),
            ..Row::SUBGROUP
        },
        Row {
            source: shader!("convolution/conv2d_maxpool_backward_kernel_workgroup.wgsl"),
            elements: &[Element::F32, Element::Vec4F32, Element::U32, Element::Vec4F32],
            workgroup: WORKGROUP,
            tile: |op| vec![("ROWS_HERE", op.rows_here())],
            fits: |op| op.0.pool.packs_winners() && op.0.none_won() <= MOST_ELEMENTS,
            invocations: |op, _| op.groups() * WORKGROUP as usize,
            ..Row::WORKGROUP
        },
        Row {
            source: shader!("convolution/conv2d_maxpool_backward_kernel.wgsl"),
            elements: &[Element::F32, Element::Real, Element::U32, Element::Real],
            fits: |op| !op.0.pool.packs_winners(),
            by_four: Some(|op| op.0.pool.packs_winners()),
            ..Row::ELEMENTWISE
        },
    ];

    fn kind(&self) -> &'static str {
        "conv2d_maxpool_backward_kernel"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let Conv2dMaxpoolBackwardKernel(s) = self;
        vec![
            read("x", &s.conv.x()),
            read("dy", &s.pool.y()),
            winner(Access::In, &s.pool),
            written("partial", &[&[s.row_split().parts], &s.gradient()[..]].concat()),
        ]
    }

    fn split(&self) -> Option<Split> {
        Some(self.0.row_split())
    }

    fn flops(&self) -> usize {
        self.0.pool.y().iter().product::<usize>() * (2 * self.0.conv.terms() + 1)
    }

    fn longest_loop(&self) -> usize {
        self.0.row_split().terms_per_part * self.0.pool.out_w * self.0.none_won()
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(dy), Arg::InU32(winner), Arg::Out(partial)] = args else {
            return Err(OtherArguments);
        };
        conv2d_maxpool_backward_kernel(&self.0, x, dy, &unpacked(&self.0.pool, winner), partial);
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        let backward = |s| Case::of(Conv2dMaxpoolBackwardKernel(s));
        let mut table: Vec<_> = shapes().into_iter().map(backward).collect();
        for s in folds() {
            table.push(backward(s).folded());
        }
        table.extend([backward(many_windows()), backward(many_windows()).with(Numbers::Eighths)]);
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            "winner" => draw.case.op.0.pool.winners(draw),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Conv2dMaxpoolBackwardKernel(s) = trial.case.op;
        trial.sum_of_alike_products(s.row_split().range(0).len() * s.pool.out_w)
    }
}

fn conv2d_maxpool_backward_kernel<T: Real>(
    s: &ConvPoolShape,
    x: &[T],
    dy: &[T],
    winner: &[u32],
    partial: &mut [T],
) {
    let (conv, pool, split) = (&s.conv, &s.pool, s.row_split());
    let (terms, channels) = (conv.terms(), conv.out_c);
    each_piece(partial, (terms + 1) * channels, &|part, partial| {
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
