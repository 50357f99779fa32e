//! Training for some batches under growing learning rates, to find one.

use std::ops::ControlFlow;

use super::model::Model;
use super::options::FitOptions;
use super::rate::LearningRateSchedule;
use super::rate_curve::{CurveEnd, RateCurve, RateRange};
use crate::data::Dataset;
use crate::data::batches::epoch_order;
use crate::error::Error;
use crate::executor::{DataSlot, Pass};
use crate::plan::{BatchParams, Phase};

impl Model {
    /// Trains on the batches that the next epoch of [`fit`](Self::fit) would begin with, each at a larger rate than the one
    /// before, until the loss diverges or all rates are tried. Then weights, optimizer state and counters are what they
    /// were before. Of the options, the schedule and all that follows an epoch do not matter.
    ///
    /// # Errors
    /// When a setting is invalid, the data does not fit the model, or the device fails. A loss that is not finite is none:
    /// it ends the curve.
    pub fn try_learning_rates(
        &mut self,
        train: &Dataset,
        options: &FitOptions,
        range: &RateRange,
    ) -> Result<RateCurve, Error> {
        range.check()?;
        let options =
            FitOptions { schedule: LearningRateSchedule::Constant, allow_nan: false, ..options.clone() };
        options.check()?;
        let (train, _) = self.sets(train, &options)?;
        self.micro_batches = options.micro_batches_on(self.collective.size())?;
        let batch = options.batch_of(train.len());
        let seed = options.shuffle.then_some(self.compile.seed);
        let order = epoch_order(train.len(), self.training.epochs_begun, seed);
        let transforms = self.transforms(&order);
        let mut rows = BatchParams::of_pass(train.len(), batch.max(1), 0.0);
        rows.truncate(range.batches);
        self.fill(&mut rows, self.training.steps_begun, &options);
        let count = rows.len();
        for (place, row) in rows.iter_mut().enumerate() {
            row.learning_rate = range.rate(place, count);
        }
        let capacity = options.capacity(train.len(), self.micro_batches);
        self.executor(Some(capacity))?.set_data(DataSlot::Training, &train)?;
        let start = self.start()?;
        self.adapt_fresh(&train)?;
        let curve = self.climb(
            &Pass {
                phase: Phase::Train,
                data: DataSlot::Training,
                order: &order,
                batches: &rows,
                transforms: &transforms,
            },
            range,
        );
        let back = self.return_to(&start);
        let curve = curve?;
        back?;
        Ok(curve)
    }

    /// Runs the pass until its curve ends.
    fn climb(&mut self, pass: &Pass<'_>, range: &RateRange) -> Result<RateCurve, Error> {
        let mut curve = RateCurve::new(range.smoothing);
        let mut on = true;
        let ran = self.runner()?.train(pass, false, &mut |slot, metrics| {
            // Batches that were under way when the curve ended are reported, too.
            on = on && curve.add(pass.batches[slot].learning_rate, metrics.loss);
            if on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if ran.tripped.is_some() && curve.end == CurveEnd::AllTried {
            curve.end = CurveEnd::NotFinite;
        }
        Ok(curve)
    }
}
