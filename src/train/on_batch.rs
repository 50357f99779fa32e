//! A step on one batch: what a training loop of one's own is made of.

use std::ops::ControlFlow;

use super::check::rate_in_range;
use super::micro::with_slots;
use super::model::Model;
use super::options::FitOptions;
use super::records::Evaluation;
use super::state::{TrainingState, Within};
use crate::data::batches::epoch_order;
use crate::data::{Dataset, TargetKind};
use crate::error::{Bad, Error, SettingError};
use crate::executor::{DataSlot, Pass};
use crate::plan::{BatchParams, Phase};

impl Model {
    /// Takes one optimizer step on these samples, all of them as one batch in their order, and returns their mean loss and their
    /// accuracy before it, as `train_on_batch` of Keras does.
    ///
    /// ```
    /// use shadegrad::data::Dataset;
    /// use shadegrad::model::{Activation, Dense, Flatten, Sequential};
    /// use shadegrad::train::Compile;
    /// use shadegrad::Device;
    ///
    /// // Two images of 2 x 2 pixels, a dark one and a light one.
    /// let data = Dataset::new(vec![0, 10, 20, 5, 250, 255, 240, 245], vec![0, 1], [2, 2, 1], 2)?;
    /// let mut model = Sequential::new([2, 2, 1])
    ///     .add(Flatten::new())
    ///     .add(Dense::new(2).activation(Activation::Softmax))
    ///     .compile(&Device::cpu(), Compile::default())?;
    /// model.set_learning_rate(0.05)?;
    /// let mut steps = 0;
    /// while model.train_on_batch(&data)?.loss > 0.3 {
    ///     steps += 1;
    ///     assert!(steps < 1000);
    /// }
    /// assert_eq!(model.evaluate(&data)?.accuracy, Some(1.0));
    /// # Ok::<(), shadegrad::Error>(())
    /// ```
    ///
    /// Steps count on from one call to the next, and with them random draws and what Adam corrects; samples are augmented as if all
    /// batches since the last [`fit`](Self::fit) were one data set. So the batches of a set in its order, the largest first, give the
    /// weights of one epoch of `fit` without shuffling, to the bit. Memory is allocated for the largest batch so far; a larger
    /// one allocates anew. With several ranks ([`distribute`](Self::distribute)) all are given the same batch, which they share.
    ///
    /// What `fit` does around its steps is the caller's: shuffling and validation ([`Dataset::select`], [`evaluate`](Self::evaluate),
    /// [`predict_data`](Self::predict_data)), the learning rate ([`set_learning_rate`](Self::set_learning_rate)), layers that take
    /// weights from the data ([`adapt`](Self::adapt), before the first step), moving averages of the weights
    /// ([`take_average`](Self::take_average), after the last).
    ///
    /// # Errors
    /// When the samples do not fit the model, its loss or the device. [`Error::Diverged`] where a number is not finite: with
    /// [`Bad::Loss`] the weights are those from before the step; with [`Bad::Gradient`] those whose own gradients are finite have been
    /// updated.
    pub fn train_on_batch(&mut self, batch: &Dataset) -> Result<Evaluation, Error> {
        let options = FitOptions { batch_size: batch.len(), shuffle: false, ..FitOptions::default() };
        self.micro_batches = options.micro_batches_on(self.collective.size())?;
        let (batch, _) = self.sets(batch, &options)?;
        self.take_names(&batch)?;
        let capacity = options.capacity(batch.len(), self.micro_batches).max(self.capacity().unwrap_or(1));
        self.executor(Some(capacity))?.set_data(DataSlot::Training, &batch)?;

        let run = self.training.run;
        let mut rows = [BatchParams::of_samples(batch.len())];
        self.fill(&mut rows, self.training.steps_begun + run.within.rows, &options);
        // The numbers that its samples would have in a set of all batches so far.
        let places: Vec<u32> = (run.within.samples..).map(|at| at as u32).take(batch.len()).collect();
        let pass = Pass {
            phase: Phase::Train,
            data: DataSlot::Training,
            order: &epoch_order(batch.len(), 0, None),
            batches: &with_slots(&rows),
            transforms: &self.transforms(&places),
        };
        let (mut loss, mut correct) = (0.0, 0);
        let ran = self.runner()?.train(&pass, false, &mut |_, metrics| {
            (loss, correct) = (metrics.loss, metrics.correct);
            ControlFlow::Continue(())
        })?;
        if let Some(row) = ran.tripped {
            let bad = if loss.is_finite() { Bad::Gradient } else { Bad::Loss(loss) };
            let found = self.trace(&pass, row, &batch);
            let step = run.step + run.within.rows + 1;
            return Err(self.divergence(step, run.epoch + 1, bad, found).into());
        }
        let target = self.network.target;
        let correct = (target == TargetKind::Classes).then_some(correct);
        let mut alone = Within::default();
        for sums in [&mut alone, &mut self.training.run.within] {
            sums.rows += 1;
            sums.add(loss, correct, rows[0].batch_size);
        }
        Ok(alone.mean(target))
    }

    /// The learning rate of the next step of [`train_on_batch`](Self::train_on_batch), and of [`fit`](Self::fit) where the schedule is
    /// constant: the optimizer's, unless it was set, reduced or multiplied since.
    pub fn learning_rate(&self) -> f32 {
        let TrainingState { learning_rate, rate_factor, .. } = self.training;
        let rate = learning_rate.unwrap_or(self.compile.optimizer.learning_rate() as f32);
        rate * rate_factor.unwrap_or(1.0)
    }

    /// Sets the learning rate from the next step on, as `model.optimizer.learning_rate = rate` does in Keras.
    ///
    /// # Errors
    /// When it is not a finite number of at least 0.
    pub fn set_learning_rate(&mut self, rate: f32) -> Result<(), SettingError> {
        rate_in_range("learning_rate", f64::from(rate))?;
        (self.training.learning_rate, self.training.rate_factor) = (Some(rate), None);
        Ok(())
    }
}
