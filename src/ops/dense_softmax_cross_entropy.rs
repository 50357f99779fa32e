use super::batch_metrics::mean_of_rows_bounds;
use super::dense::{dense_backward, dense_forward};
use super::kit::*;
use super::matmul::MatmulShape;
use super::softmax::SoftmaxRow;
use super::softmax_cross_entropy::{cross_entropy_bounds, softmax_cross_entropy_metrics};

/// The last layer of a classifier in training, whose forward product is `product`: [`DenseForward`](super::DenseForward),
/// [`SoftmaxCrossEntropyMetrics`](super::SoftmaxCrossEntropyMetrics), [`DenseBackward`](super::DenseBackward), whose `relu` it
/// has.
///
/// x and dx `[m, k]`, kernel `[k, n]`, bias `[n]`, one_hot `[m, n]`, gradient `[k + 1, n]`; of loss and correct `[_]` only
/// element `slot` is written.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "both are named above")]
pub struct DenseSoftmaxCrossEntropy {
    pub product: MatmulShape,
    pub relu: bool,
}

/// Most inputs of the block kernel, and most classes: its sums lie in workgroup memory.
const MOST_INPUTS: usize = 64;
const MOST_CLASSES: usize = 16;

/// Invocations of a workgroup of the kernel that has several.
const WORKGROUP: u32 = 256;
/// Invocations of it that share the rows of four elements of the gradient.
const SHARES: usize = 8;
/// Floats that every adapter's workgroup memory holds.
const MOST_FLOATS: usize = 4096;

impl DenseSoftmaxCrossEntropy {
    /// Floats of workgroup memory that it needs: the weights, the logits, and four for each invocation.
    fn floats(&self) -> usize {
        let MatmulShape { m, n, k } = self.product;
        k * n + m * n + 4 * WORKGROUP as usize
    }

    /// Workgroups of that kernel: those of the gradient, and those of dx.
    fn groups(&self) -> usize {
        let MatmulShape { m, n, k } = self.product;
        ((k / 4 + 1) * n).div_ceil(WORKGROUP as usize / SHARES) + (m * k / 4).div_ceil(WORKGROUP as usize)
    }
}

impl OpKind for DenseSoftmaxCrossEntropy {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("lanes/dense_softmax_cross_entropy_block.wgsl"),
            elements: &[
                Element::EightF32,
                Element::F32,
                Element::F32,
                Element::F32,
                Element::F32,
                Element::EightF32,
                Element::F32,
                Element::U32,
            ],
            reads_batch: true,
            lanes: Some(ByLanes {
                tile: |_, _| Vec::new(),
                fits: |DenseSoftmaxCrossEntropy { product: s, .. }, _| {
                    s.k.is_multiple_of(EIGHTS) && s.k <= MOST_INPUTS && s.n <= MOST_CLASSES
                },
                invocations: |_, lanes| lanes,
            }),
            ..Row::BLOCK
        },
        Row {
            source: shader!("dense/dense_softmax_cross_entropy_workgroup.wgsl"),
            elements: &[
                Element::Vec4F32,
                Element::F32,
                Element::F32,
                Element::F32,
                Element::F32,
                Element::Vec4F32,
                Element::F32,
                Element::U32,
            ],
            workgroup: WORKGROUP,
            reads_batch: true,
            tile: |_| vec![("SHARES", SHARES)],
            fits: |op| op.product.k.is_multiple_of(4) && op.floats() <= MOST_FLOATS,
            invocations: |op, _| op.groups() * WORKGROUP as usize,
            ..Row::WORKGROUP
        },
        Row {
            source: shader!("dense/dense_softmax_cross_entropy.wgsl"),
            elements: &[
                Element::F32,
                Element::F32,
                Element::F32,
                Element::F32,
                Element::F32,
                Element::F32,
                Element::F32,
                Element::U32,
            ],
            workgroup: METRICS_LANES as u32,
            reads_batch: true,
            invocations: |_, _| METRICS_LANES,
            ..Row::SCALAR
        },
    ];

    fn kind(&self) -> &'static str {
        "dense_softmax_cross_entropy"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let MatmulShape { m, n, k } = self.product;
        let mut args = vec![
            read("x", &[m, k]),
            read("kernel", &[k, n]),
            read("bias", &[n]),
            read("one_hot", &[m, n]),
            written("gradient", &[k + 1, n]),
            written("dx", &[m, k]),
        ];
        args.extend(metrics());
        args
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        (6 * self.product.k + 10) * self.product.m * self.product.n
    }

    fn longest_loop(&self) -> usize {
        let MatmulShape { m, n, k } = self.product;
        let of_all = |elements: usize, terms: usize| elements.div_ceil(METRICS_LANES) * terms;
        of_all(m, n * (k + 3)) + of_all((k + 1) * n, m) + of_all(m * k, n)
    }

    fn constants(&self) -> Constants {
        [self.product.constants(), constants! { "RELU" => self.relu }].concat()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.product.m)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [
            Arg::In(x),
            Arg::In(kernel),
            Arg::In(bias),
            Arg::In(target),
            Arg::Out(gradient),
            Arg::Out(dx),
            Arg::Out(loss),
            Arg::OutU32(correct),
        ] = args
        else {
            return Err(OtherArguments);
        };
        dense_softmax_cross_entropy(self, batch, [x, kernel, bias, target], gradient, dx, loss, correct);
        Ok(())
    }

    fn title(&self) -> String {
        let relu = if self.relu { ", relu" } else { "" };
        format!("{}{relu}", self.product.title())
    }

    fn cases() -> Vec<Case<Self>> {
        let last =
            |m, n, k, relu| Case::of(DenseSoftmaxCrossEntropy { product: MatmulShape { m, n, k }, relu });
        vec![
            last(64, 10, 64, true),
            last(64, 10, 64, true).batch(32, 128, 937),
            last(64, 10, 64, false),
            last(1, 2, 1, true),
            last(7, 5, 3, false).batch(3, 9, 1),
            last(13, 3, 16, true).batch(11, 0, 2),
            last(70, 16, 40, true),
            last(9, 12, 8, false).batch(8, 1, 0),
            last(24, 32, 32, true),
            last(37, 10, 36, true).batch(36, 2, 3).folded(),
            last(200, 10, 100, false).batch(190, 2, 3),
            // As much workgroup memory as there is.
            last(128, 16, 64, true),
        ]
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            "x" if draw.case.op.relu => draw.with_zeros(),
            "one_hot" => classes(draw),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Case { op, batch, .. } = trial.case;
        let [gradient, dx, loss] = last_layer_bounds(&op.product, batch, trial.arguments);
        let mut bounds = trial.exact();
        (bounds[4], bounds[5]) = (Bound::Each(gradient), Bound::Each(dx));
        bounds[6] = Bound::Each(mean_of_rows_bounds(batch, &loss, trial.outputs[6].floats()));
        Ok(bounds)
    }
}

