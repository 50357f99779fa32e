use super::kit::*;
use super::matmul::{MatmulAtB, MatmulShape, matmul_at_b, product_rows};
use super::rmsprop::{
    Settings, rmsprop_bounds, rmsprop_update, settings, settings_title, state, update_flops,
};
use super::sum_partials::sum_partials;
use crate::optimizers::RmsProp;

/// Gradient of a dense layer's kernel and bias straight into RMSprop of the weights that begin at `first` of the arena:
/// `g = a^T b`, with the sums of b for the bias as its last row, [`MatmulAtB`], then
/// [`RmspropUpdate`](super::RmspropUpdate).
///
/// a `[k, m]`, b `[k, n]`, loss `[_]`, tripwire `[1]`, state `[slots, len]`, parameter `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "all are named above")]
pub struct DenseRmspropUpdate {
    pub product: MatmulShape,
    pub first: usize,
    pub len: usize,
    pub rmsprop: RmsProp,
}

/// Vec4s of rows of weights of one invocation of the tile kernel: few, so that enough invocations remain.
const TILE_M: usize = 2;
/// Most terms of such an invocation, whose loops over the rows of its tile count as well.
const TILE_TERMS: usize = 1024;

/// Elements of the arguments, four floats at a time.
const BY_FOUR: &[Element] = &[
    Element::Vec4F32,
    Element::Vec4F32,
    Element::F32,
    Element::AtomicU32,
    Element::Vec4F32,
    Element::Vec4F32,
];

