use super::shape::{NormShape, cases, input};
use crate::ops::kit::*;

/// Values in terms of their channel's mean and deviation: `y[r, c] = (x[r, c] - mean[c]) * (inverse_deviation[c] * gamma[c]) + beta[c]`,
/// and zeros in the rows past the batch's samples. Without scale, gamma is 1 more than what is given.
///
/// x and y `[rows, columns]`, the others `[columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormForward {
    /// The sizes.
    pub shape: NormShape,
    /// Whether there is a gamma; else zeros are given for it.
    pub scale: bool,
}

impl OpKind for BatchNormForward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/batch_norm_forward.wgsl"),
        elements: &[Element::Real; 6],
        by_four: Some(|op| op.shape.by_four()),
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast)];

    fn kind(&self) -> &'static str {
        "batch_norm_forward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let columns = [self.shape.columns];
        vec![
            read("x", &self.shape.x()),
            read("mean", &columns),
            read("inverse_deviation", &columns),
            read("gamma", &columns),
            read("beta", &columns),
            written("y", &self.shape.x()),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.shape.rows() * self.shape.columns * 4
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        [self.shape.constants(), constants! { "UNIT" => unit(self.scale) }].concat()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.shape.samples)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(mean), Arg::In(inverse), Arg::In(gamma), Arg::In(beta), Arg::Out(y)] = args
        else {
            return Err(OtherArguments);
        };
        let (true_rows, unit) = (self.shape.true_rows(batch), T::of(f64::from(unit(self.scale))));
        each_piece(y, self.shape.columns, &|r, y| {
            for (c, y) in y.iter_mut().enumerate() {
                let x = x[r * self.shape.columns + c];
                let normalized = (x - mean[c]) * (inverse[c] * (gamma[c] + unit)) + beta[c];
                *y = if r < true_rows { normalized } else { T::zero() };
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        format!("{}, scale {}", self.shape.title(), self.scale)
    }

    fn cases() -> Vec<Case<Self>> {
        [true, false].map(|scale| cases(move |shape| BatchNormForward { shape, scale })).concat()
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let BatchNormForward { shape, scale } = trial.case.op;
        let true_rows = shape.true_rows(&trial.case.batch);
        let at = |place: usize, i: usize| Rough::exact(trial.floats(place)[i]);
        let bound = |i: usize| {
            let c = i % shape.columns;
            let factor = at(2, c) * (at(3, c) + Rough::exact(unit(scale)));
            let y = (at(0, i) - at(1, c)) * factor + at(4, c);
            if i / shape.columns < true_rows { y.error } else { 0.0 }
        };
        Ok(trial.last(Bound::Each((0..shape.rows() * shape.columns).map(bound).collect())))
    }
}

fn fast(
    op: &BatchNormForward,
    batch: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::In(mean), Arg::In(inverse), Arg::In(gamma), Arg::In(beta), Arg::Out(y)] = args
    else {
        return Err(OtherArguments);
    };
    let (columns, unit) = (op.shape.columns, unit(op.scale));
    let (y, past) = y.split_at_mut(op.shape.true_rows(batch) * columns);
    let parameters = |c: usize| [mean[c], inverse[c] * (gamma[c] + unit), beta[c]];
    change_columns(columns, y, [x], parameters, |_, [x], [mean, factor, beta]| (x - mean) * factor + beta);
    past.fill(0.0);
    Ok(())
}

/// What is added to gamma: 1 where zeros are given for it.
pub(super) fn unit(scale: bool) -> f32 {
    if scale { 0.0 } else { 1.0 }
}
