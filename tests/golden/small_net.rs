//! A hundred steps of the small net: losses and weights.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::Deserialize;
use shadegrad::cpu::CpuExecutor;
use shadegrad::data::Dataset;
use shadegrad::data::batches::epoch_order;
use shadegrad::device::Device;
use shadegrad::executor::{DataSlot, Executor, Pass};
use shadegrad::io::read_weights;
use shadegrad::model::{Loss, Network, Optimizer, Weights};
use shadegrad::ops::BatchParams;
use shadegrad::plan::{Dtype, Phase, Plan, Role, Tensor};

use crate::common::{mnist_train, repository, small, software_gpu};
use crate::recording;

const STEPS: usize = 100;
const BATCH: usize = 32;
/// Steps after which the weights were recorded.
const RECORDED: [usize; 3] = [1, 10, 100];

#[derive(Deserialize)]
struct Recording {
    losses: Vec<f64>,
    losses_float64: Vec<f64>,
    bounds: Bounds,
}

#[derive(Deserialize)]
struct Bounds {
    loss_relative: Vec<f64>,
    weights_absolute: BTreeMap<String, f64>,
}

/// The results of one of our runs, in f64.
struct Run {
    losses: Vec<f64>,
    /// After each step of [`RECORDED`], tensor by tensor.
    weights: Vec<Vec<Vec<f64>>>,
}

fn network() -> Network {
    small().network().unwrap()
}

fn plan() -> Plan {
    Plan::build(&network(), Loss::default(), Optimizer::default(), BATCH).unwrap()
}

fn data() -> Dataset {
    mnist_train().take(STEPS * BATCH).unwrap()
}

/// Keras's weights after `step` steps.
fn keras_weights(step: usize) -> Weights {
    let name = format!("tests/golden/keras_small_step{step}.safetensors");
    read_weights(&repository(&name), &network()).unwrap()
}

/// Trains from Keras's initial weights on the first batches in file order; `read` gets a tensor's values.
fn train<E: Executor + ?Sized>(
    executor: &mut E,
    learning_rate: f64,
    read: impl Fn(&mut E, &Tensor) -> Vec<f64>,
) -> Run {
    let plan = executor.plan().clone();
    for (place, tensor) in plan.parameters.iter().zip(keras_weights(0).tensors()) {
        executor.write(place, &tensor.values).unwrap();
    }
    executor.set_data(DataSlot::Training, &data()).unwrap();
    let order = epoch_order(STEPS * BATCH, 0, None);
    let table = BatchParams::of_pass(STEPS * BATCH, BATCH, learning_rate);
    let loss = plan.buffers.iter().position(|b| b.role == Role::Metrics && b.dtype == Dtype::F32).unwrap();
    let mut run = Run { losses: Vec::new(), weights: Vec::new() };
    let mut done = 0;
    for until in RECORDED {
        let mut steps = table[done..until].to_vec();
        for (slot, row) in (0..).zip(&mut steps) {
            row.slot = slot;
        }
        let pass = Pass {
            phase: Phase::Train,
            data: DataSlot::Training,
            order: &order,
            batches: &steps,
            transforms: &[],
        };
        let mut told = Vec::new();
        executor
            .run(&pass, &mut |_, metrics| {
                told.push(metrics.loss);
                ControlFlow::Continue(())
            })
            .unwrap();
        let losses = read(executor, &Tensor { buffer: loss, offset: 0, shape: vec![steps.len()] });
        let rounded: Vec<f32> = losses.iter().map(|&loss| loss as f32).collect();
        assert_eq!(told, rounded, "the losses reported are those in the metrics buffer");
        run.losses.extend(losses);
        run.weights.push(plan.parameters.iter().map(|tensor| read(executor, tensor)).collect());
        done = until;
    }
    run
}

/// The worst of several comparisons, as a share of its bound.
#[derive(Default)]
pub struct Worst {
    share: f64,
    what: String,
}

impl Worst {
    /// Records `error`, which must not exceed `bound`; NaN is the worst of all.
    pub fn note(&mut self, error: f64, bound: f64, what: impl FnOnce() -> String) {
        let share = if error.is_finite() { error / bound } else { f64::INFINITY };
        if share >= self.share {
            *self = Worst { share, what: format!("{}: off by {error:.2e} of {bound:.2e}", what()) };
        }
    }

    pub fn is_within(&self) -> bool {
        self.share <= 1.0
    }

    fn judge(&self, run: &str) {
        println!("{run}: {self}");
        assert!(self.is_within(), "{run}: {}", self.what);
    }
}

