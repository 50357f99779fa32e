//! The two executors agree at every step.

use shadegrad::cpu::CpuExecutor;
use shadegrad::model::{
    Activation, Conv2D, Dense, FillMode, Flatten, LayerNormalization, Loss, Optimizer, RandomFlip,
    RandomTranslation, Sequential,
};
use shadegrad::plan::Plan;
use shadegrad::train::FitOptions;

use crate::common::{devices, mnist_train, random_data, tutorial, unusual_models};
use crate::steps::{Driver, Recorder, compile, distance};

/// Relative. The exponential and the logarithm of a software adapter are polynomials: the bound is the one for the
/// recordings.
const LOSS: f64 = 1e-5;
/// After twenty steps. Several f32 implementations differ by up to 8e-8 after ten steps of the recorded net, and by
/// 1e-6 once a ReLU or a window has gone the other way; ten times that is still 300 times less than one step moves a
/// weight (0.001 / sqrt(0.1) at first).
const WEIGHT: f64 = 1e-5;

/// Images that are mirrored and moved, by the same draws on both executors, and normalized.
fn augmented() -> Sequential {
    Sequential::new([9, 8, 2])
        .add(RandomTranslation::new(0.2, [-0.3, 0.1]))
        .add(Conv2D::new(4, 3).activation(Activation::Tanh))
        .add(LayerNormalization::new())
        .add(RandomFlip::default())
        .add(Conv2D::new(3, 2).activation(Activation::Tanh))
        .add(RandomTranslation::new(0.3, 0.2).fill_mode(FillMode::Constant))
        .add(Flatten::new())
        .add(LayerNormalization::new().scale(false))
        .add(Dense::new(4).activation(Activation::Softmax))
}

/// Odd sizes, strides, overlapping pools, images whose bytes do not fill whole words, a short batch in the middle.
#[test]
fn unusual_models_train_alike() {
    for (what, model) in unusual_models().into_iter().chain([("augmented", augmented())]) {
        let network = model.network().unwrap();
        let data = random_data(64, network.input_shape, network.classes(), 9);
        let [mut cpu, mut gpu] = devices().map(|(_, device)| Driver::new(&model, &device, 16, 3, &data));
        let initial = cpu.weights();
        let mut worst = 0.0f64;
        for step in 0..20u32 {
            let n = if step % 5 == 4 { 7 } else { 16 };
            let samples: Vec<u32> = (0..n).map(|i| (step * 16 + i * 3) % 64).collect();
            let (ours, theirs) = (cpu.step(&samples), gpu.step(&samples));
            let error = f64::from((ours.loss - theirs.loss).abs() / ours.loss);
            let place = format!("{what}, step {}: cpu {ours:?}, adapter {theirs:?}", step + 1);
            assert!(error <= LOSS, "{place}");
            assert_eq!(ours.correct, theirs.correct, "{place}");
            worst = worst.max(error);
        }
        let error = distance(&cpu.weights(), &gpu.weights());
        println!("{what}: losses within {worst:.1e}, weights within {error:.1e}");
        assert!(error <= WEIGHT, "{what}: weights off by {error:.1e}");
        assert!(distance(&cpu.weights(), &initial) > 1000.0 * WEIGHT, "{what}: nothing was trained");
    }
}

/// The twins of fused kinds are made of the others, but their plan is not: the fused plan must compute the same.
#[test]
fn fused_plans_train_as_their_models_say() {
    let models = unusual_models().into_iter().chain([("tutorial", tutorial())]);
    for (what, model) in models {
        let network = model.network().unwrap();
        let data = random_data(64, network.input_shape, network.classes(), 9);
        let plan = Plan::build(&network, Loss::default(), Optimizer::default(), 16).unwrap();
        let fused = plan.clone().fuse();
        assert!(fused.steps.len() < plan.steps.len(), "{what}: nothing was fused");
        let runs = [plan, fused].map(|plan| {
            let executor = Box::new(CpuExecutor::<f32>::new(plan.clone()));
            let mut run = Driver::on(executor, plan, &network.initial_weights(3), &data);
            let losses = (0..20u32).map(|step| {
                let n = if step % 5 == 4 { 7 } else { 16 };
                let samples: Vec<u32> = (0..n).map(|i| (step * 16 + i * 3) % 64).collect();
                run.step(&samples)
            });
            let losses: Vec<_> = losses.collect();
            (losses, run.weights())
        });
        let [(plain_losses, plain), (fused_losses, fused)] = runs;
        for (step, (ours, theirs)) in (1..).zip(plain_losses.iter().zip(&fused_losses)) {
            let error = f64::from((ours.loss - theirs.loss).abs() / ours.loss);
            assert!(error <= LOSS, "{what}, step {step}: plain {ours:?}, fused {theirs:?}");
            assert_eq!(ours.correct, theirs.correct, "{what}, step {step}");
        }
        let error = distance(&plain, &fused);
        assert!(error <= WEIGHT, "{what}: weights off by {error:.1e}");
    }
}

/// Until the first near-tie of a pooling window or a ReLU goes the other way, losses stay as close as above; with
/// this seed none does in the first half of these hundred steps. Where one does, f32 and f64 twins were observed 2e-4
/// apart for some steps, and the f32 runs of other frameworks 1.3e-4: 5e-4 is the bound for the whole tutorial.
const LOSS_AFTER_NEAR_TIES: f64 = 5e-4;

#[test]
fn a_hundred_steps_of_the_tutorial_are_alike() {
    let data = mnist_train().take(6400).unwrap();
    let [cpu, gpu] = devices().map(|(_, device)| {
        let mut run = Recorder::default();
        let options = FitOptions { max_steps: Some(100), ..FitOptions::default() };
        compile(&tutorial(), &device, 1).fit(&data, &options, &mut run).unwrap();
        run.steps
    });
    assert_eq!((cpu.len(), gpu.len()), (100, 100));
    for (half, bound) in [(0..50, LOSS), (50..100, LOSS_AFTER_NEAR_TIES)] {
        let mut worst = 0.0f64;
        for (ours, theirs) in cpu[half.clone()].iter().zip(&gpu[half.clone()]) {
            let error = f64::from((ours.loss - theirs.loss).abs() / ours.loss);
            assert!(error <= bound, "cpu {ours:?}, adapter {theirs:?}");
            worst = worst.max(error);
        }
        println!("tutorial, steps {half:?}: losses within {worst:.1e}");
    }
    assert!(cpu[99].loss < 0.5 * cpu[0].loss, "the loss did not fall");
}
