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
#[cfg(doc)]
use crate::error::Bad;
use crate::error::{Error, SettingError};
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
    /// weights of one epoch of `fit` without shuffling, to the bit, whatever is evaluated and predicted between them. With several ranks
    /// ([`distribute`](Self::distribute)) all are given the same batch, which they share.
    ///
    /// The model has memory for the largest batch since the last `fit`. It allocates anew for a larger batch, and for data of another form:
    /// f32 after bytes, samples with weights after samples without. [`evaluate`](Self::evaluate) and the like run in the same memory, in
    /// batches of that size. But [`evaluate_with`](Self::evaluate_with) another batch size allocates anew, and so does the next step: a
    /// loop that does so after each step pays for it twice per step, each time with weights and optimizer state read and written.
    ///
    /// What `fit` does around its steps is the caller's: shuffling and validation ([`Dataset::select`], [`evaluate`](Self::evaluate),
    /// [`predict_data`](Self::predict_data)), the learning rate ([`set_learning_rate`](Self::set_learning_rate)), layers that take
    /// weights from the data ([`adapt`](Self::adapt), before the first step), moving averages of the weights
    /// ([`take_average`](Self::take_average), after the last), and a look at weights that are no longer finite
    /// ([`check_weights`](Self::check_weights), now and then and after the last).
    ///
    /// A loop goes on after a break, with the same bits, from what [`checkpoint`](Self::checkpoint) tells and
    /// [`Backup`](crate::io::Backup) saves; [`restore`](Self::restore) also takes steps back.
    ///
    /// # Errors
    /// When the samples do not fit the model, its loss or the device. [`Error::Diverged`] where the loss or a gradient of this batch is not
    /// finite: with [`Bad::Loss`] the weights are those from before the step; with [`Bad::Gradient`] those whose own gradients are finite
    /// have been updated. Updated weights are not looked at: where a finite gradient takes a weight out of the range of f32, this step
    /// returns its loss, and the next one ends with an error, if that weight matters to its loss.
    pub fn train_on_batch(&mut self, batch: &Dataset) -> Result<Evaluation, Error> {
        let options = FitOptions { batch_size: batch.len(), shuffle: false, ..FitOptions::default() };
        self.micro_batches = options.micro_batches_on(self.collective.size())?;
        let (batch, _) = self.sets(batch, &options)?;
        self.take_names(&batch)?;
        if self.training.loop_batch == 0 {
            // What `fit` left of an epoch is over.
            self.training.begin();
        }
        let largest = self.training.loop_batch.max(batch.len());
        self.executor(Some(largest.div_ceil(self.micro_batches)))?.set_data(DataSlot::Training, &batch)?;

        let within = self.training.run.within;
        let mut rows = [BatchParams::of_samples(batch.len())];
        self.fill(&mut rows, self.training.steps_begun + within.rows, &options);
        // The numbers that its samples would have in a set of all batches so far.
        let places: Vec<u32> = (within.samples..).map(|at| at as u32).take(batch.len()).collect();
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
            return Err(self.diverged(&pass, row, loss, &batch).into());
        }
        let target = self.network.target;
        let correct = (target == TargetKind::Classes).then_some(correct);
        // A step that failed leaves no trace.
        self.training.loop_batch = largest;
        let mut alone = Within::default();
        for sums in [&mut alone, &mut self.training.run.within] {
            sums.rows += 1;
            sums.add(loss, correct, rows[0].batch_size);
        }
        Ok(alone.mean(target))
    }

    /// The learning rate of the next step of [`train_on_batch`](Self::train_on_batch), and of [`fit`](Self::fit) with the schedule
    /// `constant`: the optimizer's, unless it was set, reduced or multiplied since. Another schedule ends with the call of `fit` that was
    /// given it; [`EpochRecord::learning_rate`](super::EpochRecord::learning_rate) tells the rates that it had.
    pub fn learning_rate(&self) -> f32 {
        let TrainingState { learning_rate, rate_factor, .. } = self.training;
        let rate = learning_rate.unwrap_or(self.compile.optimizer.learning_rate() as f32);
        rate * rate_factor.unwrap_or(1.0)
    }

    /// Sets the learning rate from the next step on, as `model.optimizer.learning_rate = rate` does in Keras. What the rate was reduced to
    /// and what callbacks multiplied it by ([`Requests::rate`](super::Requests::rate)) is over with it.
    ///
    /// As Keras refuses to set the rate of an optimizer that has a schedule, so [`fit`](Self::fit) refuses a schedule other than `constant`
    /// from now on, until [`reset_learning_rate`](Self::reset_learning_rate): both would set the rate. Source:
    /// `keras/src/optimizers/base_optimizer.py`.
    ///
    /// # Errors
    /// When it is not a finite number of at least 0.
    pub fn set_learning_rate(&mut self, rate: f32) -> Result<(), SettingError> {
        rate_in_range("learning_rate", f64::from(rate))?;
        (self.training.learning_rate, self.training.rate_factor) = (Some(rate), None);
        self.training.rate_is_set = true;
        Ok(())
    }

    /// Takes the optimizer's learning rate again, whatever was set, reduced or multiplied since; [`fit`](Self::fit) may be given a schedule.
    pub fn reset_learning_rate(&mut self) {
        (self.training.learning_rate, self.training.rate_factor) = (None, None);
        self.training.rate_is_set = false;
    }
}
