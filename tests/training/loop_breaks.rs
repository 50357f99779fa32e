//! Loops of one's own that go on after a break, or go back.

use shadegrad::Device;
use shadegrad::data::{Dataset, TargetKind, Targets};
use shadegrad::error::Error;
use shadegrad::io::Backup;
use shadegrad::model::{Adam, Dense, Loss, Optimizer, Sequential};
use shadegrad::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, Compile, FitOptions, Model, NoCallback,
};

use crate::backup::{BATCH, BATCHES, data, folder, names, options, weights};
use crate::common::{devices, small};
use crate::micro_batches::{layers, settings};

/// A loop over the batches in their order, from where it is to this many steps.
fn go_on(model: &mut Model, until: usize) {
    let done = model.checkpoint().unwrap().steps();
    for step in done..until {
        // A rate of its own, too.
        model.set_learning_rate(0.001 + 0.0001 * step as f32).unwrap();
        let first = step % BATCHES * BATCH;
        model.train_on_batch(&data().slice(first..(first + BATCH).min(data().len())).unwrap()).unwrap();
    }
}

#[test]
fn a_loop_goes_on_as_if_it_had_never_stopped() {
    let adam: Optimizer = Adam::default().into();
    for (name, device) in devices() {
        for (net, compile) in
            [(small(), Compile { optimizer: adam, ..Compile::default() }), (layers(), settings())]
        {
            let compiled = || net.compile(&device, compile).unwrap();
            let mut whole = compiled();
            go_on(&mut whole, 30);
            let (_parent, folder) = folder();
            for until in [0, 4, 11, 12, 30] {
                let mut model = compiled();
                let mut backup = Backup::of(&model, &FitOptions::default(), &folder).unwrap();
                if let Some(checkpoint) = backup.last().unwrap() {
                    model.restore(checkpoint).unwrap();
                }
                if until == 12 {
                    // In batches of the size that the loop had.
                    let mut other = compiled();
                    go_on(&mut other, 11);
                    let [ours, theirs] =
                        [&mut model, &mut other].map(|model| model.evaluate(&data()).unwrap());
                    assert_eq!(ours.loss.to_bits(), theirs.loss.to_bits(), "{name}");
                }
                go_on(&mut model, until);
                let saved = backup.save(&model.checkpoint().unwrap()).unwrap();
                assert_eq!(saved.file_name().unwrap().to_str(), Some(&*format!("step-{until:08}")), "{name}");
                if until == 30 {
                    assert!(weights(&mut model) == weights(&mut whole), "{name}: other weights");
                    assert_eq!(model.learning_rate(), whole.learning_rate(), "{name}");
                }
            }
            assert_eq!(names(&folder).len(), 3, "{name}");
        }
    }
}

#[test]
fn a_loop_goes_back_within_a_program() {
    for (name, device) in devices() {
        let mut model = layers().compile(&device, settings()).unwrap();
        // Before the first step, after some of them, and after a call of `fit`.
        for _ in 0..2 {
            for first in [0, 5] {
                go_on(&mut model, first);
                let (start, before) = (model.checkpoint().unwrap(), weights(&mut model));
                assert_eq!(start.steps(), first, "{name}");
                go_on(&mut model, 9);
                let ahead = weights(&mut model);
                assert!(ahead != before, "{name}");
                model.evaluate_with(&data(), Some(7)).unwrap();
                model.restore(start.clone()).unwrap();
                assert!(weights(&mut model) == before, "{name}");
                go_on(&mut model, 9);
                assert!(weights(&mut model) == ahead, "{name}: other weights from step {first}");
                model.restore(start).unwrap();
            }
            model.reset_learning_rate();
            model.fit(&data(), &FitOptions { epochs: 1, ..options() }, &mut NoCallback).unwrap();
        }
    }
}

/// A step that fails leaves no trace in a checkpoint.
#[test]
fn a_loop_goes_on_after_a_step_that_diverged() {
    let targets = |value: f32| Targets::values([[value], [0.0]], 1).unwrap();
    let batch = |value| Dataset::from_parts(vec![1.0f32, 2.0], targets(value), [1]).unwrap();
    for (name, device) in devices() {
        let net = Sequential::new([1]).target(TargetKind::Values).add(Dense::new(1));
        let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
        let mut model = net.compile(&device, compile).unwrap();
        assert!(matches!(model.train_on_batch(&batch(1e30)), Err(Error::Diverged(_))), "{name}");
        let (_parent, folder) = folder();
        let mut backup = Backup::of(&model, &FitOptions::default(), &folder).unwrap();
        for steps in [0, 1] {
            backup.save(&model.checkpoint().unwrap()).unwrap();
            assert_eq!(backup.last().unwrap().map(|found| found.steps()), Some(steps), "{name}");
            model.train_on_batch(&batch(1.0)).unwrap();
        }
    }
}

/// Keeps the last checkpoint.
struct Last(Option<Checkpoint>);

impl Callback for Last {
    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::Epochs
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.0 = Some(checkpoint.clone());
        Ok(())
    }
}

#[test]
fn the_steps_of_a_loop_are_no_part_of_an_epoch() {
    let mut model = small().compile(&Device::cpu(), Compile::default()).unwrap();
    go_on(&mut model, 3);
    let checkpoint = model.checkpoint().unwrap();
    let error = model.resume(&data(), &options(), checkpoint, &mut NoCallback).unwrap_err().to_string();
    assert!(error.contains("`checkpoint` is of a loop") && error.contains("`restore`"), "{error}");
    // A loop that follows an epoch of `fit` that was cut short begins to count anew.
    let mut last = Last(None);
    model.fit(&data(), &FitOptions { max_steps: Some(5), ..options() }, &mut last).unwrap();
    assert_eq!(model.checkpoint().unwrap().steps(), 0);
    model.restore(last.0.unwrap()).unwrap();
    assert_eq!(model.checkpoint().unwrap().steps(), 0);
    go_on(&mut model, 2);
    assert_eq!(model.checkpoint().unwrap().steps(), 2);
}
