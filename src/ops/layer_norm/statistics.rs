use super::shape::{LayerNormShape, cases, input, rough_mean};
use crate::ops::kit::*;

/// Mean of each row, and one over its deviation: `mean[r] = sum_c x[r, c] / C` and
/// `inverse_deviation[r] = 1 / sqrt(sum_c (x[r, c] - mean[r])^2 / C + epsilon)` over C columns.
///
/// x `[rows, columns]`, mean and inverse_deviation `[rows]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNormStatistics {
    /// The sizes.
    pub shape: LayerNormShape,
    /// What is added to a variance.
    pub epsilon: f32,
}

impl OpKind for LayerNormStatistics {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/layer_norm_statistics.wgsl"),
        elements: &[Element::Real, Element::F32, Element::F32],
        by_four: Some(|op| op.shape.by_four()),
        invocations: |op, _| op.shape.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "layer_norm_statistics"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let rows = [self.shape.rows];
        vec![read("x", &self.shape.x()), written("mean", &rows), written("inverse_deviation", &rows)]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.shape.rows * (self.shape.columns * 4 + 4)
    }

    fn longest_loop(&self) -> usize {
        2 * self.shape.columns
    }

    fn constants(&self) -> Constants {
        [self.shape.constants(), constants! { "EPSILON" => self.epsilon }].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(mean), Arg::Out(inverse)] = args else { return Err(OtherArguments) };
        let (n, epsilon) = (T::of(self.shape.columns as f64), T::of(f64::from(self.epsilon)));
        each_pair(mean, 1, inverse, 1, &|row, mean, inverse| {
            let x = &x[row * self.shape.columns..][..self.shape.columns];
            mean[0] = x.iter().copied().sum::<T>() / n;
            let squares: T = x.iter().map(|&x| (x - mean[0]) * (x - mean[0])).sum();
            inverse[0] = T::one() / (squares / n + epsilon).sqrt();
        });
        Ok(())
    }

    fn title(&self) -> String {
        format!("{}, epsilon {:e}", self.shape.title(), self.epsilon)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|shape| LayerNormStatistics { shape, epsilon: 1e-3 })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let LayerNormStatistics { shape, epsilon } = trial.case.op;
        let (mut of_mean, mut of_inverse) = (Vec::new(), Vec::new());
        for x in trial.floats(0).chunks(shape.columns) {
            let mean = rough_mean(x.iter().map(|&x| Rough::exact(x)));
            let squares = x.iter().map(|&x| Rough::exact(x) - mean).map(|distance| distance * distance);
            let variance = rough_mean(squares);
            of_mean.push(mean.error);
            of_inverse.push((variance + Rough::exact(epsilon)).inverse_sqrt().error);
        }
        Ok(vec![Bound::Exact, Bound::Each(of_mean), Bound::Each(of_inverse)])
    }
}
