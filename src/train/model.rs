//! The compiled model: `fit`, `evaluate`, `predict`.

use std::time::Instant;

use super::callback::{Callback, CallbackError, EpochRecord, History, Schedule, StepRecord};
use crate::data::Dataset;
use crate::data::batches::{epoch_order, step_table};
use crate::device::Device;
use crate::error::Error;
use crate::executor::{DataSlot, Executor, Pass, check_data};
use crate::model::{Loss, Network, Optimizer, Sequential, Weights};
use crate::plan::{Phase, Plan};
use crate::profile::Sampling;
use crate::random::words;

/// Batch size where none is given.
const DEFAULT_BATCH: usize = 64;

/// How a model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Compile {
    /// What training makes small.
    pub loss: Loss,
    /// How weights follow gradients.
    pub optimizer: Optimizer,
    /// Decides initial weights and shuffles.
    pub seed: u64,
    /// Whether an adapter runs each step of the plan by itself ([`Plan::fuse`] says what is done otherwise).
    pub no_fuse: bool,
    /// Whether data sets stay on the host and are streamed to the adapter even where they fit it; no bit of a result
    /// changes.
    pub stream: bool,
}

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

/// Figures of a model on a data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Mean loss over the samples.
    pub loss: f64,
    /// Share of the samples that were classified rightly.
    pub accuracy: f64,
}

/// A model with weights, on a device.
pub struct Model {
    network: Network,
    compile: Compile,
    device: Device,
    /// Current as long as there is no executor; then the executor's are.
    weights: Weights,
    /// The optimizer's state, likewise; `None` before the first training.
    state: Option<Vec<f32>>,
    /// Epochs begun by all calls of `fit`: each is shuffled in its own way.
    epochs_begun: usize,
    /// Optimizer steps begun by all calls of `fit`: each makes its own random draws.
    steps_begun: usize,
    executor: Option<Box<dyn Executor>>,
}

impl Sequential {
    /// Checks the model and gives it fresh weights.
    ///
    /// # Errors
    /// When a layer or a setting cannot be.
    pub fn compile(&self, device: &Device, compile: Compile) -> Result<Model, Error> {
        compile.optimizer.check()?;
        let network = self.network()?;
        Ok(Model {
            weights: network.initial_weights(compile.seed),
            network,
            compile,
            device: device.clone(),
            state: None,
            epochs_begun: 0,
            steps_begun: 0,
            executor: None,
        })
    }
}

impl Model {
    /// The shapes and names of the layers.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The weights as they are now.
    ///
    /// # Errors
    /// When the device does not answer.
    pub fn weights(&mut self) -> Result<Weights, Error> {
        if let Some(executor) = &mut self.executor {
            let tensors = executor.plan().parameters.clone();
            let values = tensors.iter().map(|tensor| executor.read(tensor)).collect::<Result<Vec<_>, _>>()?;
            self.weights = Weights::from_values(&self.network, values);
        }
        Ok(self.weights.clone())
    }

    /// Replaces the weights; the optimizer's state stays.
    ///
    /// # Errors
    /// When the device does not answer.
    pub fn set_weights(&mut self, weights: Weights) -> Result<(), Error> {
        if let Some(executor) = &mut self.executor {
            write_weights(executor.as_mut(), &weights)?;
        }
        self.weights = weights;
        Ok(())
    }

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

    /// Judges the model on a data set; the weights stay.
    ///
    /// # Errors
    /// When the data does not fit the model or the plan does not fit the device.
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Evaluation, Error> {
        self.evaluate_with(data, None)
    }

