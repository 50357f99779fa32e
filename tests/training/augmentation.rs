//! Augmented training: the same on every device, wherever the data set is, and off in evaluation.

use shadegrad::data::{Augmentation, Dataset};
use shadegrad::device::Device;
use shadegrad::train::{Compile, Evaluation, FitOptions};

use crate::common::{devices, mnist_train, small, software_gpu};
use crate::steps::{Recorder, bits, flat};

const AUGMENTATION: Augmentation = Augmentation {
    rotation_range: 12.0,
    height_shift_range: 0.1,
    width_shift_range: 0.1,
    shear_range: 5.0,
    zoom_range: 0.1,
    noise_stddev: 0.05,
};

struct Outcome {
    losses: Vec<f32>,
    weights: Vec<u32>,
    evaluation: Evaluation,
}

/// Trains for two epochs, of which the last batch is short.
fn train(device: &Device, data: &Dataset, compile: Compile) -> Outcome {
    let mut model = small().compile(device, Compile { seed: 4, ..compile }).unwrap();
    let mut run = Recorder::default();
    let options = FitOptions { epochs: 2, batch_size: 16, ..FitOptions::default() };
    model.fit(data, &options, &mut run).unwrap();
    Outcome {
        losses: run.steps.iter().map(|step| step.loss).collect(),
        weights: bits(&flat(&model.weights().unwrap())),
        evaluation: model.evaluate(data).unwrap(),
    }
}

fn augmented() -> Compile {
    Compile { augmentation: Some(AUGMENTATION), ..Compile::default() }
}

#[test]
fn the_same_seed_gives_the_same_bits_resident_streamed_and_again() {
    let (gpu, data) = (software_gpu(), mnist_train().take(100).unwrap());
    let first = train(&gpu, &data, augmented());
    for (what, compile) in [("again", augmented()), ("streamed", Compile { stream: true, ..augmented() })] {
        let other = train(&gpu, &data, compile);
        assert_eq!((other.losses, other.weights), (first.losses.clone(), first.weights.clone()), "{what}");
    }
    let plain = train(&gpu, &data, Compile::default());
    assert_ne!(plain.losses[0], first.losses[0], "nothing was augmented");
}

/// As close as executors are without augmentation, since places and blends agree within a few roundings.
#[test]
fn executors_augment_alike() {
    let data = mnist_train().take(100).unwrap();
    let [cpu, gpu] = devices().map(|(_, device)| train(&device, &data, augmented()));
    for (step, (ours, theirs)) in cpu.losses.iter().zip(&gpu.losses).enumerate() {
        assert!((ours - theirs).abs() <= 1e-5 * ours.abs(), "step {}: {ours} and {theirs}", step + 1);
    }
}

/// Evaluation sees images unchanged, whether or not the model is trained on augmented ones.
#[test]
fn judging_does_not_augment() {
    let data = mnist_train().take(64).unwrap();
    for (name, device) in devices() {
        let judged = [augmented(), Compile::default()].map(|compile| {
            let mut model = small().compile(&device, compile).unwrap();
            (model.evaluate(&data).unwrap(), bits(&model.predict(&data.images()[..784 * 5]).unwrap()))
        });
        assert_eq!(judged[0], judged[1], "{name}");
    }
    let trained = train(&software_gpu(), &data, augmented());
    assert!(trained.evaluation.loss.is_finite());
}

#[test]
fn settings_out_of_range_are_refused() {
    let wrong = Augmentation { zoom_range: 1.5, ..AUGMENTATION };
    let compile = Compile { augmentation: Some(wrong), ..Compile::default() };
    let error = small().compile(&Device::cpu(), compile).err().unwrap().to_string();
    assert!(error.contains("`zoom_range` is 1.5"), "{error}");
}
