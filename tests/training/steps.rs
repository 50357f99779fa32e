//! Two ways to observe training: a callback that keeps what `fit` reports, and an executor driven by hand.

use shadegrad::device::Device;
use shadegrad::executor::{BatchMetrics, DataSlot, Executor, Pass};
use shadegrad::model::{Loss, Optimizer, Sequential, Weights};
use shadegrad::plan::{BatchParams, Dtype, Phase, Plan, Role, Tensor};
use shadegrad::train::{Callback, CallbackError, Compile, EpochRecord, Model, Schedule, StepRecord};
use std::ops::ControlFlow;

use shadegrad::data::Dataset;

/// Keeps every report.
#[derive(Default)]
pub struct Recorder {
    pub schedule: Option<Schedule>,
    pub steps: Vec<StepRecord>,
    pub epochs: Vec<EpochRecord>,
}

impl Callback for Recorder {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        self.schedule = Some(*schedule);
        Ok(())
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.steps.push(*record);
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.epochs.push(*record);
        Ok(())
    }
}

/// A model with the default loss and optimizer.
pub fn compile(model: &Sequential, device: &Device, seed: u64) -> Model {
    model.compile(device, Compile { seed, ..Compile::default() }).unwrap()
}

/// An executor that is given its steps one at a time, each with its samples.
pub struct Driver {
    pub executor: Box<dyn Executor>,
    pub plan: Plan,
}

impl Driver {
    /// A fresh model for batches of at most `batch` samples.
    pub fn new(model: &Sequential, device: &Device, batch: usize, seed: u64, data: &Dataset) -> Driver {
        let network = model.network().unwrap();
        let plan = Plan::build(&network, Loss::default(), Optimizer::default(), batch).unwrap();
        let plan = device.prepare(plan);
        let executor = device.executor(plan.clone()).unwrap();
        Driver::on(executor, plan, &network.initial_weights(seed), data)
    }

    /// These weights on an executor of this plan.
    pub fn on(mut executor: Box<dyn Executor>, plan: Plan, weights: &Weights, data: &Dataset) -> Driver {
        executor.set_data(DataSlot::Training, data).unwrap();
        let mut driver = Driver { executor, plan };
        driver.set_weights(weights);
        driver
    }

    /// Trains on these samples.
    pub fn step(&mut self, samples: &[u32]) -> BatchMetrics {
        let learning_rate = Optimizer::default().learning_rate() as f32;
        let params = BatchParams { learning_rate, ..BatchParams::of_samples(samples.len()) };
        let pass = Pass {
            phase: Phase::Train,
            data: DataSlot::Training,
            order: samples,
            batches: &[params],
            transforms: &[],
        };
        let mut metrics = None;
        self.executor
            .run(&pass, &mut |_, found| {
                metrics = Some(found);
                ControlFlow::Continue(())
            })
            .unwrap();
        metrics.expect("one step gives one report")
    }

    pub fn set_weights(&mut self, weights: &Weights) {
        for (place, tensor) in self.plan.parameters.iter().zip(weights.tensors()) {
            self.executor.write(place, &tensor.values).unwrap();
        }
    }

    pub fn read(&mut self, tensor: &Tensor) -> Vec<f32> {
        self.executor.read(tensor).unwrap()
    }

    /// Several tensors, one after another.
    fn read_all(&mut self, tensors: &[Tensor]) -> Vec<f32> {
        tensors.iter().flat_map(|tensor| self.executor.read(tensor).unwrap()).collect()
    }

    /// The largest absolute value in the buffers of floats with this role.
    pub fn largest(&mut self, role: Role) -> f32 {
        let buffers = self.plan.buffers.iter().enumerate();
        let wanted = buffers.filter(|(_, b)| b.role == role && b.dtype == Dtype::F32);
        let places: Vec<Tensor> =
            wanted.map(|(buffer, b)| Tensor { buffer, offset: 0, shape: vec![b.len] }).collect();
        self.read_all(&places).iter().fold(0.0, |m, value| m.max(value.abs()))
    }

    pub fn weights(&mut self) -> Vec<f32> {
        self.read_all(&self.plan.parameters.clone())
    }

    pub fn gradients(&mut self) -> Vec<f32> {
        self.read_all(&self.plan.gradients.clone())
    }
}

/// All values of some weights, one tensor after another.
pub fn flat(weights: &Weights) -> Vec<f32> {
    weights.tensors().iter().flat_map(|tensor| tensor.values.clone()).collect()
}

/// The largest distance between two lists of numbers; infinite if one of them is NaN.
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs());
    differences.fold(0.0, |worst, error| if error.is_nan() { f64::INFINITY } else { worst.max(error) })
}

/// The bits of some numbers: equal only where the numbers are equal, -0 and NaN included.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
