//! The moving average of weights: what it is, when the model gets it, and that it comes back with the rest.

use shadegrad::data::Dataset;
use shadegrad::device::Device;
use shadegrad::model::{Activation, Adam, Dense, Flatten, Optimizer, RmsProp, Sequential, Sgd};
use shadegrad::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, Compile, EarlyStopping, FitOptions, Model, StepRecord,
    StopReason,
};

use crate::common::{devices, random_data};
use crate::steps::{bits, flat};

const MOMENTUM: f64 = 0.75;

/// Keeps a checkpoint of every step, and interrupts after this many.
#[derive(Default)]
pub struct Watch {
    pub steps: usize,
    pub kept: Vec<Checkpoint>,
    pub interrupt_after: Option<usize>,
}

impl Callback for Watch {
    fn on_step(&mut self, _: &StepRecord) -> Result<(), CallbackError> {
        self.steps += 1;
        Ok(())
    }

    fn interrupted(&self) -> bool {
        self.interrupt_after.is_some_and(|after| self.steps >= after)
    }

    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::Steps(1)
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.kept.push(checkpoint.clone());
        Ok(())
    }
}

fn data() -> Dataset {
    random_data(24, [8, 8, 1], 2, 3)
}

/// Three steps an epoch.
fn options() -> FitOptions {
    FitOptions { epochs: 3, batch_size: 8, ..FitOptions::default() }
}

fn optimizers() -> [(Optimizer, Option<u32>); 4] {
    let every = Some(4);
    [
        (Sgd { use_ema: true, ema_momentum: MOMENTUM, ..Sgd::default() }.into(), None),
        (Adam { use_ema: true, ema_momentum: MOMENTUM, clipnorm: Some(0.5), ..Adam::default() }.into(), None),
        (RmsProp { use_ema: true, ema_momentum: MOMENTUM, ..RmsProp::default() }.into(), None),
        (
            RmsProp {
                use_ema: true,
                ema_momentum: MOMENTUM,
                ema_overwrite_frequency: every,
                ..RmsProp::default()
            }
            .into(),
            every,
        ),
    ]
}

/// Large enough for the fused update of its first layer.
fn model(device: &Device, optimizer: Optimizer) -> Model {
    let model = Sequential::new([8, 8, 1])
        .add(Flatten::new())
        .add(Dense::new(300).activation(Activation::Relu))
        .add(Dense::new(2).activation(Activation::Softmax));
    model.compile(device, Compile { optimizer, seed: 5, ..Compile::default() }).unwrap()
}

fn weights(model: &mut Model) -> Vec<f32> {
    flat(&model.weights().unwrap())
}

/// Recomputed from the weights after each step. Two products and a sum of at most 1 are each rounded by at most 2^-25, here and
/// there: 1.5 * 2^-23 in a step. As three quarters of that stay, at most four times as much adds up.
#[test]
fn the_model_ends_with_the_average_of_its_weights() {
    for (name, device) in devices() {
        for (optimizer, every) in optimizers() {
            let place = format!("{name}, {optimizer:?}");
            let mut trained = model(&device, optimizer);
            let mut run = Watch::default();
            trained.fit(&data(), &options(), &mut run).unwrap();
            let after: Vec<Vec<f32>> = run.kept[1..].iter().map(|kept| flat(&kept.weights)).collect();
            assert_eq!(after.len(), 9, "{place}");
            let found = weights(&mut trained);
            assert_ne!(bits(&found), bits(&after[8]), "{place}: the weights themselves");
            // After the eighth step the weights became their average.
            let first = if every.is_some() { 7 } else { 0 };
            let mut average = after[first].clone();
            for weights in &after[first + 1..] {
                for (a, w) in average.iter_mut().zip(weights) {
                    *a = *a * MOMENTUM as f32 + w * (1.0 - MOMENTUM as f32);
                }
            }
            for (at, (found, expected)) in found.iter().zip(&average).enumerate() {
                assert!(expected.abs() < 1.0, "{place}: weight {at} is {expected}");
                assert!(
                    (found - expected).abs() <= 6.0 * f32::EPSILON,
                    "{place} [{at}]: {found}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn every_checkpoint_leads_to_the_same_average() {
    for (name, device) in devices() {
        for (optimizer, _) in optimizers() {
            let mut run = Watch::default();
            let mut whole = model(&device, optimizer);
            whole.fit(&data(), &options(), &mut run).unwrap();
            let expected = bits(&weights(&mut whole));
            for checkpoint in run.kept {
                let place = format!("{name}, {optimizer:?}, from step {}", checkpoint.steps());
                let mut rest = model(&device, optimizer);
                rest.resume(&data(), &options(), checkpoint, &mut Watch::default()).unwrap();
                assert_eq!(bits(&weights(&mut rest)), expected, "{place}");
            }
        }
    }
}

#[test]
fn what_is_interrupted_or_brought_back_is_not_averaged() {
    for (name, device) in devices() {
        for (optimizer, _) in optimizers() {
            let place = format!("{name}, {optimizer:?}");
            let mut run = Watch { interrupt_after: Some(2), ..Watch::default() };
            let mut stopped = model(&device, optimizer);
            let history = stopped.fit(&data(), &options(), &mut run).unwrap();
            assert_eq!(history.stopped.unwrap().reason, StopReason::Interrupted, "{place}");
            let last = run.kept.last().unwrap();
            assert_eq!(bits(&weights(&mut stopped)), bits(&flat(&last.weights)), "{place}");
            // The best weights are those of an epoch's end, even if it was the last epoch.
            let stopping =
                EarlyStopping { patience: 5, restore_best_weights: true, ..EarlyStopping::default() };
            let options =
                FitOptions { early_stopping: Some(stopping), validation_split: Some(0.34), ..options() };
            let mut run = Watch::default();
            let mut best = model(&device, optimizer);
            best.fit(&data(), &options, &mut run).unwrap();
            let kept = run.kept.last().unwrap().best_weights.as_ref().unwrap();
            assert_eq!(bits(&weights(&mut best)), bits(&flat(kept)), "{place}");
        }
    }
}