fn dense_softmax_cross_entropy<T: Real>(
    op: &DenseSoftmaxCrossEntropy,
    batch: &BatchParams,
    [x, kernel, bias, target]: [&[T]; 4],
    gradient: &mut [T],
    dx: &mut [T],
    loss: &mut [T],
    correct: &mut [u32],
) {
    let DenseSoftmaxCrossEntropy { product: s, relu } = op;
    let mut logits = vec![T::zero(); target.len()];
    dense_forward(s, false, x, kernel, bias, &mut logits);
    let mut dlogits = vec![T::zero(); target.len()];
    softmax_cross_entropy_metrics(s.n, batch, &logits, target, &mut dlogits, loss, correct);
    dense_backward(s, *relu, x, kernel, &dlogits, gradient, dx);
}

/// One-hot targets of any class, every fourth of them smoothed.
fn classes(draw: &mut Draw<'_, DenseSoftmaxCrossEntropy>) -> Values {
    let columns = draw.case.op.product.n;
    let mut targets = vec![0.0; draw.len];
    for (r, target) in targets.chunks_mut(columns).enumerate() {
        let class = draw.stream.below(columns as u32) as usize;
        match r < draw.case.batch.batch_size as usize {
            true => {
                let share = if r % 4 == 3 { 0.1 } else { 0.0 };
                target.fill(share / columns as f32);
                target[class] += 1.0 - share;
            }
            false => target.fill(HOSTILE_F32),
        }
    }
    Values::Floats(targets)
}

/// Bounds of the last layer of a classifier, both ways, with the loss between them: gradient, dx, and the loss of each row.
///
/// Logits that are off by no more than e make a row's loss off by 2e more, and a probability by a factor of exp(2e).
fn last_layer_bounds(s: &MatmulShape, batch: &BatchParams, arguments: &[Argument]) -> [Vec<f64>; 3] {
    let [x, kernel, bias, targets] = [0, 1, 2, 3].map(|at| arguments[at].floats());
    let float = |values: &[f32], at: usize| f64::from(values[at]);
    let mut logits = Vec::with_capacity(s.m * s.n);
    let mut off = vec![0.0f64; s.m];
    for (r, off) in off.iter_mut().enumerate() {
        for c in 0..s.n {
            let product = |t: usize| float(x, r * s.k + t) * float(kernel, t * s.n + c);
            let logit = float(bias, c) + (0..s.k).map(product).sum::<f64>();
            let magnitude = float(bias, c).abs() + (0..s.k).map(|t| product(t).abs()).sum::<f64>();
            let error = magnitude * sum_of_products(s.k + 1) + FLUSHED * s.k as f64;
            // As is its value in f32, of which the rest of the bound is made.
            *off = off.max(error + logit.abs() * ULP);
            logits.push(logit as f32);
        }
    }
    let [mut losses, mut d_errors] = cross_entropy_bounds(s.n, batch, &logits, targets);
    let mut d = vec![0.0; s.m * s.n];
    let n = f64::from(batch.divisor);
    for r in 0..batch.batch_size as usize {
        let row = SoftmaxRow::new(&logits[r * s.n..][..s.n]);
        losses[r] += 2.0 * off[r];
        for c in 0..s.n {
            let at = r * s.n + c;
            let [p, _] = row.probability(logits[at]);
            d[at] = (p - float(targets, at)) / n;
            d_errors[at] += p * (2.0 * off[r]).exp_m1() / n;
        }
    }
    let bound = |terms: usize, term: &dyn Fn(usize) -> (f64, usize)| {
        let sum =
            |errors: &[f64]| (0..terms).map(term).map(|(w, at)| w.abs() * errors[at].abs()).sum::<f64>();
        // The terms are off, and their sum is rounded.
        sum(&d_errors) + (sum(&d) + sum(&d_errors)) * sum_of_products(terms) + FLUSHED * terms as f64
    };
    let of_gradient = |t: usize, c: usize| {
        bound(s.m, &|r| (if t < s.k { float(x, r * s.k + t) } else { 1.0 }, r * s.n + c))
    };
    let of_dx = |r: usize, t: usize| bound(s.n, &|c| (float(kernel, t * s.n + c), r * s.n + c));
    let gradient = (0..(s.k + 1) * s.n).map(|at| of_gradient(at / s.n, at % s.n)).collect();
    let dx = (0..s.m * s.k).map(|at| of_dx(at / s.k, at % s.k)).collect();
    [gradient, dx, losses]
}
