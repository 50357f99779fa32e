//! The compiled model: its weights, `evaluate`, `predict`.

use super::checkpoint::Checkpoint;
use super::collective::{Alone, Collective, Updates, share_of};
use super::compile::{Compile, DEFAULT_BATCH};
use super::micro::Runner;
use super::options::FitOptions;
use super::records::Evaluation;
use super::state::TrainingState;
use super::targets::check_targets;
use crate::data::batches::epoch_order;
use crate::data::{DataForm, Dataset, SampleValue, Samples, Targets};
use crate::device::{COPIES, Device, check_host_memory};
use crate::error::Error;
use crate::executor::{DataSlot, Executor, ExecutorError, Pass, check_data};
use crate::model::{ModelError, Network, Sequential, Weights, check_class_names, check_feature_names};
use crate::ops::BatchParams;
use crate::plan::{Phase, Plan, Tensor};
use crate::profile::StepTimes;
use std::ops::ControlFlow;

/// Samples that are predicted at once.
const PREDICTED: usize = 4096;

/// A model with weights, on a device.
pub struct Model {
    pub(super) network: Network,
    /// The layers that the network was made of.
    pub(crate) sequential: Sequential,
    pub(crate) compile: Compile,
    /// The options of the last training, without its data sets.
    pub(crate) fitted: FitOptions,
    /// Empty where classes are numbers only.
    pub(crate) class_names: Vec<String>,
    pub(crate) feature_names: Vec<String>,
    device: Device,
    /// Current only while there is no executor; after that the executor's weights are.
    weights: Weights,
    /// The optimizer's state, likewise; `None` before the first training.
    state: Option<Vec<f32>>,
    /// Of the data sets that the executor is to read.
    pub(super) form: DataForm,
    /// How far training has come.
    pub(super) training: TrainingState,
    /// Of the best epoch so far, while `fit` runs and early stopping is to restore them.
    pub(super) best_weights: Option<Weights>,
    executor: Option<Box<dyn Executor>>,
    /// What joins it to copies of itself elsewhere.
    pub(super) collective: Box<dyn Collective>,
    pub(super) updates: Updates,
    /// To a batch, since the last training began.
    pub(super) micro_batches: usize,
    /// Of the last training.
    pub(super) times: StepTimes,
}

impl Sequential {
    /// Checks the model and initialises its weights. Warns of a loss that does not suit the model's outputs
    /// ([`Network::loss_advice`]).
    ///
    /// # Errors
    /// When a layer or a setting is invalid.
    pub fn compile(&self, device: &Device, compile: Compile) -> Result<Model, Error> {
        let model = self.compile_silently(device, compile)?;
        model.warn_of_loss();
        Ok(model)
    }

    /// [`compile`](Self::compile) without that warning.
    pub(super) fn compile_silently(&self, device: &Device, compile: Compile) -> Result<Model, Error> {
        compile.optimizer.check().map_err(ModelError::from)?;
        let augmentation = compile.augmentation.and_then(|augmentation| augmentation.problem());
        if let Some(problem) = compile.loss.problem().or(augmentation) {
            return Err(ModelError::Model { model: self.name.clone(), problem }.into());
        }
        let network = self.network()?;
        if let (Some(_), None) = (compile.augmentation, network.input_shape.image()) {
            let problem = format!("augmentation changes images, but input_shape is {}", network.input_shape);
            return Err(ModelError::Model { model: self.name.clone(), problem }.into());
        }
        check_host_memory(
            "the weights",
            network.parameter_count().saturating_mul(COPIES * size_of::<f32>()),
        )?;
        Ok(Model {
            weights: network.initial_weights(compile.seed),
            network,
            sequential: self.clone(),
            compile,
            fitted: FitOptions::default(),
            class_names: Vec::new(),
            feature_names: Vec::new(),
            device: device.clone(),
            state: None,
            form: DataForm::default(),
            training: TrainingState::default(),
            best_weights: None,
            executor: None,
            collective: Box::new(Alone),
            updates: Updates::default(),
            micro_batches: 1,
            times: StepTimes::default(),
        })
    }
}

impl Model {
    /// The shapes and names of the layers.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Joins this model to copies of itself: one in each rank of the collective, made of the same layers with the same settings on a device
    /// of the same kind, and called alike from now on. [`fit`](Self::fit) and [`resume`](Self::resume) then train them as one, and
    /// [`evaluate`](Self::evaluate) and [`predict`](Self::predict) deal batches out; results are those of one process with as many
    /// micro-batches, to the bit. Callbacks are called in every rank, those for checkpoints in rank 0 only.
    ///
    /// Where training diverges, rank 0 alone finds out what was not finite. A checkpoint must be resumed with the micro-batches that it was
    /// made with. A rank that ends with an error of its own must drop its model, so that the others do not wait for it.
    pub fn distribute(&mut self, collective: Box<dyn Collective>, updates: Updates) {
        (self.collective, self.updates) = (collective, updates);
    }

