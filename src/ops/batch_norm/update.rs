use super::shape::{NormShape, cases, input};
use crate::ops::kit::*;

/// The moving statistics after a batch: `moving_mean[c] <- moving_mean[c] * momentum + sum[c]/n * (1 - momentum)`, and likewise
/// the moving variance from `square_sum[c]/n`, with n rows of the whole batch's samples: of micro-batches both sums are added up before.
/// Nothing where the tripwire forbids it.
///
/// sum, square_sum, moving_mean and moving_variance `[columns]`; loss and tripwire as for updates of weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormUpdate {
    /// The sizes.
    pub shape: NormShape,
    /// What is kept of the moving statistics.
    pub momentum: f32,
}

impl OpKind for BatchNormUpdate {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/batch_norm_update.wgsl"),
        elements: &[
            Element::Real,
            Element::Real,
            Element::F32,
            Element::AtomicU32,
            Element::Real,
            Element::Real,
        ],
        by_four: Some(|op| op.shape.by_four()),
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "batch_norm_update"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let columns = [self.shape.columns];
        let mut args = vec![read("sum", &columns), read("square_sum", &columns)];
        args.extend(guards());
        args.extend([changed("moving_mean", &columns), changed("moving_variance", &columns)]);
        args
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.shape.columns * 8
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        [self.shape.constants(), constants! { "MOMENTUM" => self.momentum, "REST" => rest(self.momentum) }]
            .concat()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.shape.samples)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [
            Arg::In(sum),
            Arg::In(square_sum),
            Arg::In(loss),
            Arg::OutU32(tripwire),
            Arg::Out(mean),
            Arg::Out(variance),
        ] = args
        else {
            return Err(OtherArguments);
        };
        if held(batch, loss, tripwire) {
            return Ok(());
        }
        let n = T::of(self.shape.all_rows(batch) as f64);
        let [momentum, rest] = [self.momentum, rest(self.momentum)].map(|factor| T::of(f64::from(factor)));
        for c in 0..self.shape.columns {
            mean[c] = mean[c] * momentum + sum[c] / n * rest;
            variance[c] = variance[c] * momentum + square_sum[c] / n * rest;
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{}, momentum {:e}", self.shape.title(), self.momentum)
    }

    fn cases() -> Vec<Case<Self>> {
        let shape = NormShape { samples: 9, positions: 12, columns: 12 };
        let mut table = cases(|shape| BatchNormUpdate { shape, momentum: 0.99 });
        for wire in Wire::NOT_CLEAR {
            table.push(Case::of(BatchNormUpdate { shape, momentum: 0.9 }).finds(wire));
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            "loss" | "tripwire" => update_input(draw, |_, _| Vec::new()),
            _ => input(draw),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let BatchNormUpdate { shape, momentum } = trial.case.op;
        if trial.case.wire.holds() {
            return Ok(trial.exact());
        }
        let n = Rough::exact(shape.all_rows(&trial.case.batch) as f32);
        let at = |place: usize, c: usize| Rough::exact(trial.floats(place)[c]);
        let moved = |of_batch: usize, moving: usize, c: usize| {
            let rest = at(of_batch, c).over(n) * Rough::exact(rest(momentum));
            (at(moving, c) * Rough::exact(momentum) + rest).error
        };
        let mut bounds = trial.exact();
        bounds[4] = Bound::Each((0..shape.columns).map(|c| moved(0, 4, c)).collect());
        bounds[5] = Bound::Each((0..shape.columns).map(|c| moved(1, 5, c)).collect());
        Ok(bounds)
    }
}

/// What comes from the batch.
fn rest(momentum: f32) -> f32 {
    1.0 - momentum
}
