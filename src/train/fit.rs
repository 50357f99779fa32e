//! `fit` and `resume`: what a run is, and its epochs one after another.

use super::callback::{Callback, CallbackError};
use super::checkpoint::{Checkpoint, Checkpoints};
use super::collective::Updates;
use super::epoch::Epoch;
use super::model::Model;
use super::options::FitOptions;
use super::passes::stopped_by;
use super::rate::LearningRateSchedule;
use super::records::{History, Schedule, StopReason, Stopped};
use super::requests::Requests;
use super::run::{Run, ended};
use super::state::RunState;
use crate::data::Dataset;
use crate::error::{Error, SettingError};
use crate::executor::DataSlot;
use crate::plan::BatchParams;
use crate::profile::StepTimes;

impl Model {
    /// Trains the model: in each epoch all samples once, in batches, with one update per batch. Before the first, layers that take
    /// weights from the data do so, if they did not yet ([`adapt`](Self::adapt)).
    ///
    /// # Errors
    /// When a setting is invalid, the data does not fit the model, the plan does not fit the device, or a callback
    /// fails; when a schedule is given after [`set_learning_rate`](Self::set_learning_rate). [`Error::Diverged`] where a number is not
    /// finite, unless that is [allowed](FitOptions::allow_nan).
    pub fn fit(
        &mut self,
        train: &Dataset,
        options: &FitOptions,
        callback: &mut dyn Callback,
    ) -> Result<History, Error> {
        if self.training.rate_is_set && options.schedule != LearningRateSchedule::Constant {
            let expected = "left out, or the schedule `constant`, after `set_learning_rate`: both would set the learning rate; \
                            `reset_learning_rate` takes it back";
            return Err(SettingError::new("schedule", "given", expected).into());
        }
        options.check()?;
        self.training.begin();
        self.training.loop_batch = 0;
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
        if checkpoint.training.loop_batch > 0 {
            let expected = "one of `fit`, as the steps of a loop are no part of an epoch of `fit`; `restore` goes on from it";
            return Err(SettingError::new("checkpoint", "of a loop of one's own", expected).into());
        }
        let (epochs, stopped) = (checkpoint.epochs.clone(), checkpoint.stopped.clone());
        self.form = options.form(train);
        self.micro_batches = options.micro_batches_on(self.collective.size())?;
        self.executor(Some(options.largest_batch(train.len()).div_ceil(self.micro_batches)))?;
        self.restore(checkpoint)?;
        let stopped = stopped.filter(Stopped::is_final);
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
        let is_new = before.is_none();
        let mut run = self.run_of(options, train, validation.as_ref(), before.unwrap_or_default())?;
        run.checkpoints = self.agreed(callback.checkpoints())?;
        self.make_ready(&run, validation.as_ref(), callback)?;
        if run.schedule.steps_done == 0 {
            self.adapt_fresh(&run.data)?;
        }
        if is_new {
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
        let history = self.end_run(run.history)?;
        callback.on_train_end(&history)?;
        Ok(history)
    }

    /// What a call is, of which the epochs of this history are done.
    fn run_of<'a>(
        &self,
        options: &'a FitOptions,
        train: Dataset,
        validation: Option<&Dataset>,
        history: History,
    ) -> Result<Run<'a>, SettingError> {
        let samples = train.len();
        let table = BatchParams::of_pass(samples, options.batch_of(samples).max(1), 0.0);
        let RunState { epoch, step, within, .. } = self.training.run;
        let schedule = schedule(options, table.len(), step.saturating_add(within.rows));
        if Some(step) != epoch.checked_mul(table.len()) || within.rows >= table.len().max(1) {
            let expected = "the data and batch size that the checkpoint was made with";
            return Err(SettingError::new("steps of an epoch", table.len(), expected));
        }
        if schedule.steps_done > schedule.steps {
            let expected = "as many steps as were taken already, or more";
            return Err(SettingError::new("max_steps", schedule.steps, expected));
        }
        Ok(Run {
            options,
            schedule,
            checkpoints: Checkpoints::Never,
            samples,
            capacity: options.capacity(samples, self.micro_batches).max(1),
            validation: validation.map(Dataset::len),
            table,
            history,
            asked: Requests::default(),
            data: train,
            start: None,
        })
    }

    /// Makes the executor, gives it the data, and tells the callback that training begins.
    fn make_ready(
        &mut self,
        run: &Run<'_>,
        validation: Option<&Dataset>,
        callback: &mut dyn Callback,
    ) -> Result<(), Error> {
        let micro_batches = Some(self.micro_batches).filter(|&count| count > 1);
        self.fitted = FitOptions { micro_batches, ..run.options.setting() };
        let executor = self.executor(Some(run.capacity))?;
        callback.on_train_begin(&run.schedule)?;
        executor.set_data(DataSlot::Training, &run.data)?;
        if let Some(validation) = validation {
            executor.set_data(DataSlot::Evaluation, validation)?;
        }
        if let (Some(sampling), None) = (run.options.profile, micro_batches) {
            callback.on_profile(executor.profile(sampling)?)?;
        }
        Ok(())
    }

    /// What a call returns, with the weights that it ends with in all ranks.
    fn end_run(&mut self, mut history: History) -> Result<History, Error> {
        let RunState { step, within, .. } = self.training.run;
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
        // An epoch that was cut short is yet to be judged.
        let is_within = self.training.run.within.rows > 0;
        let done = run.schedule.steps_done == run.schedule.steps && !is_within;
        done.then(|| ended(reason, epoch))
    }
}

fn schedule(options: &FitOptions, steps_per_epoch: usize, steps_done: usize) -> Schedule {
    let steps = options.epochs.saturating_mul(steps_per_epoch).min(options.max_steps.unwrap_or(usize::MAX));
    Schedule { epochs: steps.div_ceil(steps_per_epoch), steps_per_epoch, steps_done, steps }
}

impl From<CallbackError> for Error {
    fn from(error: CallbackError) -> Self {
        Error::Callback(error)
    }
}
