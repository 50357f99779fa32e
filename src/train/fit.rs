//! The training loop: epochs, their passes, what is reported of them, and when training ends.

use super::callback::{Callback, CallbackError};
use super::checkpoint::{Checkpoint, Checkpoints};
use super::collective::{Updates, any, from_first};
use super::divergence::Start;
use super::micro::with_slots;
use super::model::Model;
use super::options::FitOptions;
use super::passes::{stopped_by, train_part};
use super::records::{EpochRecord, History, Schedule, StopReason, Stopped};
use super::requests::{Requests, agreed};
use super::state::RunState;
use crate::data::Dataset;
use crate::data::batches::epoch_order;
use crate::error::{Bad, CollectiveError, Divergence, Error, SettingError};
use crate::executor::{DataSlot, Pass};
use crate::plan::{BatchParams, Phase};
use crate::profile::StepTimes;
use crate::wait::Instant;

/// One call of `fit`.
struct Run<'a> {
    options: &'a FitOptions,
    schedule: Schedule,
    checkpoints: Checkpoints,
    /// Samples of the training set.
    samples: usize,
    /// Samples that are computed at once.
    capacity: usize,
    /// Samples of the validation set, if there is one.
    validation: Option<usize>,
    /// A row for each batch of a full epoch; what changes from epoch to epoch is filled in at the start of each.
    table: Vec<BatchParams>,
    history: History,
    /// What callbacks asked for and was not done yet.
    asked: Requests,
    /// The training set.
    data: Dataset,
    /// A snapshot of the state before the next part of an epoch, for a rollback if it diverges.
    start: Option<Start>,
}

/// How an epoch ended.
enum Epoch {
    Done(EpochRecord),
    Stopped(Stopped),
}

impl Model {
    /// Trains the model: in each epoch all samples once, in batches, with one update per batch. Before the first, layers that take
    /// weights from the data do so, if they did not yet ([`adapt`](Self::adapt)).
    ///
    /// # Errors
    /// When a setting is invalid, the data does not fit the model, the plan does not fit the device, or a callback
    /// fails.
    pub fn fit(
        &mut self,
        train: &Dataset,
        options: &FitOptions,
        callback: &mut dyn Callback,
    ) -> Result<History, Error> {
        self.training.begin();
        self.best_weights = None;
        self.train(train, options, None, callback)
    }

    /// Resumes a call of [`fit`](Self::fit) that made this checkpoint, with the same data and options except `epochs`
    /// and `max_steps`, which may be larger. The caller must make sure that the data is the same ([`Dataset::digest`]
    /// tells). Training that ended because it was good enough, did not improve any more or a callback asked
    /// for it has nothing left to do.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and when the checkpoint is of another model, or is further than the options allow.
    pub fn resume(
        &mut self,
        train: &Dataset,
        options: &FitOptions,
        checkpoint: Checkpoint,
        callback: &mut dyn Callback,
    ) -> Result<History, Error> {
        let Checkpoint { training, weights, optimizer_state, best_weights, epochs, stopped } = checkpoint;
        // These reasons to stop do not depend on how far the options go.
        let over = |stopped: &Stopped| {
            matches!(
                stopped.reason,
                StopReason::EarlyStopping | StopReason::GoodEnough | StopReason::Callback
            )
        };
        self.form = options.form(train);
        self.micro_batches = options.micro_batches_on(self.collective.size())?;
        self.executor(Some(options.largest_batch(train.len()).div_ceil(self.micro_batches)))?;
        self.set_weights(weights)?;
        self.set_optimizer_state(&optimizer_state)?;
        (self.training, self.best_weights) = (training, best_weights);
        let stopped = stopped.filter(over);
        self.train(train, options, Some(History { epochs, stopped, ..History::default() }), callback)
    }

