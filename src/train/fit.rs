//! The training loop: epochs, their passes, and what is reported of them.

use std::time::Instant;

use super::callback::{Callback, CallbackError, EpochRecord, History, Schedule, StepRecord};
use super::model::{DEFAULT_BATCH, Evaluation, Model};
use crate::data::Dataset;
use crate::data::batches::{epoch_order, step_table};
use crate::error::Error;
use crate::executor::{DataSlot, Executor, Pass, check_data};
use crate::plan::Phase;
use crate::profile::Sampling;
use crate::random::words;

/// How long and on what a model is trained.
#[derive(Debug, Clone)]
pub struct FitOptions {
    /// Passes over the training set; default 5.
    pub epochs: usize,
    /// Samples per step; default 64. The last batch of an epoch holds what is left.
    pub batch_size: usize,
    /// Whether each epoch takes the samples in another order; default true.
    pub shuffle: bool,
    /// Ends training after this many steps, even within an epoch; default none.
    pub max_steps: Option<usize>,
    /// Judged after each epoch; default none.
    pub validation: Option<Dataset>,
    /// Measures the steps of the plan meanwhile, for [`History::profile`]; no bit of a result changes. Default none.
    pub profile: Option<Sampling>,
}

impl Default for FitOptions {
    fn default() -> Self {
        FitOptions {
            epochs: 5,
            batch_size: DEFAULT_BATCH,
            shuffle: true,
            max_steps: None,
            validation: None,
            profile: None,
        }
    }
}
impl Model {
    /// Trains: for each epoch every sample once, in batches, each followed by an update.
    ///
    /// # Errors
    /// When the data does not fit the model, the plan does not fit the device, or a callback fails.
    pub fn fit(
        &mut self,
        train: &Dataset,
        options: &FitOptions,
        callback: &mut dyn Callback,
    ) -> Result<History, Error> {
        check_data(&self.network, train)?;
        if let Some(validation) = &options.validation {
            check_data(&self.network, validation)?;
        }
        for (setting, value) in [("epochs", options.epochs), ("max_steps", options.max_steps.unwrap_or(1))] {
            if value == 0 {
                return Err(Error::Setting { setting, value, expected: "at least 1" });
            }
        }
        let learning_rate = self.compile.optimizer.learning_rate();
        let shuffle_seed = options.shuffle.then_some(self.compile.seed);
        let epochs_before = self.epochs_begun;
        let mut table = step_table(train.len(), options.batch_size.max(1), learning_rate);
        for row in &mut table {
            row.training = 1;
            [row.seed_low, row.seed_high] = words(self.compile.seed);
        }
        let schedule = schedule(options, table.len());
        let steps_before = self.steps_begun;
        self.epochs_begun += schedule.epochs;
        self.steps_begun += schedule.steps;
        let executor = self.executor(Some(options.batch_size))?;
        callback.on_train_begin(&schedule)?;
        executor.set_data(DataSlot::Training, train)?;
        if let Some(validation) = &options.validation {
            executor.set_data(DataSlot::Evaluation, validation)?;
        }
        if let Some(sampling) = options.profile {
            executor.profile(sampling)?;
        }
        let mut history = History::default();
        for epoch in 0..schedule.epochs {
            let steps = table.len().min(schedule.steps - history.steps);
            for (row, step) in table.iter_mut().zip(steps_before + history.steps..) {
                row.step = step as u32;
            }
            let pass = Pass {
                phase: Phase::Train,
                data: DataSlot::Training,
                order: &epoch_order(train.len(), epochs_before + epoch, shuffle_seed),
                steps: &table[..steps],
            };
            let begun = Instant::now();
            let training = train_epoch(executor, &pass, epoch + 1, history.steps, callback)?;
            let seconds = begun.elapsed().as_secs_f64();
            history.steps += steps;
            let validation = options
                .validation
                .as_ref()
                .map(|data| evaluate(executor, data.len(), options.batch_size))
                .transpose()?;
            let record = EpochRecord {
                epoch: epoch + 1,
                loss: training.loss,
                accuracy: training.accuracy,
                val_loss: validation.map(|v| v.loss),
                val_accuracy: validation.map(|v| v.accuracy),
                seconds,
            };
            callback.on_epoch_end(&record)?;
            history.epochs.push(record);
        }
        history.profile = executor.take_profile();
        Ok(history)
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
