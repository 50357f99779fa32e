//! RMSprop on eight numbers in four configurations: the update step alone, on every executor.

use serde::Deserialize;
use shadegrad::cpu::CpuExecutor;
use shadegrad::data::Dataset;
use shadegrad::device::Device;
use shadegrad::executor::{DataSlot, Executor, Pass};
use shadegrad::model::{Activation, Dense, Flatten, Loss, Optimizer, RmsProp, Sequential};
use shadegrad::plan::{BatchParams, Phase, Plan, Stage, Tensor};
use std::ops::ControlFlow;

use crate::common::software_gpu;
use crate::recording;

#[derive(Deserialize)]
struct Recording {
    initial: Vec<f32>,
    gradients: Vec<Vec<f32>>,
    configurations: Vec<Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    name: String,
    learning_rate: f64,
    rho: f64,
    momentum: f64,
    epsilon: f64,
    centered: bool,
    /// After each step, from Keras in f32.
    weights: Vec<Vec<f64>>,
    weights_float64: Vec<Vec<f64>>,
}

impl Configuration {
    fn rmsprop(&self) -> RmsProp {
        let Configuration { learning_rate, rho, momentum, epsilon, centered, .. } = *self;
        RmsProp { learning_rate, rho, momentum, epsilon, centered, ..RmsProp::default() }
    }

    fn plan(&self) -> Plan {
        update_plan(self.rmsprop().into())
    }
}

/// A plan that only updates eight numbers: a kernel and a bias of four each.
pub fn update_plan(optimizer: Optimizer) -> Plan {
    let model =
        Sequential::new([1, 1, 1]).add(Flatten::new()).add(Dense::new(4).activation(Activation::Softmax));
    let network = model.network().unwrap();
    let mut plan = Plan::build(&network, Loss::default(), optimizer, 1).unwrap();
    plan.steps.retain(|step| step.stage == Stage::Update);
    plan
}

/// Writes eight numbers into a kernel and a bias of four each.
fn write<E: Executor + ?Sized>(executor: &mut E, places: &[Tensor], values: &[f32]) {
    assert_eq!(places.iter().map(Tensor::len).sum::<usize>(), values.len());
    for (place, values) in places.iter().zip(values.chunks(4)) {
        executor.write(place, values).unwrap();
    }
}

/// The weights after each step; `params` gives the parameters of a step by its number, from 0.
pub fn update<E: Executor + ?Sized>(
    executor: &mut E,
    initial: &[f32],
    all_gradients: &[Vec<f32>],
    params: impl Fn(usize) -> BatchParams,
    read: impl Fn(&mut E, &Tensor) -> Vec<f64>,
) -> Vec<Vec<f64>> {
    let [parameters, gradients] = [&executor.plan().parameters, &executor.plan().gradients].map(Vec::clone);
    write(executor, &parameters, initial);
    // No step reads the data, but a pass without data is refused.
    let one_pixel = Dataset::new(vec![0], vec![0], [1, 1, 1], 4).unwrap();
    executor.set_data(DataSlot::Training, &one_pixel).unwrap();
    let mut after = Vec::new();
    for (step, gradient) in all_gradients.iter().enumerate() {
        let pass = Pass {
            phase: Phase::Train,
            data: DataSlot::Training,
            order: &[0],
            batches: &[params(step)],
            transforms: &[],
        };
        write(executor, &gradients, gradient);
        executor.run(&pass, &mut |_, _| ControlFlow::Continue(())).unwrap();
        after.push(parameters.iter().flat_map(|place| read(executor, place)).collect());
    }
    after
}

/// A number and the bound of its error.
#[derive(Clone, Copy, Default)]
struct Rough {
    value: f64,
    error: f64,
}

/// The arithmetic of an executor: relative errors of its operations.
#[derive(Clone, Copy)]
struct Arithmetic {
    /// Of +, -, *: half an ulp.
    round: f64,
    /// Of / and sqrt.
    divide: f64,
    /// Of the constants: rho, 1 - rho, momentum, epsilon.
    constant: f64,
    /// Of the learning rate, which is f32 everywhere.
    learning_rate: f64,
}

const HALF_ULP: f64 = 1.0 / (1 << 24) as f64;

const F32: Arithmetic =
    Arithmetic { round: HALF_ULP, divide: HALF_ULP, constant: HALF_ULP, learning_rate: HALF_ULP };
/// WGSL allows a division 2.5 ulp, and a square root that of 1 / inverseSqrt: 2 + 2.5 ulp.
const WGSL: Arithmetic = Arithmetic { divide: 9.0 * HALF_ULP, ..F32 };
const F64: Arithmetic =
    Arithmetic { round: f64::EPSILON, divide: f64::EPSILON, constant: f64::EPSILON, ..F32 };

impl Rough {
    /// A value after an operation with this relative error.
    fn rounded(value: f64, error: f64, relative: f64) -> Rough {
        Rough { value, error: error + relative * (value.abs() + error) }
    }

    fn add(self, other: Rough, by: Arithmetic) -> Rough {
        Rough::rounded(self.value + other.value, self.error + other.error, by.round)
    }

    fn times(self, other: Rough, by: Arithmetic) -> Rough {
        let error = self.error * other.value.abs() + other.error * (self.value.abs() + self.error);
        Rough::rounded(self.value * other.value, error, by.round)
    }