    /// Trains from where the model is to where the options end. With a history from `before` there is a checkpoint
    /// already.
    fn train(
        &mut self,
        train: &Dataset,
        options: &FitOptions,
        before: Option<History>,
        callback: &mut dyn Callback,
    ) -> Result<History, Error> {
        options.check()?;
        options.check_monitors()?;
        self.micro_batches = options.micro_batches_on(self.collective.size())?;
        self.times = StepTimes { one_by_one: options.profile.is_some(), ..StepTimes::default() };
        let (train, validation) = self.sets(train, options)?;
        self.warn_of_classes(options, &train, validation.as_ref());
        self.take_names(&train)?;
        let batch = options.batch_of(train.len());
        let table = BatchParams::of_pass(train.len(), batch.max(1), 0.0);
        let capacity = options.capacity(train.len(), self.micro_batches).max(1);
        let RunState { step, within, .. } = self.training.run;
        let schedule = schedule(options, table.len(), step.saturating_add(within.rows));
        let RunState { epoch, .. } = self.training.run;
        if Some(step) != epoch.checked_mul(table.len()) || within.rows >= table.len().max(1) {
            let expected = "the data and batch size that the checkpoint was made with";
            return Err(SettingError::new("steps of an epoch", table.len(), expected).into());
        }
        if schedule.steps_done > schedule.steps {
            let expected = "as many steps as were taken already, or more";
            return Err(SettingError::new("max_steps", schedule.steps, expected).into());
        }
        let validation_samples = validation.as_ref().map(Dataset::len);
        let samples = train.len();
        let checkpoints = self.agreed(callback.checkpoints())?;
        let is_new = before.is_none();
        let mut run = Run {
            options,
            schedule,
            checkpoints,
            samples,
            capacity,
            validation: validation_samples,
            table,
            history: before.unwrap_or_default(),
            asked: Requests::default(),
            data: train.clone(),
            start: None,
        };
        let micro_batches = Some(self.micro_batches).filter(|&count| count > 1);
        self.fitted = FitOptions { micro_batches, ..options.setting() };
        let executor = self.executor(Some(capacity))?;
        callback.on_train_begin(&run.schedule)?;
        executor.set_data(DataSlot::Training, &train)?;
        if let Some(validation) = &validation {
            executor.set_data(DataSlot::Evaluation, validation)?;
        }
        if let (Some(sampling), 1) = (options.profile, micro_batches.unwrap_or(1)) {
            callback.on_profile(executor.profile(sampling)?)?;
        }
        if is_new {
            self.adapt_fresh(&train)?;
            // So that a run can be resumed whenever it is cut off.
            self.checkpoint_for(&mut run, callback)?;
        }
        run.history.stopped = run.history.stopped.take().or(self.stopped_before(&run));
        while run.history.stopped.is_none() {
            let epoch = self.epoch(&mut run, callback);
            match epoch.map_err(|error| stopped_by(error, &self.training.run))? {
                Epoch::Stopped(stopped) => run.history.stopped = Some(stopped),
                Epoch::Done(record) => self.end_epoch(&mut run, &record, callback)?,
            }
        }
        let RunState { step, within, .. } = self.training.run;
        let mut history = run.history;
        history.steps = step + within.rows;
        history.profile = self.executor(None)?.take_profile();
        history.step_times = (self.times.steps > 0).then_some(self.times);
        self.finish(&mut history)?;
        if self.updates == Updates::FirstOnly {
            self.runner()?.hand_weights()?;
        }
        Ok(history)
    }

    /// Why there is nothing left to do, if so, when training resumes from a checkpoint.
    fn stopped_before(&self, run: &Run<'_>) -> Option<Stopped> {
        let epoch = self.training.run.epoch;
        let all = run.options.epochs.saturating_mul(run.schedule.steps_per_epoch);
        let reason = if run.schedule.steps == all { StopReason::Epochs } else { StopReason::MaxSteps };
        let done = run.schedule.steps_done == run.schedule.steps;
        done.then(|| ended(reason, epoch))
    }

