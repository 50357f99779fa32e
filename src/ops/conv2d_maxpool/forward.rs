use super::shape::{ConvPoolShape, folds, shapes};
use crate::ops::activation::relu;
use crate::ops::conv2d::{Conv2dForward, conv2d_forward};
use crate::ops::kit::*;
use crate::ops::maxpool::{PoolShape, maxpool_forward, pack, winner};

/// Convolution plus bias, ReLU where asked for, and the maximum of each window and which element it was:
/// [`Conv2dForward`], [`MaxpoolForward`](crate::ops::MaxpoolForward); where ReLU cut off the whole window, `winner` is
/// [`ConvPoolShape::none_won`], so that the gradient needs nothing else of the way forward.
///
/// x `[batch, in_h, in_w, in_c]`, kernel `[kernel_h, kernel_w, in_c, out_c]`, bias `[out_c]`,
/// y and winner `[batch, pooled_h, pooled_w, out_c]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dMaxpoolForward(pub ConvPoolShape);

/// Most rows of windows of one subgroup.
const WINDOW_ROWS: usize = 8;

impl OpKind for Conv2dMaxpoolForward {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("lanes/conv2d_maxpool_forward_subgroup.wgsl"),
            elements: &[Element::Vec4F32, Element::Vec4F32, Element::Vec4F32, Element::Vec4F32, Element::U32],
            lanes: Some(ByLanes {
                tile: |op, _| vec![("TILE_I", op.window_rows()), ("RUN", op.0.run())],
                fits: |op, _| op.0.one_channel_by_lanes(),
                invocations: |op, lanes| {
                    let tile = [op.window_rows(), lanes];
                    op.0.conv.batch * tiles([op.0.pool.out_h, op.0.conv.out_c / 4], tile) * lanes
                },
            }),
            ..Row::SUBGROUP
        },
        Row {
            source: shader!("convolution/conv2d_maxpool_forward.wgsl"),
            elements: &[Element::F32, Element::Real, Element::Real, Element::Real, Element::U32],
            fits: |op| !op.0.pool.packs_winners(),
            by_four: Some(|op| op.0.pool.packs_winners()),
            ..Row::SCALAR
        },
    ];

    fn kind(&self) -> &'static str {
        "conv2d_maxpool_forward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let ConvPoolShape { conv, pool, .. } = &self.0;
        vec![
            read("x", &conv.x()),
            read("kernel", &conv.kernel()),
            read("bias", &[conv.out_c]),
            written("y", &pool.y()),
            winner(Access::Out, pool),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.0.pool.y().iter().product::<usize>() * self.0.none_won() * (2 * self.0.conv.terms() + 2)
    }

    fn longest_loop(&self) -> usize {
        self.0.none_won() * self.0.conv.terms()
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(kernel), Arg::In(bias), Arg::Out(y), Arg::OutU32(winner)] = args else {
            return Err(OtherArguments);
        };
        pack(&self.0.pool, winner, |winner| conv2d_maxpool_forward(&self.0, x, kernel, bias, y, winner));
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        let forward = |s| Case::of(Conv2dMaxpoolForward(s));
        let eighths = |s| forward(s).with(Numbers::Eighths);
        let mut table: Vec<_> = shapes().into_iter().map(forward).collect();
        // Ties and zeros abound, and every choice is exact.
        table.extend(shapes().map(eighths));
        for s in folds() {
            table.push(eighths(s).folded());
        }
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let mut bounds = trial.exact();
        if trial.case.numbers != Numbers::Eighths {
            [bounds[3], bounds[4]] = window_bounds(trial)?;
        }
        Ok(bounds)
    }
}

impl Conv2dMaxpoolForward {
    /// Rows of windows that one subgroup goes through: as few tiles as the longest allows, all of nearly the same length.
    fn window_rows(&self) -> usize {
        self.0.pool.out_h.div_ceil(self.0.pool.out_h.div_ceil(WINDOW_ROWS))
    }
}

fn conv2d_maxpool_forward<T: Real>(
    s: &ConvPoolShape,
    x: &[T],
    kernel: &[T],
    bias: &[T],
    y: &mut [T],
    winner: &mut [u32],
) {
    let mut convolved = vec![T::zero(); s.conv.y().iter().product()];
    conv2d_forward(&s.conv, x, kernel, bias, &mut convolved);
    if s.relu {
        change(&mut convolved, relu);
    }
    maxpool_forward(&s.pool, &convolved, y, winner);
    if s.relu {
        for (winner, &y) in winner.iter_mut().zip(y.iter()) {
            if y <= T::zero() {
                *winner = s.none_won() as u32;
            }
        }
    }
}

/// Bounds of `y` and `winner`: a maximum is off by no more than the worst of its window, and any element wins that may
/// be the largest within the errors of two, or none where the largest may be cut off.
fn window_bounds(trial: &Trial<'_, Conv2dMaxpoolForward>) -> Result<[Bound; 2], OtherArguments> {
    let Conv2dMaxpoolForward(s) = trial.case.op;
    let terms = s.conv.terms() + 1;
    let y = relative(&trial.magnitudes()?[3], sum_of_products(terms), terms);
    let Bound::Each(errors) = &y else { return Err(OtherArguments) };
    let plain = Conv2dForward { conv: s.conv, relu: false };
    let mut unpooled = trial.arguments[..3].to_vec();
    for spec in plain.args().into_iter().skip(3) {
        unpooled.push(Argument { values: Values::Floats(vec![0.0; spec.len()]), spec });
    }
    let outputs = run_twin(&unpooled, |x| x, &|args| plain.twin(&trial.case.batch, args))?;
    let convolved = outputs[3].floats();
    let PoolShape { in_h, in_w, pool_w, stride_h, stride_w, out_h, out_w, channels, .. } = s.pool;
    let allowed = errors.iter().enumerate().map(|(at, error)| {
        let (c, j, i) = (at % channels, at / channels % out_w, at / (channels * out_w) % out_h);
        let n = at / (channels * out_w * out_h);
        let value = |element: usize| {
            let (h, w) = (i * stride_h + element / pool_w, j * stride_w + element % pool_w);
            convolved[((n * in_h + h) * in_w + w) * channels + c]
        };
        let largest = (0..s.none_won()).map(value).fold(f64::MIN, f64::max);
        let wins =
            |element: usize| value(element) >= largest - 2.0 * error && (!s.relu || value(element) > -error);
        let elements = (0..s.none_won()).filter(|&element| wins(element)).map(|element| 1 << element);
        let none = if s.relu && largest <= *error { 1 << s.none_won() } else { 0 };
        elements.sum::<u64>() | none
    });
    let allowed = allowed.collect();
    let allowed = if s.pool.packs_winners() { Bound::BytesAmong(allowed) } else { Bound::Among(allowed) };
    Ok([y, allowed])
}