impl OpKind for DenseRmspropUpdate {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("lanes/dense_rmsprop_update_block.wgsl"),
            elements: &[
                Element::EightF32,
                Element::EightF32,
                Element::F32,
                Element::AtomicU32,
                Element::EightF32,
                Element::EightF32,
            ],
            reads_batch: true,
            lanes: Some(ByLanes {
                tile: |op, lanes| across_tile(product_rows(op.rows()), side_by_side(op.product.n, lanes)),
                fits: |op, _| {
                    one_block(op.product.k) && op.product.m.is_multiple_of(EIGHTS) && op.comes_by(EIGHTS)
                },
                invocations: |op, lanes| {
                    let columns = op.product.n.div_ceil(side_by_side(op.product.n, lanes));
                    blocks([op.rows(), columns], product_rows(op.rows()), 1, lanes)
                },
            }),
            ..Row::BLOCK
        },
        Row {
            source: shader!("update/dense_rmsprop_update_workgroup.wgsl"),
            elements: BY_FOUR,
            reads_batch: true,
            fits: |op| op.product.m.is_multiple_of(4) && op.comes_by(4),
            product: Some(|op| Product { area: [op.rows(), op.product.n], areas: 1, terms: op.product.k }),
            // What the update knows of a weight takes the registers.
            wide: false,
            ..Row::WORKGROUP
        },
        Row {
            source: shader!("update/dense_rmsprop_update_tile.wgsl"),
            elements: BY_FOUR,
            reads_batch: true,
            tile: |_| vec![("TILE_M", TILE_M)],
            fits: |op| op.product.m.is_multiple_of(4) && op.product.k <= TILE_TERMS && op.comes_by(4),
            invocations: |op, _| op.rows().div_ceil(4 * TILE_M) * (op.product.n / 4),
            ..Row::TILE
        },
        Row {
            source: shader!("update/dense_rmsprop_update.wgsl"),
            elements: &[
                Element::F32,
                Element::Real,
                Element::F32,
                Element::AtomicU32,
                Element::Real,
                Element::Real,
            ],
            reads_batch: true,
            by_four: Some(|op| op.comes_by(4)),
            invocations: |op, width| op.rows() * op.product.n / width,
            ..Row::SCALAR
        },
    ];

    fn kind(&self) -> &'static str {
        "dense_rmsprop_update"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let DenseRmspropUpdate { product: MatmulShape { m, n, k }, len, rmsprop, .. } = *self;
        let mut args = vec![read("a", &[k, m]), read("b", &[k, n])];
        args.extend(guards());
        args.extend([changed("state", &[rmsprop.slots(), len]), changed("parameter", &[len])]);
        args
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        let MatmulShape { m, n, k } = self.product;
        (2 * m + 1) * n * k + (m + 1) * n * update_flops(&self.rmsprop)
    }

    fn longest_loop(&self) -> usize {
        self.product.k
    }

    fn constants(&self) -> Constants {
        let sizes = constants! {
            "M" => self.product.m,
            "OUT_M" => self.rows(),
            "N" => self.product.n,
            "K" => self.product.k,
            "FIRST" => self.first,
            "LEN" => self.len,
        };
        [sizes, settings(&self.rmsprop)].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [
            Arg::In(a),
            Arg::In(b),
            Arg::In(loss),
            Arg::OutU32(tripwire),
            Arg::Out(state),
            Arg::Out(parameter),
        ] = args
        else {
            return Err(OtherArguments);
        };
        dense_rmsprop_update(self, batch, [a, b, loss], tripwire, state, parameter);
        Ok(())
    }

    fn title(&self) -> String {
        let DenseRmspropUpdate { product, first, len, rmsprop } = self;
        format!("{}, from {first} of {len} parameters{}", product.title(), settings_title(rmsprop))
    }

    fn cases() -> Vec<Case<Self>> {
        let Settings { plain, momentum, centered, both, decaying, both_decaying } = Settings::new();
        let dense = |m, n, k, first, len, rmsprop| {
            Case::of(DenseRmspropUpdate { product: MatmulShape { m, n, k }, first, len, rmsprop })
        };
        let mut table = vec![
            dense(5408, 64, 64, 320, 347_152, plain),
            // One column and one row; columns by 4 and by 8; rows for several blocks; every state.
            dense(1, 1, 1, 0, 2, plain),
            dense(3, 5, 7, 2, 30, both),
            dense(9, 12, 10, 8, 136, momentum),
            dense(12, 20, 9, 4, 272, both),
            dense(136, 72, 33, 16, 9888, both),
            dense(24, 8, 64, 0, 200, centered).with(Numbers::Eighths),
            dense(264, 136, 5, 8, 36_048, plain).folded(),
            dense(40, 36, 6, 4, 1480, plain).folded(),
            dense(72, 136, 60, 8, 9936, plain).folded(),
            dense(67, 33, 6, 1, 2246, plain).folded(),
            dense(3, 5, 7, 2, 30, both_decaying),
            dense(12, 20, 9, 4, 272, decaying),
            dense(136, 72, 33, 16, 9888, decaying),
        ];
        // Each variant, with every state.
        let found = [
            dense(3, 5, 7, 2, 30, both),
            dense(9, 12, 10, 8, 136, both),
            dense(12, 20, 9, 4, 272, both),
            dense(136, 72, 33, 16, 9888, both_decaying),
        ];
        for case in found {
            for wire in Wire::NOT_CLEAR {
                table.push(case.finds(wire));
            }
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let DenseRmspropUpdate { rmsprop, .. } = draw.case.op;
        match draw.spec.name {
            "a" | "b" => Values::Floats(factor(draw)),
            _ => update_input(draw, |len, stream| state(&rmsprop, len, stream)),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Case { op: DenseRmspropUpdate { first, rmsprop, .. }, batch, wire, .. } = trial.case;
        let mut bounds = trial.exact();
        if !wire.holds() {
            let gradient = product_with_errors(trial)?;
            let of = |at: usize| gradient[at - first];
            let before = [trial.floats(4), trial.floats(5)];
            let weights = *first..first + gradient.len();
            [bounds[4], bounds[5]] = rmsprop_bounds(rmsprop, batch, weights, &of, before);
        }
        Ok(bounds)
    }

    fn touched(&self) -> Option<[usize; 2]> {
        Some([self.rows() * self.product.n, self.len])
    }
}

impl DenseRmspropUpdate {
    /// Rows of the layer's weights: the kernel's, and the bias.
    fn rows(&self) -> usize {
        self.product.m + 1
    }

    /// Whether columns, and the arena and where the layer begins in it, are multiples of `width`.
    fn comes_by(&self, width: usize) -> bool {
        [self.product.n, self.first, self.len].iter().all(|size| size.is_multiple_of(width))
    }
}

/// A factor of the gradient, with what makes some of it bad where the case wants that.
fn factor(draw: &mut Draw<'_, DenseRmspropUpdate>) -> Vec<f32> {
    let mut values = draw.floats();
    if draw.case.wire == Wire::BadGradients {
        match draw.spec.name {
            "a" => values[draw.len / 2] = f32::NAN,
            _ => values[0] = f32::INFINITY,
        }
    }
    values
}

fn dense_rmsprop_update<T: Real>(
    op: &DenseRmspropUpdate,
    batch: &BatchParams,
    [a, b, loss]: [&[T]; 3],
    tripwire: &mut [u32],
    state: &mut [T],
    parameter: &mut [T],
) {
    let DenseRmspropUpdate { product: s, first, rmsprop, .. } = op;
    let layer = *first..first + (s.m + 1) * s.n;
    let mut partial = vec![T::zero(); s.split().parts * layer.len()];
    matmul_at_b(s, true, a, b, &mut partial);
    let mut gradient = vec![T::zero(); layer.len()];
    sum_partials(&partial, &mut gradient);
    if !held(batch, loss, tripwire) {
        rmsprop_update(rmsprop, batch, tripwire, layer, &gradient, state, parameter);
    }
}

/// The gradient of a dense layer's kernel and bias, each element with its error.
fn product_with_errors(trial: &Trial<'_, DenseRmspropUpdate>) -> Result<Vec<[f64; 2]>, OtherArguments> {
    let product = trial.case.op.product;
    let plain = MatmulAtB { product, bias: true };
    let mut factors = trial.arguments[..2].to_vec();
    for spec in plain.args().into_iter().skip(2) {
        factors.push(Argument { values: Values::Floats(vec![0.0; spec.len()]), spec });
    }
    let run = |map| run_twin(&factors, map, &|args| plain.twin(&trial.case.batch, args));
    let (values, magnitudes) = (run(|x| x)?, run(f64::abs)?);
    let flushed = FLUSHED * product.k as f64;
    let error = |magnitude: f64| magnitude * sum_of_products(product.k) + flushed;
    let both = values[2].floats().iter().zip(magnitudes[2].floats());
    Ok(both.map(|(&value, &magnitude)| [value, error(magnitude)]).collect())
}