    /// Trains for an epoch, or what is left of it, or what `max_steps` leaves, and evaluates on the validation set.
    fn epoch(&mut self, run: &mut Run<'_>, callback: &mut dyn Callback) -> Result<Epoch, Error> {
        let number = self.training.run.epoch + 1;
        let steps = run.table.len().min(run.schedule.steps - self.training.run.step);
        let mut rows = run.table[..steps].to_vec();
        let shuffle_seed = run.options.shuffle.then_some(self.compile.seed);
        let mut begun = Instant::now();
        let order = epoch_order(run.samples, self.training.epochs_begun, shuffle_seed);
        let transforms = self.transforms(&order);
        callback.on_epoch_begin(number)?;
        while self.training.run.within.rows < steps {
            let from = self.training.run.within.rows;
            let to = match run.checkpoints {
                Checkpoints::Steps(every) => {
                    (from / every.max(1) + 1).saturating_mul(every.max(1)).min(steps)
                }
                _ => steps,
            };
            self.fill(&mut rows[from..], self.training.steps_begun + from, run.options);
            let steps_of_part = with_slots(&rows[from..to]);
            let pass = Pass {
                phase: Phase::Train,
                data: DataSlot::Training,
                order: &order,
                batches: &steps_of_part,
                transforms: &transforms,
            };
            self.guard(run)?;
            let mut state = self.training.run;
            let part = train_part(self.runner()?, &pass, &mut state, callback);
            self.training.run = state;
            let part = part?;
            if let Some(row) = part.ran.tripped {
                return Err(self.tripped(run, &pass, row, part.last_loss)?.into());
            }
            self.check_weights(run)?;
            self.training.run.within.seconds += begun.elapsed().as_secs_f64();
            let is_due = from + part.ran.rows == to;
            if let Some(stopped) =
                self.end_part(run, part.asked, [is_due, self.training.run.within.rows == steps], callback)?
            {
                return Ok(Epoch::Stopped(stopped));
            }
            begun = Instant::now();
        }
        let mut runner = self.runner()?;
        let validation = run.validation.map(|samples| runner.evaluate(samples, run.capacity)).transpose()?;
        let within = self.training.run.within;
        let training = within.mean(self.network.target);
        Ok(Epoch::Done(EpochRecord {
            epoch: number,
            loss: training.loss,
            accuracy: training.accuracy,
            val_loss: validation.map(|v| v.loss),
            val_accuracy: validation.and_then(|v| v.accuracy),
            learning_rate: rows.last().map_or(0.0, |row| row.learning_rate),
            seconds: within.seconds,
        }))
    }

    /// After a part of an epoch, does what callbacks asked for, and makes a checkpoint if one `is_due` or asked for. What the end of
    /// an epoch follows is left to that. Returns why training ends within the epoch, if it does.
    fn end_part(
        &mut self,
        run: &mut Run<'_>,
        asked: (Requests, bool),
        [is_due, is_last]: [bool; 2],
        callback: &mut dyn Callback,
    ) -> Result<Option<Stopped>, Error> {
        let (asked, interrupted) = agreed(self.collective.as_mut(), asked)?;
        self.change_rate(&asked)?;
        run.asked = std::mem::take(&mut run.asked).and(asked);
        let is_whole = self.training.run.within.rows == run.table.len();
        let epoch = self.training.run.epoch + 1;
        let mut stopped = None;
        if !is_last && interrupted {
            stopped = Some(ended(StopReason::Interrupted, epoch));
        } else if !is_last {
            run.history.stopped = run.asked.stop.take().map(|why| asked_to(why, epoch));
            stopped = run.history.stopped.clone();
        }
        // Also at the end of an epoch that is cut short, before what follows an epoch: the epoch may be resumed.
        if !is_whole && (is_due || stopped.is_some() || run.asked.checkpoint) {
            self.checkpoint_for(run, callback)?;
        }
        Ok(stopped)
    }

