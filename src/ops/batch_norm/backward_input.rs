use super::forward::unit;
use super::shape::{NormShape, cases, input};
use crate::ops::kit::*;

/// The gradient of x, in place of that of y. With the batch's own statistics they depend on x as well:
/// `dx[r, c] = gamma[c] * inverse_deviation[c] * (dy[r, c] - (d_beta[c] + z * d_gamma[c]) / n)` with
/// `z = (x[r, c] - mean[c]) * inverse_deviation[c]` and n rows of true samples, and zeros in the rows past them; else
/// `dx[r, c] = gamma[c] * inverse_deviation[c] * dy[r, c]`. Without scale, gamma is 1 more than what is given.
///
/// x and dy `[rows, columns]`, the others `[columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormBackwardInput {
    /// The sizes.
    pub shape: NormShape,
    /// Whether the batch's own statistics were used.
    pub trained: bool,
    /// Whether there is a gamma; else zeros are given for it.
    pub scale: bool,
}

impl OpKind for BatchNormBackwardInput {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/batch_norm_backward_input.wgsl"),
        elements: &[Element::Real; 7],
        by_four: Some(|op| op.shape.by_four()),
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast)];

    fn kind(&self) -> &'static str {
        "batch_norm_backward_input"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let columns = [self.shape.columns];
        vec![
            read("x", &self.shape.x()),
            read("mean", &columns),
            read("inverse_deviation", &columns),
            read("gamma", &columns),
            read("d_beta", &columns),
            read("d_gamma", &columns),
            changed("dy", &self.shape.x()),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.shape.rows() * self.shape.columns * 8
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        [self.shape.constants(), constants! { "TRAINED" => self.trained, "UNIT" => unit(self.scale) }]
            .concat()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.shape.samples)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [
            Arg::In(x),
            Arg::In(mean),
            Arg::In(inverse),
            Arg::In(gamma),
            Arg::In(d_beta),
            Arg::In(d_gamma),
            Arg::Out(dy),
        ] = args
        else {
            return Err(OtherArguments);
        };
        let (true_rows, unit) = (self.shape.true_rows(batch), T::of(f64::from(unit(self.scale))));
        let n = T::of(true_rows as f64);
        each_piece(dy, self.shape.columns, &|r, dy| {
            for (c, dy) in dy.iter_mut().enumerate() {
                let factor = (gamma[c] + unit) * inverse[c];
                let z = (x[r * self.shape.columns + c] - mean[c]) * inverse[c];
                *dy = match self.trained {
                    true if r >= true_rows => T::zero(),
                    true => factor * (*dy - (d_beta[c] + z * d_gamma[c]) / n),
                    false => factor * *dy,
                };
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        format!("{}, trained {}, scale {}", self.shape.title(), self.trained, self.scale)
    }

    fn cases() -> Vec<Case<Self>> {
        let op = |trained, scale| move |shape| BatchNormBackwardInput { shape, trained, scale };
        [cases(op(true, true)), cases(op(true, false)), cases(op(false, true))].concat()
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let BatchNormBackwardInput { shape, trained, scale } = trial.case.op;
        let true_rows = shape.true_rows(&trial.case.batch);
        let n = Rough::exact(true_rows as f32);
        let at = |place: usize, i: usize| Rough::exact(trial.floats(place)[i]);
        let bound = |i: usize| {
            let c = i % shape.columns;
            let factor = (at(3, c) + Rough::exact(unit(scale))) * at(2, c);
            let z = (at(0, i) - at(1, c)) * at(2, c);
            match trained {
                true if i / shape.columns >= true_rows => 0.0,
                true => (factor * (at(6, i) - (at(4, c) + z * at(5, c)).over(n))).error,
                false => (factor * at(6, i)).error,
            }
        };
        Ok(trial.last(Bound::Each((0..shape.rows() * shape.columns).map(bound).collect())))
    }
}

fn fast(
    op: &BatchNormBackwardInput,
    batch: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [
        Arg::In(x),
        Arg::In(mean),
        Arg::In(inverse),
        Arg::In(gamma),
        Arg::In(d_beta),
        Arg::In(d_gamma),
        Arg::Out(dy),
    ] = args
    else {
        return Err(OtherArguments);
    };
    let (columns, unit) = (op.shape.columns, unit(op.scale));
    let factor = |c: usize| (gamma[c] + unit) * inverse[c];
    if !op.trained {
        change_columns(columns, dy, [], |c| [factor(c)], |dy, [], [factor]| factor * dy);
        return Ok(());
    }
    let true_rows = op.shape.true_rows(batch);
    let n = Lanes::all(true_rows as f32);
    let (dy, past) = dy.split_at_mut(true_rows * columns);
    let parameters = |c: usize| [factor(c), mean[c], inverse[c], d_beta[c], d_gamma[c]];
    change_columns(columns, dy, [x], parameters, |dy, [x], [factor, mean, inverse, d_beta, d_gamma]| {
        let z = (x - mean) * inverse;
        factor * (dy - (d_beta + z * d_gamma) / n)
    });
    past.fill(0.0);
    Ok(())
}
