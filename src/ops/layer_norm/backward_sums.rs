use super::shape::{LayerNormShape, input, rough_mean, scaled, unit};
use crate::ops::kit::*;

/// What the gradient of x needs of a whole row: with `g[r, c] = gamma[c] * dy[r, c]` and
/// `z[r, c] = (x[r, c] - mean[r]) * inverse_deviation[r]`, `gradient_mean[r] = sum_c g[r, c] / C` and
/// `product_mean[r] = sum_c g[r, c] * z[r, c] / C` over C columns. Without scale, gamma is 1 more than what is given.
///
/// x and dy `[rows, columns]`, gamma `[columns]`, the others `[rows]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNormBackwardSums {
    /// The sizes.
    pub shape: LayerNormShape,
    /// Whether there is a gamma; else zeros are given for it.
    pub scale: bool,
}

impl OpKind for LayerNormBackwardSums {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/layer_norm_backward_sums.wgsl"),
        elements: &[
            Element::Real,
            Element::F32,
            Element::F32,
            Element::Real,
            Element::Real,
            Element::F32,
            Element::F32,
        ],
        by_four: Some(|op| op.shape.by_four()),
        invocations: |op, _| op.shape.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "layer_norm_backward_sums"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let LayerNormShape { rows, columns } = self.shape;
        vec![
            read("x", &self.shape.x()),
            read("mean", &[rows]),
            read("inverse_deviation", &[rows]),
            read("gamma", &[columns]),
            read("dy", &self.shape.x()),
            written("gradient_mean", &[rows]),
            written("product_mean", &[rows]),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.shape.rows * (self.shape.columns * 7 + 2)
    }

    fn longest_loop(&self) -> usize {
        self.shape.columns
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
            Arg::In(dy),
            Arg::Out(of_gradient),
            Arg::Out(of_product),
        ] = args
        else {
            return Err(OtherArguments);
        };
        let (columns, unit) = (self.shape.columns, T::of(f64::from(unit(self.scale))));
        let n = T::of(columns as f64);
        each_pair(of_gradient, 1, of_product, 1, &|r, of_gradient, of_product| {
            let [mut gradients, mut products] = [T::zero(); 2];
            for c in 0..columns {
                let g = (gamma[c] + unit) * dy[r * columns + c];
                gradients += g;
                products += g * ((x[r * columns + c] - mean[r]) * inverse[r]);
            }
            (of_gradient[0], of_product[0]) = (gradients / n, products / n);
        });
        Ok(())
    }

    fn title(&self) -> String {
        format!("{}, scale {}", self.shape.title(), self.scale)
    }

    fn cases() -> Vec<Case<Self>> {
        scaled(|shape, scale| LayerNormBackwardSums { shape, scale })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let LayerNormBackwardSums { shape, scale } = trial.case.op;
        let at = |place: usize, i: usize| Rough::exact(trial.floats(place)[i]);
        let mut bounds = trial.exact();
        let (mut of_gradient, mut of_product) = (Vec::new(), Vec::new());
        for r in 0..shape.rows {
            let first = r * shape.columns;
            let g = |c: usize| (at(3, c) + Rough::exact(unit(scale))) * at(4, first + c);
            let z = |c: usize| (at(0, first + c) - at(1, r)) * at(2, r);
            of_gradient.push(rough_mean((0..shape.columns).map(g)).error);
            of_product.push(rough_mean((0..shape.columns).map(|c| g(c) * z(c))).error);
        }
        bounds[5] = Bound::Each(of_gradient);
        bounds[6] = Bound::Each(of_product);
        Ok(bounds)
    }
}