    /// Multiplies the learning rate as asked.
    fn change_rate(&mut self, asked: &Requests) -> Result<(), SettingError> {
        let Some(factor) = asked.rate_factor else { return Ok(()) };
        let all = self.training.rate_factor.unwrap_or(1.0) * factor;
        if !(all > 0.0 && all.is_finite()) {
            return Err(SettingError::new(
                "rate_factor",
                f64::from(factor),
                "above 0, and finite with the factors before",
            ));
        }
        self.training.rate_factor = Some(all);
        Ok(())
    }

    /// Snapshots the weights for a rollback.
    fn guard(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        if !run.options.allow_nan && run.start.is_none() {
            run.start = Some(self.start()?);
        }
        Ok(())
    }

    /// After a part of an epoch, refuses weights that are not finite: the last update may have made them so.
    fn check_weights(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        if run.options.allow_nan {
            return Ok(());
        }
        let start = self.start()?;
        let RunState { epoch, step, within, .. } = self.training.run;
        if let Some(found) = start.bad_weight() {
            let [step, epoch] = [step + within.rows, epoch + 1];
            return Err(self.divergence(step, epoch, Bad::Weights, found).into());
        }
        run.start = Some(start);
        Ok(())
    }

    /// Rolls back to the state before a row that diverged, and finds out why it did.
    fn tripped(
        &mut self,
        run: &Run<'_>,
        pass: &Pass<'_>,
        row: usize,
        loss: f32,
    ) -> Result<Box<Divergence>, Error> {
        // With a loss that is not finite nothing was updated.
        let bad = if loss.is_finite() { Bad::Gradient } else { Bad::Loss(loss) };
        if let (Bad::Gradient, Some(start)) = (bad, &run.start) {
            self.go_back(pass, row, start)?;
        }
        let RunState { epoch, step, within, .. } = self.training.run;
        let found = self.trace(pass, row, &run.data);
        Ok(self.divergence(step + within.rows + 1, epoch + 1, bad, found))
    }

    /// Ends an epoch: decides how training continues, reports the epoch, and makes a checkpoint if the epoch was
    /// full.
    fn end_epoch(
        &mut self,
        run: &mut Run<'_>,
        record: &EpochRecord,
        callback: &mut dyn Callback,
    ) -> Result<(), Error> {
        let whole = self.training.run.within.rows == run.table.len();
        self.training.end_epoch();
        run.history.stopped = self.after_epoch(run, record)?;
        callback.on_epoch_end(record)?;
        run.history.epochs.push(*record);
        let (asked, _) = agreed(self.collective.as_mut(), (callback.requests(), false))?;
        self.change_rate(&asked)?;
        run.asked = std::mem::take(&mut run.asked).and(asked);
        let asked = run.asked.stop.take().map(|why| asked_to(why, record.epoch));
        run.history.stopped = run.history.stopped.take().or(asked);
        if whole {
            self.checkpoint_for(run, callback)?;
        }
        if run.history.stopped.is_none() && any(self.collective.as_mut(), callback.interrupted())? {
            run.history.stopped = Some(ended(StopReason::Interrupted, record.epoch));
        }
        Ok(())
    }

    /// Makes a checkpoint, unless none are wanted and none was asked for.
    fn checkpoint_for(&mut self, run: &mut Run<'_>, callback: &mut dyn Callback) -> Result<(), Error> {
        let is_asked = std::mem::take(&mut run.asked.checkpoint);
        if run.checkpoints == Checkpoints::Never && !is_asked {
            return Ok(());
        }
        let begun = Instant::now();
        self.check_same_weights()?;
        if self.collective.rank() > 0 {
            return Ok(());
        }
        let checkpoint = Checkpoint {
            training: self.training,
            weights: self.weights()?,
            optimizer_state: self.optimizer_state()?,
            best_weights: self.best_weights.clone(),
            epochs: run.history.epochs.clone(),
            stopped: run.history.stopped.clone(),
        };
        callback.on_checkpoint(&checkpoint)?;
        run.history.checkpoints += 1;
        run.history.checkpoint_seconds += begun.elapsed().as_secs_f64();
        Ok(())
    }