    /// [`evaluate`](Self::evaluate) in batches of at most this size, where the last bit counts: the loss is a mean of
    /// means over batches, so other batches round otherwise. `None` takes the size used last, 64 at first.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn evaluate_with(&mut self, data: &Dataset, batch_size: Option<usize>) -> Result<Evaluation, Error> {
        check_data(&self.network, data)?;
        let executor = self.executor(batch_size)?;
        executor.set_data(DataSlot::Evaluation, data)?;
        let batch = executor.plan().batch;
        evaluate(executor, data.len(), batch)
    }

    /// Probabilities `[images, classes]` for images `[images, h, w, c]` of bytes.
    ///
    /// # Errors
    /// When the bytes are not whole images or the plan does not fit the device.
    pub fn predict(&mut self, images: &[u8]) -> Result<Vec<f32>, Error> {
        let shape = self.network.input_shape;
        let pixels = shape.iter().product::<usize>();
        let count = images.len() / pixels;
        if !images.len().is_multiple_of(pixels) {
            return Err(Error::ImageBytes { bytes: images.len(), pixels });
        }
        if count == 0 {
            return Ok(Vec::new());
        }
        let classes = self.network.classes();
        let data = Dataset::new(images.to_vec(), vec![0; count], shape, classes)?;
        let executor = self.executor(None)?;
        executor.set_data(DataSlot::Evaluation, &data)?;
        let plan = executor.plan();
        let (batch, mut output) = (plan.batch, plan.probabilities.clone());
        let order = epoch_order(count, 0, None);
        let mut probabilities = Vec::with_capacity(count * classes);
        for mut row in step_table(count, batch, 0.0) {
            let rows = row.batch_size as usize;
            let first = row.first as usize;
            (row.first, row.slot) = (0, 0);
            let pass = Pass {
                phase: Phase::Predict,
                data: DataSlot::Evaluation,
                order: &order[first..first + rows],
                steps: &[row],
            };
            executor.run(&pass, &mut |_, _| {})?;
            output.shape[0] = rows;
            probabilities.extend(executor.read(&output)?);
        }
        Ok(probabilities)
    }

    /// The executor for batches of `batch` samples; weights and optimizer state move along when the size changes.
    fn executor(&mut self, batch: Option<usize>) -> Result<&mut dyn Executor, Error> {
        let have = self.executor.as_ref().map(|executor| executor.plan().batch);
        let wanted = batch.or(have).unwrap_or(DEFAULT_BATCH);
        let executor = match self.executor.take() {
            Some(executor) if have == Some(wanted) => executor,
            old => {
                self.executor = old;
                self.rebuild(wanted)?
            }
        };
        Ok(self.executor.insert(executor).as_mut())
    }

    /// A new executor that goes on where the present one stands, which is given up.
    fn rebuild(&mut self, batch: usize) -> Result<Box<dyn Executor>, Error> {
        let Compile { loss, optimizer, no_fuse, stream, .. } = self.compile;
        let plan = Plan::build(&self.network, loss, optimizer, batch)?;
        let plan = if no_fuse { plan } else { self.device.prepare(plan) };
        let weights = self.weights()?;
        if let Some(mut old) = self.executor.take() {
            let state = old.plan().state.clone();
            self.state = Some(old.read(&state)?);
        }
        let mut executor = self.device.executor(plan)?;
        if stream {
            executor.keep_on_host();
        }
        write_weights(executor.as_mut(), &weights)?;
        if let Some(state) = &self.state {
            let place = executor.plan().state.clone();
            executor.write(&place, state)?;
        }
        Ok(executor)
    }
}

fn schedule(options: &FitOptions, steps_per_epoch: usize) -> Schedule {
    let steps = options.epochs.saturating_mul(steps_per_epoch).min(options.max_steps.unwrap_or(usize::MAX));
    Schedule { epochs: steps.div_ceil(steps_per_epoch), steps_per_epoch, steps }
}

/// Brings weights to their places in a plan's parameters.
pub(crate) fn write_weights(executor: &mut dyn Executor, weights: &Weights) -> Result<(), Error> {
    let places = executor.plan().parameters.clone();
    for (place, tensor) in places.iter().zip(weights.tensors()) {
        executor.write(place, &tensor.values)?;
    }
    Ok(())
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
fn evaluate(executor: &mut dyn Executor, samples: usize, batch: usize) -> Result<Evaluation, Error> {
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