    /// What [`distribute`](Self::distribute) was given last, for exchanges of one's own; the model is alone again.
    pub fn take_collective(&mut self) -> Box<dyn Collective> {
        self.updates = Updates::default();
        std::mem::replace(&mut self.collective, Box::new(Alone))
    }

    /// A digest of the weights: equal for the same bits.
    ///
    /// # Errors
    /// When the device does not answer.
    pub fn digest(&mut self) -> Result<[u8; 32], Error> {
        Ok(self.weights()?.digest())
    }

    /// What runs its passes.
    pub(super) fn runner(&mut self) -> Result<Runner<'_>, Error> {
        self.executor(None)?;
        let Model { executor, collective, updates, micro_batches, times, .. } = self;
        let Some(executor) = executor else { return Err(ExecutorError::NoData.into()) };
        Ok(Runner {
            executor: executor.as_mut(),
            collective: collective.as_mut(),
            updates: *updates,
            micro_batches: *micro_batches,
            times,
            told: None,
        })
    }

    /// How many ranks train it together.
    pub(crate) fn ranks(&self) -> usize {
        self.collective.size()
    }

    /// What it runs on.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// The names of the classes, in order; empty where they are only numbers.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Names the classes, in order; an empty list makes them numbers again.
    ///
    /// # Errors
    /// [`ModelError::Model`] when there is not one name for each class, or one is empty, has control characters or is there twice.
    pub fn set_class_names(&mut self, names: Vec<String>) -> Result<(), Error> {
        let checked = check_class_names(&names, &self.network);
        checked.map_err(|problem| ModelError::Model { model: self.network.name.clone(), problem })?;
        self.class_names = names;
        Ok(())
    }

    /// The names of the numbers of a sample, in order; empty where they are only numbers, and of images.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Names the numbers of a sample, in order; an empty list takes the names away. Nothing is computed by them: they say which column
    /// of another table is which.
    ///
    /// # Errors
    /// [`ModelError::Model`] when there is not one name for each number of a sample, or one is empty, has control characters or is there
    /// twice.
    pub fn set_feature_names(&mut self, names: Vec<String>) -> Result<(), Error> {
        let checked = check_feature_names(&names, &self.network);
        checked.map_err(|problem| ModelError::Model { model: self.network.name.clone(), problem })?;
        self.feature_names = names;
        Ok(())
    }

    /// Logs a warning if the loss cannot make sense of the outputs.
    fn warn_of_loss(&self) {
        if let Some(advice) = self.network.loss_advice(self.compile.loss) {
            log::warn!("{advice}");
        }
    }

    /// How far training has come: counters, the learning rate's reduction, early stopping.
    pub fn training_state(&self) -> &TrainingState {
        &self.training
    }

    /// Logs a warning of classes that only one of the two sets has samples of.
    pub(super) fn warn_of_classes(
        &self,
        options: &FitOptions,
        train: &Dataset,
        validation: Option<&Dataset>,
    ) {
        let names = match options.class_names.as_slice() {
            [] => self.class_names(),
            given => given,
        };
        if let Some(warning) = validation.and_then(|set| FitOptions::class_warning(train, set, names)) {
            log::warn!("{warning}");
        }
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
    /// [`ModelError::Weights`] when they are those of another network, and when the device does not answer.
    pub fn set_weights(&mut self, weights: Weights) -> Result<(), Error> {
        weights.check_fits(&self.network)?;
        if let Some(executor) = &mut self.executor {
            write_weights(executor.as_mut(), &weights)?;
        }
        self.weights = weights;
        Ok(())
    }

    /// The optimizer's state as it is now: empty before the first training, or where the optimizer has none.
    pub(super) fn optimizer_state(&mut self) -> Result<Vec<f32>, Error> {
        if let Some(executor) = &mut self.executor
            && let Some(place) = executor.plan().state.clone()
        {
            self.state = Some(executor.read(&place)?);
        }
        Ok(self.state.clone().unwrap_or_default())
    }

    /// Replaces the optimizer's state by one of the same length.
    pub(super) fn set_optimizer_state(&mut self, state: Vec<f32>) -> Result<(), Error> {
        if let Some(executor) = &mut self.executor
            && let Some(place) = executor.plan().state.clone()
        {
            executor.write(&place, &state)?;
        }
        self.state = Some(state);
        Ok(())
    }

    /// Refuses a state of another model or another optimizer.
    pub(super) fn check_optimizer_state(&self, state: &[f32]) -> Result<(), Error> {
        let (len, expected) = (state.len(), self.optimizer_state_len()?);
        if len == expected {
            return Ok(());
        }
        let problem = format!("the optimizer's state has {len} numbers, but this model's has {expected}");
        Err(ModelError::Weights { problem }.into())
    }

    /// The length of the optimizer's state.
    pub(super) fn optimizer_state_len(&self) -> Result<usize, Error> {
        Ok(Checkpoint::optimizer_state_len(&self.network, &self.compile)?)
    }

    /// Replaces the weights that are trained by their moving average, where the optimizer keeps one, as [`fit`](Self::fit) does at its
    /// end.
    ///
    /// # Errors
    /// When the device does not answer.
    pub fn take_average(&mut self) -> Result<(), Error> {
        let executor = self.executor(None)?;
        let plan = executor.plan();
        // It is laid out as the arena of these weights.
        let Some(average) = plan.average.clone() else { return Ok(()) };
        let specs = plan.network.weights().zip(&plan.parameters);
        let trained: Vec<Tensor> =
            specs.filter(|(spec, _)| spec.trainable).map(|(_, place)| place.clone()).collect();
        for place in trained {
            let offset = average.offset + place.offset;
            let values = executor.read(&Tensor { buffer: average.buffer, offset, ..place.clone() })?;
            executor.write(&place, &values)?;
        }
        Ok(())
    }

    /// Evaluates the model on a data set; the weights do not change.
    ///
    /// # Errors
    /// When the data does not fit the model or the plan does not fit the device.
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Evaluation, Error> {
        self.evaluate_with(data, None)
    }

    /// [`evaluate`](Self::evaluate) in batches of at most this size, for results that must agree to the last bit: the
    /// loss is a mean of means over batches, so other batches round differently. `None` takes the size used last, 64
    /// at first; after [`fit`](Self::fit) that is `batch_size`, or the number of training samples where that was
    /// smaller, and with micro-batches the size of the largest of these.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn evaluate_with(&mut self, data: &Dataset, batch_size: Option<usize>) -> Result<Evaluation, Error> {
        check_data(&self.network, data)?;
        check_targets(self.compile.loss, data)?;
        self.form = data.form();
        let executor = self.executor(batch_size)?;
        executor.set_data(DataSlot::Evaluation, data)?;
        let batch = executor.plan().batch;
        self.runner()?.evaluate(data.len(), batch)
    }

    /// The outputs of the last layer, `[samples, outputs]`, for samples `[samples, input_shape...]` of bytes, such as images. Where
    /// it is a single sigmoid unit that tells two classes apart, they are `1 - p` and p of its output p, so that the larger of
    /// them tells the class. Both are equal at 1/2, which is class 0.
    ///
    /// # Errors
    /// When the bytes are not whole samples or the plan does not fit the device.
    pub fn predict(&mut self, images: &[u8]) -> Result<Vec<f32>, Error> {
        self.predict_all(images)
    }

    /// [`predict`](Self::predict) for samples of f32.
    ///
    /// # Errors
    /// When the numbers are not whole samples, one of them is not finite, or the plan does not fit the device.
    pub fn predict_values(&mut self, values: &[f32]) -> Result<Vec<f32>, Error> {
        self.predict_all(values)
    }

    /// [`predict`](Self::predict) for the samples of a data set, whatever their targets.
    ///
    /// # Errors
    /// When the samples do not fit the model or the plan does not fit the device.
    pub fn predict_data(&mut self, data: &Dataset) -> Result<Vec<f32>, Error> {
        if data.shape() != self.network.input_shape {
            let (data, model) = (data.shape(), self.network.input_shape);
            return Err(ExecutorError::DataShape { data, model }.into());
        }
        if data.form().values { self.predict_values(data.values()) } else { self.predict(data.images()) }
    }

    /// In parts of some batches, so that neither the samples nor targets that nobody reads are held twice.
    fn predict_all<V: SampleValue>(&mut self, numbers: &[V]) -> Result<Vec<f32>, Error> {
        let size = self.network.input_shape.len();
        if !numbers.len().is_multiple_of(size) {
            return Err(Error::SampleLength { numbers: numbers.len(), size });
        }
        let batch = self.executor.as_ref().map_or(DEFAULT_BATCH, |executor| executor.plan().batch);
        let (samples, ranks) = (numbers.len() / size, self.collective.size());
        let share = share_of(samples.div_ceil(batch), self.collective.rank(), ranks);
        let [first, end] = [share.start, share.end].map(|at| (at * batch).min(samples) * size);
        let mut outputs: Vec<f32> = Vec::new();
        for part in numbers[first..end].chunks(size * batch * (PREDICTED / batch).max(1)) {
            outputs.extend(self.predict_part(part.into(), part.len() / size)?);
        }
        if ranks > 1 {
            let all = self.collective.gather(bytemuck::cast_slice(&outputs))?;
            outputs = all.iter().flat_map(|theirs| bytemuck::pod_collect_to_vec::<u8, f32>(theirs)).collect();
        }
        Ok(outputs)
    }

    fn predict_part(&mut self, samples: Samples, count: usize) -> Result<Vec<f32>, Error> {
        let targets = Targets::blank(self.network.target, count, self.network.classes());
        let data = Dataset::from_parts(samples, targets, self.network.input_shape)?;
        self.form = data.form();
        let executor = self.executor(None)?;
        executor.set_data(DataSlot::Evaluation, &data)?;
        let plan = executor.plan();
        let (batch, mut output) = (plan.batch, plan.probabilities.clone());
        let order = epoch_order(count, 0, None);
        let mut outputs = Vec::new();
        for mut row in BatchParams::of_pass(count, batch, 0.0) {
            let rows = row.batch_size as usize;
            let first = row.first as usize;
            (row.first, row.slot) = (0, 0);
            let pass = Pass {
                phase: Phase::Predict,
                data: DataSlot::Evaluation,
                order: &order[first..first + rows],
                batches: &[row],
                transforms: &[],
            };
            executor.run(&pass, &mut |_, _| ControlFlow::Continue(()))?;
            output.shape[0] = rows;
            outputs.extend(executor.read(&output)?);
        }
        let binary = self.network.is_binary();
        Ok(if binary { outputs.into_iter().flat_map(|p| [1.0 - p, p]).collect() } else { outputs })
    }

    /// The executor for batches of `batch` samples; weights and optimizer state move along when the size changes.
    pub(super) fn executor(&mut self, batch: Option<usize>) -> Result<&mut dyn Executor, Error> {
        let plan = self.executor.as_ref().map(|executor| executor.plan());
        let have = plan.map(|plan| (plan.batch, plan.form, plan.in_parts));
        let wanted = batch.or(have.map(|(batch, ..)| batch)).unwrap_or(DEFAULT_BATCH);
        let executor = match self.executor.take() {
            Some(executor) if have == Some((wanted, self.form, self.micro_batches > 1)) => executor,
            old => {
                self.executor = old;
                self.rebuild(wanted)?
            }
        };
        Ok(self.executor.insert(executor).as_mut())
    }

    /// A separate executor that runs each step of the plan by itself, with weights and state all zero.
    pub(super) fn plain_executor(&mut self) -> Result<Box<dyn Executor>, Error> {
        let batch = self.executor(None)?.plan().batch;
        Ok(self.device.executor(self.plan(batch)?)?)
    }

    /// The plan as it is lowered, without fusion.
    fn plan(&self, batch: usize) -> Result<Plan, Error> {
        let plan = self.compile.plan_for(&self.network, batch, self.form)?;
        Ok(if self.micro_batches > 1 { plan.of_micro_batches() } else { plan })
    }

    /// A new executor that takes over the state of the present one, which is dropped.
    fn rebuild(&mut self, batch: usize) -> Result<Box<dyn Executor>, Error> {
        let Compile { no_fuse, stream, .. } = self.compile;
        let plan = self.plan(batch)?;
        let plan = if no_fuse { plan } else { self.device.prepare(plan) };
        let weights = self.weights()?;
        if let Some(mut old) = self.executor.take() {
            let state = old.plan().state.clone();
            self.state = state.map(|state| old.read(&state)).transpose()?;
        }
        let mut executor = self.device.executor(plan)?;
        if stream {
            executor.keep_on_host();
        }
        write_weights(executor.as_mut(), &weights)?;
        if let (Some(state), Some(place)) = (&self.state, executor.plan().state.clone()) {
            executor.write(&place, state)?;
        }
        Ok(executor)
    }
}

/// Copies weights to their places in a plan's parameters.
pub(crate) fn write_weights(executor: &mut dyn Executor, weights: &Weights) -> Result<(), Error> {
    let places = executor.plan().parameters.clone();
    for (place, tensor) in places.iter().zip(weights.tensors()) {
        executor.write(place, &tensor.values)?;
    }
    Ok(())
}