    /// When rank 0 wants checkpoints.
    fn agreed(&mut self, own: Checkpoints) -> Result<Checkpoints, Error> {
        let said = match own {
            Checkpoints::Never => [0, 0],
            Checkpoints::Epochs => [1, 0],
            Checkpoints::Steps(every) => [2, every as u64],
        };
        let said = from_first(self.collective.as_mut(), bytemuck::cast_slice(&said))?;
        Ok(match bytemuck::pod_collect_to_vec::<u8, u64>(&said)[..] {
            [1, _] => Checkpoints::Epochs,
            [2, every] => Checkpoints::Steps(every as usize),
            _ => Checkpoints::Never,
        })
    }

    /// Refuses to go on where copies of the model are no copies any more: a device that does not compute what the others do.
    fn check_same_weights(&mut self) -> Result<(), Error> {
        if self.collective.size() == 1 {
            return Ok(());
        }
        let digest = self.digest()?;
        let all = self.collective.gather(&digest)?;
        match all.iter().position(|other| *other != all[0]) {
            Some(rank) => Err(CollectiveError::OtherWeights {
                rank,
                step: self.training.run.step + self.training.run.within.rows,
            }
            .into()),
            None => Ok(()),
        }
    }

    /// After an epoch: may reduce the learning rate, keep the weights, or end training.
    fn after_epoch(&mut self, run: &Run<'_>, record: &EpochRecord) -> Result<Option<Stopped>, Error> {
        let options = run.options;
        if let Some(plateau) = &options.reduce_lr_on_plateau {
            let state = &mut self.training.run.plateau;
            // Without what callbacks multiply it by.
            let base = self.compile.optimizer.learning_rate() as f32;
            let reduced = plateau.after_epoch(state, record, self.training.learning_rate.unwrap_or(base));
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
        let good = options
            .is_good_enough(record.val_loss.unwrap_or(record.loss), record.val_accuracy.or(record.accuracy));
        if good {
            reason = Some(StopReason::GoodEnough);
        }
        let all = options.epochs.saturating_mul(run.schedule.steps_per_epoch);
        let last = if run.schedule.steps == all { StopReason::Epochs } else { StopReason::MaxSteps };
        let reason = reason.or((record.epoch == run.schedule.epochs).then_some(last));
        Ok(reason.map(|reason| ended(reason, record.epoch)))
    }

    /// Gives the model the weights that training ends with: their moving average, if the optimizer keeps one, or those of
    /// the best epoch, if they were kept. Weights that were good enough stay, averaged or not, and so do those of training
    /// that will be resumed.
    fn finish(&mut self, history: &mut History) -> Result<(), Error> {
        let best = self.best_weights.take();
        let Some(stopped) = &mut history.stopped else { return Ok(()) };
        if stopped.reason == StopReason::Interrupted {
            return Ok(());
        }
        self.take_average()?;
        if let (Some(weights), true) = (best, stopped.reason != StopReason::GoodEnough) {
            stopped.weights_of_epoch = self.training.run.early_stopping.best_epoch;
            if stopped.weights_of_epoch != stopped.epoch || self.compile.optimizer.ema().is_some() {
                self.set_weights(weights)?;
            }
        }
        Ok(())
    }
}

fn schedule(options: &FitOptions, steps_per_epoch: usize, steps_done: usize) -> Schedule {
    let steps = options.epochs.saturating_mul(steps_per_epoch).min(options.max_steps.unwrap_or(usize::MAX));
    Schedule { epochs: steps.div_ceil(steps_per_epoch), steps_per_epoch, steps_done, steps }
}

fn ended(reason: StopReason, epoch: usize) -> Stopped {
    Stopped { reason, why: None, epoch, weights_of_epoch: epoch }
}

fn asked_to(why: String, epoch: usize) -> Stopped {
    Stopped { why: Some(why), ..ended(StopReason::Callback, epoch) }
}

impl From<CallbackError> for Error {
    fn from(error: CallbackError) -> Self {
        Error::Callback(error)
    }
}
