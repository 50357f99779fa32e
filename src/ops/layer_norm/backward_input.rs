use super::shape::{LayerNormShape, input, scaled, unit};
use crate::ops::kit::*;

/// The gradient of x, in place of that of y:
/// `dx[r, c] = inverse_deviation[r] * (gamma[c] * dy[r, c] - (gradient_mean[r] + z * product_mean[r]))` with
/// `z = (x[r, c] - mean[r]) * inverse_deviation[r]` and the means of [`struct@super::LayerNormBackwardSums`]. Without scale, gamma
/// is 1 more than what is given.
///
/// x and dy `[rows, columns]`, gamma `[columns]`, the others `[rows]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNormBackwardInput {
    /// The sizes.
    pub shape: LayerNormShape,
    /// Whether there is a gamma; else zeros are given for it.
    pub scale: bool,
}

impl OpKind for LayerNormBackwardInput {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/layer_norm_backward_input.wgsl"),
        elements: &[
            Element::Real,
            Element::F32,
            Element::F32,
            Element::Real,
            Element::F32,
            Element::F32,
            Element::Real,
        ],
        by_four: Some(|op| op.shape.by_four()),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "layer_norm_backward_input"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let LayerNormShape { rows, columns } = self.shape;
        vec![
            read("x", &self.shape.x()),
            read("mean", &[rows]),
            read("inverse_deviation", &[rows]),
            read("gamma", &[columns]),
            read("gradient_mean", &[rows]),
            read("product_mean", &[rows]),
            changed("dy", &self.shape.x()),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.shape.rows * self.shape.columns * 8
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
        let [
            Arg::In(x),
            Arg::In(mean),
            Arg::In(inverse),
            Arg::In(gamma),
            Arg::In(of_gradient),
            Arg::In(of_product),
            Arg::Out(dy),
        ] = args
        else {
            return Err(OtherArguments);
        };
        let (columns, unit) = (self.shape.columns, T::of(f64::from(unit(self.scale))));
        each_piece(dy, columns, &|r, dy| {
            for (c, dy) in dy.iter_mut().enumerate() {
                let z = (x[r * columns + c] - mean[r]) * inverse[r];
                *dy = inverse[r] * ((gamma[c] + unit) * *dy - (of_gradient[r] + z * of_product[r]));
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        format!("{}, scale {}", self.shape.title(), self.scale)
    }

    fn cases() -> Vec<Case<Self>> {
        scaled(|shape, scale| LayerNormBackwardInput { shape, scale })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let LayerNormBackwardInput { shape, scale } = trial.case.op;
        let at = |place: usize, i: usize| Rough::exact(trial.floats(place)[i]);
        let bound = |i: usize| {
            let (r, c) = (i / shape.columns, i % shape.columns);
            let g = (at(3, c) + Rough::exact(unit(scale))) * at(6, i);
            let z = (at(0, i) - at(1, r)) * at(2, r);
            (at(2, r) * (g - (at(4, r) + z * at(5, r)))).error
        };
        Ok(trial.last(Bound::Each((0..shape.rows * shape.columns).map(bound).collect())))
    }
}
