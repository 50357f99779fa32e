use super::shape::{NormShape, cases, input};
use crate::ops::kit::*;

/// Mean of each channel, and one over its deviation: of the batch in training, where the layer is trained, else the moving ones.
///
/// `mean[c] = sum[c]/n`, `inverse_deviation[c] = 1 / sqrt(square_sum[c]/n + epsilon)` with n rows of true samples; else
/// `moving_mean[c]` and `1 / sqrt(moving_variance[c] + epsilon)`.
///
/// All `[columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormStatistics {
    /// The sizes.
    pub shape: NormShape,
    /// Whether the batch's own are used in training.
    pub trained: bool,
    /// What is added to a variance.
    pub epsilon: f32,
}

impl OpKind for BatchNormStatistics {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/batch_norm_statistics.wgsl"),
        elements: &[Element::Real; 6],
        by_four: Some(|op| op.shape.by_four()),
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "batch_norm_statistics"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let columns = [self.shape.columns];
        vec![
            read("sum", &columns),
            read("square_sum", &columns),
            read("moving_mean", &columns),
            read("moving_variance", &columns),
            written("mean", &columns),
            written("inverse_deviation", &columns),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.shape.columns * 5
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        [self.shape.constants(), constants! { "TRAINED" => self.trained, "EPSILON" => self.epsilon }].concat()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.shape.samples)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [
            Arg::In(sum),
            Arg::In(square_sum),
            Arg::In(moving_mean),
            Arg::In(moving_variance),
            Arg::Out(mean),
            Arg::Out(inverse),
        ] = args
        else {
            return Err(OtherArguments);
        };
        let n = T::of(self.shape.true_rows(batch) as f64);
        let own = self.trained && batch.training == 1;
        for c in 0..self.shape.columns {
            mean[c] = if own { sum[c] / n } else { moving_mean[c] };
            let variance = if own { square_sum[c] / n } else { moving_variance[c] };
            inverse[c] = T::one() / (variance + T::of(f64::from(self.epsilon))).sqrt();
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{}, trained {}, epsilon {:e}", self.shape.title(), self.trained, self.epsilon)
    }

    fn cases() -> Vec<Case<Self>> {
        let op = |epsilon, trained| move |shape| BatchNormStatistics { shape, trained, epsilon };
        [cases(op(1e-3, true)), cases(op(1e-5, false))].concat()
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let BatchNormStatistics { shape, trained, epsilon } = trial.case.op;
        let n = Rough::exact(shape.true_rows(&trial.case.batch) as f32);
        let own = trained && trial.case.batch.training == 1;
        let chosen = |of_batch: usize, moving: usize, c: usize| match own {
            true => Rough::exact(trial.floats(of_batch)[c]).over(n),
            false => Rough::exact(trial.floats(moving)[c]),
        };
        let each = |bound: &dyn Fn(usize) -> f64| Bound::Each((0..shape.columns).map(bound).collect());
        let mut bounds = trial.exact();
        bounds[4] = each(&|c| if own { chosen(0, 2, c).error } else { 0.0 });
        bounds[5] = each(&|c| (chosen(1, 3, c) + Rough::exact(epsilon)).inverse_sqrt().error);
        Ok(bounds)
    }
}
