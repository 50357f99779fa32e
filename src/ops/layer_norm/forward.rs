use super::shape::{LayerNormShape, input, scaled, unit};
use crate::ops::kit::*;

/// Values in terms of their row's mean and deviation:
/// `y[r, c] = (x[r, c] - mean[r]) * (inverse_deviation[r] * gamma[c]) + beta[c]`. Without scale, gamma is 1 more than what is given.
///
/// x and y `[rows, columns]`, mean and inverse_deviation `[rows]`, gamma and beta `[columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNormForward {
    /// The sizes.
    pub shape: LayerNormShape,
    /// Whether there is a gamma; else zeros are given for it.
    pub scale: bool,
}

impl OpKind for LayerNormForward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/layer_norm_forward.wgsl"),
        elements: &[Element::Real, Element::F32, Element::F32, Element::Real, Element::Real, Element::Real],
        by_four: Some(|op| op.shape.by_four()),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "layer_norm_forward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let LayerNormShape { rows, columns } = self.shape;
        vec![
            read("x", &self.shape.x()),
            read("mean", &[rows]),
            read("inverse_deviation", &[rows]),
            read("gamma", &[columns]),
            read("beta", &[columns]),
            written("y", &self.shape.x()),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.shape.rows * self.shape.columns * 4
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        [self.shape.constants(), constants! { "UNIT" => unit(self.scale) }].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(mean), Arg::In(inverse), Arg::In(gamma), Arg::In(beta), Arg::Out(y)] = args
        else {
            return Err(OtherArguments);
        };
        let (columns, unit) = (self.shape.columns, T::of(f64::from(unit(self.scale))));
        each_piece(y, columns, &|r, y| {
            for (c, y) in y.iter_mut().enumerate() {
                *y = (x[r * columns + c] - mean[r]) * (inverse[r] * (gamma[c] + unit)) + beta[c];
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        format!("{}, scale {}", self.shape.title(), self.scale)
    }

    fn cases() -> Vec<Case<Self>> {
        scaled(|shape, scale| LayerNormForward { shape, scale })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let LayerNormForward { shape, scale } = trial.case.op;
        let at = |place: usize, i: usize| Rough::exact(trial.floats(place)[i]);
        let bound = |i: usize| {
            let (r, c) = (i / shape.columns, i % shape.columns);
            let factor = at(2, r) * (at(3, c) + Rough::exact(unit(scale)));
            ((at(0, i) - at(1, r)) * factor + at(4, c)).error
        };
        Ok(trial.last(Bound::Each((0..shape.rows * shape.columns).map(bound).collect())))
    }
}
