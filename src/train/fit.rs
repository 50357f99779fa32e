//! The training loop: epochs, their passes, what is reported of them and when they end.

use std::time::Instant;

use super::callback::{Callback, CallbackError, EpochRecord, History, Schedule, StepRecord};
use super::model::{Evaluation, Model};
use super::options::FitOptions;
use super::rate::LearningRateSchedule;
use super::state::RunState;
use super::stopping::{StopReason, Stopped};
use crate::data::batches::{epoch_order, step_table};
use crate::data::{Dataset, Transform};
use crate::error::Error;
use crate::executor::{DataSlot, Executor, Pass, check_data};
use crate::plan::{Phase, StepParams};
use crate::random::words;

/// One call of `fit`.
struct Run<'a> {
    options: &'a FitOptions,
    schedule: Schedule,
    /// Samples of the training set.
    samples: usize,
    /// Samples of the validation set, if there is one.
    validation: Option<usize>,
    /// A row for each step of a whole epoch; what changes from epoch to epoch is filled in as it begins.
    table: Vec<StepParams>,
}

impl Model {
    /// Trains: for each epoch every sample once, in batches, each followed by an update.
    ///
    /// # Errors
    /// When a setting cannot be, the data does not fit the model, the plan does not fit the device, or a callback fails.
    pub fn fit(
        &mut self,
        train: &Dataset,
        options: &FitOptions,
        callback: &mut dyn Callback,
    ) -> Result<History, Error> {
        options.check()?;
        options.check_monitors()?;
        let (train, validation) = options.split(train)?;
        for data in [Some(&train), validation.as_ref()].into_iter().flatten() {
            check_data(&self.network, data)?;
        }
        let table = step_table(train.len(), options.batch_size.max(1), 0.0);
        let mut run = Run {
            options,
            schedule: schedule(options, table.len()),
            samples: train.len(),
            validation: validation.as_ref().map(Dataset::len),
            table,
        };
        (self.training.run, self.best_weights) = (RunState::default(), None);
        let executor = self.executor(Some(options.batch_size))?;
        callback.on_train_begin(&run.schedule)?;
        executor.set_data(DataSlot::Training, &train)?;
        if let Some(validation) = &validation {
            executor.set_data(DataSlot::Evaluation, validation)?;
        }
        if let Some(sampling) = options.profile {
            executor.profile(sampling)?;
        }
        let mut history = History::default();
        while history.stopped.is_none() {
            let record = self.epoch(&mut run, callback)?;
            history.stopped = self.after_epoch(&run, &record)?;
            callback.on_epoch_end(&record)?;
            history.epochs.push(record);
        }
        history.steps = self.training.run.step;
        history.profile = self.executor(None)?.take_profile();
        self.restore_best(&mut history)?;
        Ok(history)
    }

    /// Trains for an epoch, or what `max_steps` leaves of it, and judges on the validation set.
    fn epoch(&mut self, run: &mut Run<'_>, callback: &mut dyn Callback) -> Result<EpochRecord, Error> {
        let RunState { epoch, step: steps_before, .. } = self.training.run;
        let epoch = epoch + 1;
        let steps = run.table.len().min(run.schedule.steps - steps_before);
        let rows = &mut run.table[..steps];
        self.fill(rows, &run.options.schedule);
        let shuffle_seed = run.options.shuffle.then_some(self.compile.seed);
        let begun = Instant::now();
        let order = epoch_order(run.samples, self.training.epochs_begun, shuffle_seed);
        let pass = Pass {
            phase: Phase::Train,
            data: DataSlot::Training,
            order: &order,
            steps: rows,
            transforms: &self.transforms(&order),
        };
        self.training.epochs_begun += 1;
        self.training.steps_begun += steps;
        let executor = self.executor(None)?;
        callback.on_epoch_begin(epoch)?;
        let training = train_epoch(executor, &pass, epoch, steps_before, callback)?;
        let seconds = begun.elapsed().as_secs_f64();
        let validation = run.validation.map(|samples| evaluate(executor, samples, run.options.batch_size));
        let validation = validation.transpose()?;
        self.training.run.epoch = epoch;
        self.training.run.step += steps;
        Ok(EpochRecord {
            epoch,
            loss: training.loss,
            accuracy: training.accuracy,
            val_loss: validation.map(|v| v.loss),
            val_accuracy: validation.map(|v| v.accuracy),
            learning_rate: rows.last().map_or(0.0, |row| row.learning_rate),
            seconds,
        })
    }

    /// How the images of the epoch that begins are changed; nothing without augmentation.
    fn transforms(&self, order: &[u32]) -> Vec<Transform> {
        let [height, width, _] = self.network.input_shape;
        self.compile.augmentation.map_or(Vec::new(), |augmentation| {
            augmentation.transforms(self.compile.seed, self.training.epochs_begun, order, [height, width])
        })
    }