    /// `self / sqrt(other)`: the slope of the root is steepest at the lower end.
    fn over_root(self, other: Rough, by: Arithmetic) -> Rough {
        let low = (other.value - other.error).max(f64::MIN_POSITIVE);
        let (root, low_root) = (other.value.sqrt(), low.sqrt());
        let root_error = (root - low_root) + by.divide * root;
        let value = self.value / root;
        let error = (self.error + value.abs() * root_error) / (low_root - by.divide * root);
        Rough::rounded(value, error, by.divide)
    }
}

/// The weight after each step by the formula of `RmsProp`, with a running bound of the error of each number: the
/// largest that the roundings of one executor can accumulate.
fn running_error(settings: &Configuration, w: f64, gradients: &[f64], by: Arithmetic) -> Vec<Rough> {
    let number = |value: f64, relative: f64| Rough::rounded(value, 0.0, relative);
    let constant = |value: f64| number(value, by.constant);
    let (rho, rest) = (constant(settings.rho), constant(1.0 - settings.rho));
    let [mut v, mut a, mut m] = [Rough::default(); 3];
    let mut w = number(w, 0.0);
    let step = |&g: &f64| {
        let g = number(g, 0.0);
        v = rho.times(v, by).add(rest.times(g.times(g, by), by), by);
        let mut d = v;
        if settings.centered {
            a = rho.times(a, by).add(rest.times(g, by), by);
            let square = a.times(a, by);
            d = d.add(Rough { value: -square.value, ..square }, by);
        }
        let rate = number(settings.learning_rate, by.learning_rate);
        let u = rate.times(g, by).over_root(d.add(constant(settings.epsilon), by), by);
        m = constant(settings.momentum).times(m, by).add(u, by);
        w = w.add(Rough { value: -m.value, ..m }, by);
        w
    };
    gradients.iter().map(step).collect()
}

/// Compares with the float64 weights within the executor's own error, and with Keras's within the sum of both errors.
fn compare(
    executor: &str,
    recording: &Recording,
    settings: &Configuration,
    ours: &[Vec<f64>],
    by: Arithmetic,
) {
    let mut worst = 0.0f64;
    for (at, &initial) in recording.initial.iter().enumerate() {
        let gradients: Vec<f64> = recording.gradients.iter().map(|g| f64::from(g[at])).collect();
        let own = running_error(settings, f64::from(initial), &gradients, by);
        let keras = running_error(settings, f64::from(initial), &gradients, F32);
        for step in 0..gradients.len() {
            let place = format!("{executor}, {}, step {}, weight {at}", settings.name, step + 1);
            let ours = ours[step][at];
            for (name, theirs, bound) in [
                ("float64", settings.weights_float64[step][at], own[step].error),
                ("Keras", settings.weights[step][at], own[step].error + keras[step].error),
            ] {
                let error = (ours - theirs).abs();
                assert!(
                    error <= bound,
                    "{place}: {ours}, {name} {theirs}: off by {error:.2e} of {bound:.2e}"
                );
                worst = worst.max(error / bound);
            }
        }
    }
    println!("{executor}, {}: at worst {worst:.3} of the bound", settings.name);
}

#[test]
fn every_executor_updates_as_keras() {
    let recording: Recording = recording("rmsprop.json");
    assert_eq!(recording.configurations.len(), 4);
    let gpu = software_gpu();
    for settings in &recording.configurations {
        let learning_rate = settings.learning_rate as f32;
        let params = |_| BatchParams { learning_rate, ..BatchParams::of_samples(1) };
        let Recording { initial, gradients, .. } = &recording;
        for (name, device, by) in [("cpu", &Device::cpu(), F32), ("software adapter", &gpu, WGSL)] {
            let mut executor = device.executor(settings.plan()).unwrap();
            let ours = update(executor.as_mut(), initial, gradients, params, |executor, tensor| {
                executor.read(tensor).unwrap().into_iter().map(f64::from).collect()
            });
            compare(name, &recording, settings, &ours, by);
        }
        let mut executor = CpuExecutor::<f64>::new(settings.plan());
        let ours = update(&mut executor, initial, gradients, params, |executor, tensor| {
            executor.values(tensor).to_vec()
        });
        compare("cpu in f64", &recording, settings, &ours, F64);
    }
}

/// A bound is only useful if a wrong formula violates it: here epsilon outside the root, as in other libraries.
#[test]
fn a_wrong_formula_is_noticed() {
    let recording: Recording = recording("rmsprop.json");
    let settings = &recording.configurations[0];
    let first = &recording.gradients[0];
    let wrong = |at: usize| {
        let (w, g) = (f64::from(recording.initial[at]), f64::from(first[at]));
        let v = (1.0 - settings.rho) * g * g;
        w - settings.learning_rate * g / (v.sqrt() + settings.epsilon)
    };
    let noticed = (0..first.len()).filter(|&at| {
        let right = running_error(settings, f64::from(recording.initial[at]), &[f64::from(first[at])], WGSL);
        (wrong(at) - settings.weights_float64[0][at]).abs() > right[0].error
    });
    assert!(noticed.count() >= 1, "no gradient is small enough to tell where epsilon stands");
}
