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
    /// Trains on the batches that the next epochs of [`fit`](Self::fit) would begin with, each at a larger rate than the one
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
        let capacity = options.capacity(train.len(), self.micro_batches);
        self.executor(Some(capacity))?.set_data(DataSlot::Training, &train)?;
        let start = self.start()?;
        self.adapt_fresh(&train)?;
        let begun = self.training.epochs_begun;
        let curve = self.climb(&train, batch, &options, range);
        self.training.epochs_begun = begun;
        let back = self.return_to(&start);
        let curve = curve?;
        back?;
        Ok(curve)
    }

    /// Goes over the data until all rates are tried or the curve ends, in a new order each time, as epochs do.
    fn climb(
        &mut self,
        train: &Dataset,
        batch: usize,
        options: &FitOptions,
        range: &RateRange,
    ) -> Result<RateCurve, Error> {
        let seed = options.shuffle.then_some(self.compile.seed);
        let mut curve = RateCurve::new(range.smoothing);
        let mut tried = 0;
        while tried < range.batches && curve.end == CurveEnd::AllTried {
            let order = epoch_order(train.len(), self.training.epochs_begun, seed);
            let transforms = self.transforms(&order);
            let mut rows = BatchParams::of_pass(train.len(), batch.max(1), 0.0);
            rows.truncate(range.batches - tried);
            self.fill(&mut rows, self.training.steps_begun + tried, options);
            for (row, place) in rows.iter_mut().zip(tried..) {
                row.learning_rate = range.rate(place, range.batches);
            }
            tried += rows.len();
            let (phase, data) = (Phase::Train, DataSlot::Training);
            let pass = Pass { phase, data, order: &order, batches: &rows, transforms: &transforms };
            self.add_to(&mut curve, &pass)?;
            self.training.epochs_begun += 1;
        }
        Ok(curve)
    }

    /// Runs a pass until the curve ends.
    fn add_to(&mut self, curve: &mut RateCurve, pass: &Pass<'_>) -> Result<(), Error> {
        let mut on = true;
        let ran = self.runner()?.train(pass, false, &mut |slot, metrics| {
            // Batches that were under way when the curve ended are reported, too.
            on = on && curve.add(pass.batches[slot].learning_rate, metrics.loss);
            if on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if ran.tripped.is_some() && curve.end == CurveEnd::AllTried {
            curve.end = CurveEnd::NotFinite;
        }
        Ok(())
    }
}
