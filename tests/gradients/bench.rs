//! A plan on the f64 twins with access to its parts: any tensor can be set, any step run.

use shadegrad::cpu::CpuExecutor;
use shadegrad::executor::{DataSlot, Executor, Pass};
use shadegrad::model::{Loss, Optimizer, Sequential};
use shadegrad::ops::Kinks;
use shadegrad::plan::{BatchParams, Dtype, Phase, Plan, Role, Stage, Tensor};
use std::ops::ControlFlow;

use crate::common::random_data;

pub struct Bench {
    pub executor: CpuExecutor<f64>,
    pub plan: Plan,
    params: BatchParams,
}

impl Bench {
    /// Batches of `filled` random samples on a plan for `capacity`, gathered already. It is a training step, so that
    /// dropout drops, always the same elements.
    pub fn new(model: &Sequential, loss: Loss, capacity: usize, filled: u32) -> Bench {
        let network = model.network().unwrap();
        let plan = Plan::build(&network, loss, Optimizer::default(), capacity).unwrap();
        let params =
            BatchParams { training: 1, number: 3, seed_low: 5, ..BatchParams::of_samples(filled as usize) };
        Bench::on(plan, params, Phase::Evaluate)
    }

    /// A plan for prediction, with batches of so many random samples, gathered already.
    pub fn of_prediction(plan: Plan, samples: usize) -> Bench {
        let params = BatchParams::of_samples(samples);
        Bench::on(plan, params, Phase::Predict)
    }

    fn on(plan: Plan, params: BatchParams, phase: Phase) -> Bench {
        let (network, capacity) = (&plan.network, plan.batch);
        let mut executor = CpuExecutor::<f64>::new(plan.clone());
        for (weight, place) in network.weights().zip(&plan.parameters) {
            if let Some(given) = &weight.given {
                executor.write(place, given).unwrap();
            }
        }
        let data = random_data(capacity, network.input_shape, network.classes(), 7);
        executor.set_data(DataSlot::Training, &data).unwrap();
        let order: Vec<u32> = (0..capacity as u32).collect();
        let pass =
            Pass { phase, data: DataSlot::Training, order: &order, batches: &[params], transforms: &[] };
        executor.run(&pass, &mut |_, _| ControlFlow::Continue(())).unwrap();
        Bench { executor, plan, params }
    }

    /// The whole buffer of this name.
    pub fn buffer(&self, name: &str) -> Option<Tensor> {
        let buffer = self.plan.buffers.iter().position(|buffer| buffer.name == name)?;
        let step_tensors = self.plan.steps.iter().flat_map(|step| &step.args);
        step_tensors
            .filter(|tensor| tensor.buffer == buffer && tensor.offset == 0)
            .max_by_key(|t| t.len())
            .cloned()
    }

    /// A weight tensor and its gradient.
    pub fn weight(&self, name: &str) -> Option<(Tensor, Tensor)> {
        let network = &self.plan.network;
        let at = network.weights().position(|weight| weight.name == name)?;
        let trained = network.trainable_weights().position(|weight| weight.name == name)?;
        Some((self.plan.parameters[at].clone(), self.plan.gradients[trained].clone()))
    }

    /// The weights of a layer by its own names for them, each with its gradient.
    pub fn weights_of(&self, layer: &str) -> Vec<(String, Tensor, Tensor)> {
        let names: Vec<String> = self.plan.network.weights().map(|weight| weight.name.clone()).collect();
        let of_layer =
            names.iter().filter_map(|name| Some((name, name.strip_prefix(layer)?.strip_prefix('.')?)));
        of_layer
            .filter_map(|(name, what)| self.weight(name).map(|(w, dw)| (what.to_owned(), w, dw)))
            .collect()
    }

    /// Indices of the steps of a stage whose names begin like this.
    pub fn steps(&self, stage: Stage, name: &str) -> Vec<usize> {
        let steps = self.plan.steps.iter().enumerate();
        steps
            .filter(|(_, step)| step.stage == stage && step.name.starts_with(name))
            .map(|(at, _)| at)
            .collect()
    }

    pub fn set(&mut self, tensor: &Tensor, values: &[f64]) {
        self.executor.values_mut(tensor).copy_from_slice(values);
    }

    pub fn get(&self, tensor: &Tensor) -> Vec<f64> {
        self.executor.values(tensor).to_vec()
    }

    /// The values of a tensor; none of one whose length the data set decides, or that holds no floats.
    fn floats(&self, tensor: &Tensor) -> &[f64] {
        match self.plan.buffers[tensor.buffer].dtype {
            Dtype::F32 if !tensor.is_empty() => self.executor.values(tensor),
            _ => &[],
        }
    }

    /// The gradient that backward steps begin with.
    pub fn loss_gradient(&self) -> Tensor {
        self.buffer("d_logits").or_else(|| self.buffer("d_outputs")).unwrap()
    }

    /// The mean loss of the batch.
    pub fn loss(&self) -> f64 {
        let metrics = |buffer: &shadegrad::plan::Buffer| buffer.role == Role::Metrics;
        let is_loss = |buffer| metrics(buffer) && buffer.dtype == Dtype::F32;
        let buffer = self.plan.buffers.iter().position(is_loss).unwrap();
        self.get(&Tensor { buffer, offset: 0, shape: vec![1] })[0]
    }

    /// Runs steps in order and records the kinks on the way.
    pub fn run(&mut self, steps: &[usize]) -> Kinks {
        let mut kinks = Kinks::default();
        for &at in steps {
            let step = &self.plan.steps[at];
            let args: Vec<&[f64]> = step.args.iter().map(|tensor| self.floats(tensor)).collect();
            kinks.extend(step.op.kinks(&args));
            self.executor.run_step(at, DataSlot::Training, &self.params).unwrap();
        }
        kinks
    }
}