    /// Brings the rows of an epoch up to the step with which it begins.
    fn fill(&self, rows: &mut [StepParams], schedule: &LearningRateSchedule) {
        let base = self.compile.optimizer.learning_rate();
        let [seed_low, seed_high] = words(self.compile.seed);
        for (row, step) in rows.iter_mut().zip(self.training.steps_begun..) {
            row.learning_rate = match (schedule, self.training.learning_rate) {
                (LearningRateSchedule::Constant, Some(reduced)) => reduced,
                _ => schedule.rate(step, base),
            };
            row.correction = self.compile.optimizer.correction(step) as f32;
            row.training = 1;
            row.step = step as u32;
            (row.seed_low, row.seed_high) = (seed_low, seed_high);
        }
    }

    /// Decides after an epoch: a smaller learning rate, weights to keep, the end.
    fn after_epoch(&mut self, run: &Run<'_>, record: &EpochRecord) -> Result<Option<Stopped>, Error> {
        let options = run.options;
        if let Some(plateau) = &options.reduce_lr_on_plateau {
            let state = &mut self.training.run.plateau;
            let reduced = plateau.after_epoch(state, record, record.learning_rate);
            self.training.learning_rate = reduced.or(self.training.learning_rate);
        }
        let mut reason = None;
        if let Some(stopping) = &options.early_stopping {
            let verdict = stopping.after_epoch(&mut self.training.run.early_stopping, record);
            if verdict.keep && stopping.restore_best_weights {
                self.best_weights = Some(self.weights()?);
            }
            reason = verdict.stop.then_some(StopReason::EarlyStopping);
        }
        let good = options.is_good_enough(
            record.val_loss.unwrap_or(record.loss),
            record.val_accuracy.unwrap_or(record.accuracy),
        );
        if good {
            reason = Some(StopReason::GoodEnough);
        }
        let all = options.epochs.saturating_mul(run.schedule.steps_per_epoch);
        let last = if run.schedule.steps == all { StopReason::Epochs } else { StopReason::MaxSteps };
        let reason = reason.or((record.epoch == run.schedule.epochs).then_some(last));
        Ok(reason.map(|reason| Stopped { reason, epoch: record.epoch, weights_of_epoch: record.epoch }))
    }

    /// Gives the model back the weights of its best epoch, if they were kept; those that were good enough stay.
    fn restore_best(&mut self, history: &mut History) -> Result<(), Error> {
        let best = self.best_weights.take();
        if let (Some(weights), Some(stopped)) = (best, &mut history.stopped)
            && stopped.reason != StopReason::GoodEnough
        {
            stopped.weights_of_epoch = self.training.run.early_stopping.best_epoch;
            if stopped.weights_of_epoch != stopped.epoch {
                self.set_weights(weights)?;
            }
        }
        Ok(())
    }
}

fn schedule(options: &FitOptions, steps_per_epoch: usize) -> Schedule {
    let steps = options.epochs.saturating_mul(steps_per_epoch).min(options.max_steps.unwrap_or(usize::MAX));
    Schedule { epochs: steps.div_ceil(steps_per_epoch), steps_per_epoch, steps }
}

/// Sums of a pass, weighted by batch size.
#[derive(Default)]
struct Totals {
    loss: f64,
    correct: u64,
    samples: u64,
}

impl Totals {
    fn add(&mut self, loss: f32, correct: u32, n: u32) {
        self.loss += f64::from(loss) * f64::from(n);
        self.correct += u64::from(correct);
        self.samples += u64::from(n);
    }

    fn mean(&self) -> Evaluation {
        Evaluation {
            loss: self.loss / self.samples as f64,
            accuracy: self.correct as f64 / self.samples as f64,
        }
    }
}

fn train_epoch(
    executor: &mut dyn Executor,
    pass: &Pass<'_>,
    epoch: usize,
    steps_before: usize,
    callback: &mut dyn Callback,
) -> Result<Evaluation, Error> {
    let mut totals = Totals::default();
    let mut failed: Option<CallbackError> = None;
    executor.run(pass, &mut |slot, metrics| {
        let n = pass.steps[slot].batch_size;
        totals.add(metrics.loss, metrics.correct, n);
        let record = StepRecord {
            step: steps_before + slot + 1,
            epoch,
            loss: metrics.loss,
            correct: metrics.correct,
            n,
        };
        if failed.is_none() {
            failed = callback.on_step(&record).err();
        }
    })?;
    match failed {
        Some(error) => Err(Error::Callback(error)),
        None => Ok(totals.mean()),
    }
}

/// Judges on the set in the evaluation slot.
pub(super) fn evaluate(
    executor: &mut dyn Executor,
    samples: usize,
    batch: usize,
) -> Result<Evaluation, Error> {
    let table = step_table(samples, batch, 0.0);
    let pass = Pass {
        phase: Phase::Evaluate,
        data: DataSlot::Evaluation,
        order: &epoch_order(samples, 0, None),
        steps: &table,
        transforms: &[],
    };
    let mut totals = Totals::default();
    executor.run(&pass, &mut |slot, metrics| {
        totals.add(metrics.loss, metrics.correct, pass.steps[slot].batch_size);
    })?;
    Ok(totals.mean())
}

impl From<CallbackError> for Error {
    fn from(error: CallbackError) -> Self {
        Error::Callback(error)
    }
}
