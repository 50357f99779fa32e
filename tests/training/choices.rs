//! Kernels other than those that an adapter prefers: chosen ones run, and train the same.

use std::sync::Arc;

use shadegrad::device::Device;
use shadegrad::gpu::{Choices, GpuExecutor, choose, variants};
use shadegrad::model::{Loss, Optimizer};
use shadegrad::plan::Plan;
use shadegrad::train::{FitOptions, NoCallback};
use shadegrad::tune;
use shadegrad::verify::Outcome;

use crate::common::{random_data, small, software_gpu};
use crate::steps::{Driver, compile};

const BATCH: usize = 16;

fn plan(device: &Device) -> Plan {
    let network = small().network().unwrap();
    device.prepare(Plan::build(&network, Loss::default(), Optimizer::default(), BATCH).unwrap())
}

#[test]
fn chosen_kernels_run_and_train_alike() {
    let device = software_gpu();
    let Device::Gpu(gpu) = &device else { panic!("not an adapter") };
    let plan = plan(&device);
    let mut choices = Choices::default();
    for step in &plan.steps {
        choices.set(step.op, variants(&step.op, gpu.class()).last().unwrap().variant);
    }
    let other = device.choosing(choices);
    let Device::Gpu(chosen) = &other else { panic!("not an adapter") };
    let ran = GpuExecutor::new(Arc::clone(chosen), plan.clone()).unwrap().variants();
    let mut differ = 0;
    for (step, ran) in plan.steps.iter().zip(&ran) {
        let last = variants(&step.op, gpu.class()).last().unwrap().variant;
        assert_eq!((*ran, other.kernel(&step.op)), (last, last), "{}", step.name);
        assert_eq!(device.kernel(&step.op), choose(&step.op, gpu.class()).unwrap().variant, "{}", step.name);
        differ += usize::from(*ran != device.kernel(&step.op));
    }
    assert!(differ > 3, "only {differ} steps have another kernel");

    let data = random_data(64, [28, 28, 1], 10, 4);
    let [mut a, mut b] = [&device, &other].map(|device| Driver::new(&small(), device, BATCH, 3, &data));
    for step in 0..5u32 {
        let samples: Vec<u32> = (0..BATCH as u32).map(|i| (step * 16 + i) % 64).collect();
        let (a, b) = (a.step(&samples), b.step(&samples));
        assert!((a.loss - b.loss).abs() <= 1e-4 * a.loss, "step {step}: {a:?}, {b:?}");
    }
}

#[test]
fn recorded_kernels_judge_to_the_bit() {
    let device = software_gpu();
    let Device::Gpu(gpu) = &device else { panic!("not an adapter") };
    let plan = plan(&device);
    let last = |op| variants(op, gpu.class()).last().unwrap().variant.to_owned();
    let kernels = plan.steps.iter().map(|step| (step.name.clone(), last(&step.op))).collect();
    let data = random_data(100, [28, 28, 1], 10, 5);
    let tuned = device.choosing(Choices::recorded(&plan, &kernels));
    let mut run = compile(&small(), &tuned, 3);
    let options = FitOptions { epochs: 1, batch_size: BATCH, ..FitOptions::default() };
    run.fit(&data, &options, &mut NoCallback).unwrap();
    let figures = run.evaluate(&data).unwrap();

    let again = device.choosing(Choices::recorded(&plan, &kernels));
    let mut judge = compile(&small(), &again, 4);
    judge.set_weights(run.weights().unwrap()).unwrap();
    assert_eq!(judge.evaluate_with(&data, Some(BATCH)).unwrap(), figures);
    let mut default = compile(&small(), &device, 4);
    default.set_weights(run.weights().unwrap()).unwrap();
    let other = default.evaluate_with(&data, Some(BATCH)).unwrap();
    assert!((other.loss - figures.loss).abs() <= 1e-4 * figures.loss, "{other:?}, {figures:?}");
}

#[test]
fn every_candidate_is_checked_and_timed() {
    let device = software_gpu();
    let Device::Gpu(gpu) = &device else { panic!("not an adapter") };
    let plan = plan(&device);
    let trials = tune::trials(gpu, &plan);
    assert!(trials.len() > 3, "{trials:?}");
    for trial in &trials {
        assert_eq!(trial.variants()[0], device.kernel(&trial.op), "{}: the default comes first", trial.step);
    }
    for trial in trials.iter().take(3) {
        let candidates = trial.measure(gpu).unwrap();
        assert!(trial.accepts(&candidates), "{candidates:?}");
        assert!(!trial.accepts(&candidates[1..]), "one is missing");
        let timed = |outcome: &Outcome| matches!(outcome, Outcome::Milliseconds(time) if *time > 0.0);
        assert!(candidates.iter().all(|candidate| timed(&candidate.outcome)), "{candidates:?}");
    }
}