impl std::fmt::Display for Worst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at worst {:.3} of the bound, {}", self.share, self.what)
    }
}

/// Compares a run with Keras's. `first_loss` bounds the relative error of the loss at the first step and at later
/// ones.
fn follows_keras(name: &str, run: &Run, first_loss: f64) {
    let keras: Recording = recording("keras_small.json");
    assert_eq!((run.losses.len(), keras.losses.len()), (STEPS, STEPS));
    let mut worst = Worst::default();
    let rows = run.losses.iter().zip(&keras.losses).zip(&keras.bounds.loss_relative);
    for (step, ((&ours, &theirs), &bound)) in (1..).zip(rows) {
        let bound = if step == 1 { first_loss } else { first_loss.max(bound) };
        worst.note((ours - theirs).abs() / theirs, bound, || {
            format!("loss of step {step}, {ours} for {theirs}")
        });
    }
    worst.judge(&format!("{name}, losses"));
    for (step, ours) in RECORDED.iter().zip(&run.weights) {
        let bound = keras.bounds.weights_absolute[&step.to_string()];
        let mut worst = Worst::default();
        for (ours, theirs) in ours.iter().zip(keras_weights(*step).tensors()) {
            assert_eq!(ours.len(), theirs.values.len(), "{}", theirs.name);
            for (at, (&ours, &theirs_value)) in ours.iter().zip(&theirs.values).enumerate() {
                let error = (ours - f64::from(theirs_value)).abs();
                worst.note(error, bound, || format!("{} [{at}], {ours} for {theirs_value}", theirs.name));
            }
        }
        worst.judge(&format!("{name}, weights after step {step}"));
    }
}

fn train_on(device: &Device, plan: Plan) -> Run {
    let mut executor = device.executor(plan).unwrap();
    let learning_rate = Optimizer::default().learning_rate();
    train(executor.as_mut(), learning_rate, |executor, tensor| {
        executor.read(tensor).unwrap().into_iter().map(f64::from).collect()
    })
}

/// The twins use the host's exp and log, which are right to the last bit or nearly: 1e-6 is 17 roundings of the loss.
#[test]
fn the_cpu_executor_follows_keras() {
    follows_keras("cpu", &train_on(&Device::cpu(), plan()), 1e-6);
}

/// WGSL allows exp an error of 3 + 2|x| units in the last place and log one of 2^-21, and software adapters use that
/// much.
#[test]
fn the_software_adapter_follows_keras() {
    let gpu = software_gpu();
    follows_keras("software adapter", &train_on(&gpu, plan()), 1e-5);
    follows_keras("software adapter, fused", &train_on(&gpu, plan().fuse()), 1e-5);
}

fn train_in_f64(learning_rate: f64) -> Run {
    let mut executor = CpuExecutor::<f64>::new(plan());
    train(&mut executor, learning_rate, |executor, tensor| executor.values(tensor).to_vec())
}

/// In f64 only the learning rate is rounded: it reaches every executor as f32. So two runs are made, with the f32
/// numbers below and above 0.001, and their losses interpolated between them. Two errors are left:
/// - rounding, which in f32 is within `loss_relative`, and in f64 2^29 times less;
/// - what is not linear between the two rates, of the order of their relative distance squared (1.4e-14); a factor of
///   8 leaves room for a curvature of many times the loss itself.
#[test]
fn the_twins_in_f64_follow_float64() {
    let exact = Optimizer::default().learning_rate();
    let nearest = exact as f32;
    let other = if f64::from(nearest) > exact { nearest.next_down() } else { nearest.next_up() };
    let runs = [nearest, other].map(|rate| train_in_f64(f64::from(rate)));
    follows_keras("cpu in f64", &runs[0], 1e-6);
    let share = (exact - f64::from(nearest)) / (f64::from(other) - f64::from(nearest));
    let distance = f64::from(other) / f64::from(nearest) - 1.0;
    let keras: Recording = recording("keras_small.json");
    let mut worst = Worst::default();
    for step in 0..STEPS {
        let [near, far] = [0, 1].map(|run: usize| runs[run].losses[step]);
        let ours = near + share * (far - near);
        let theirs = keras.losses_float64[step];
        let bound = keras.bounds.loss_relative[step] * 2f64.powi(-29) + 8.0 * distance.powi(2);
        worst.note((ours - theirs).abs() / theirs, bound, || format!("loss of step {}", step + 1));
    }
    worst.judge("cpu in f64, losses against float64");
}
