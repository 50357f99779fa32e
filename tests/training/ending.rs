//! When training ends, with which weights, and at which rates.

use shadegrad::Dataset;
use shadegrad::model::Weights;
use shadegrad::profile::{ProfileSoFar, Sampling};
use shadegrad::train::{
    Callback, CallbackError, Compile, EarlyStopping, ExponentialDecay, FitOptions, FoldResult, History,
    Monitor, NoCallback, ReduceOnPlateau, Requests, StepDecay, StepRecord, StopReason, cross_validate,
};

use crate::common::{devices, random_data, unusual_models};
use crate::steps::{Recorder, compile, flat};

const SHAPE: [usize; 3] = [5, 5, 1];
const BATCH: usize = 8;

fn data() -> (Dataset, Dataset) {
    // Labels are random: the validation loss soon rises.
    (random_data(23, SHAPE, 2, 3), random_data(16, SHAPE, 2, 4))
}

fn options(epochs: usize) -> FitOptions {
    FitOptions { epochs, batch_size: BATCH, ..FitOptions::default() }
}

#[test]
fn early_stopping_brings_the_best_weights_back_bit_for_bit() {
    let (_, model) = unusual_models().swap_remove(4);
    let (train, validation) = data();
    for (name, device) in devices() {
        let watched = |restore_best_weights, patience| FitOptions {
            validation: Some(validation.clone()),
            early_stopping: Some(EarlyStopping {
                monitor: Monitor::ValLoss,
                patience,
                restore_best_weights,
                ..EarlyStopping::default()
            }),
            ..options(60)
        };
        let mut stopped = compile(&model, &device, 5);
        let history = stopped.fit(&train, &watched(true, 2), &mut NoCallback).unwrap();
        let end = history.stopped.unwrap();
        let losses: Vec<f64> = history.epochs.iter().map(|epoch| epoch.val_loss.unwrap()).collect();
        let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
        assert_eq!(end.reason, StopReason::EarlyStopping, "{name}: {losses:?}");
        assert_eq!((end.epoch, end.weights_of_epoch), (best + 3, best + 1), "{name}: {losses:?}");
        assert_eq!(losses.len(), end.epoch, "{name}");
        let weights = |epochs| -> Weights {
            let mut plain = compile(&model, &device, 5);
            plain.fit(&train, &options(epochs), &mut NoCallback).unwrap();
            plain.weights().unwrap()
        };
        assert_eq!(flat(&stopped.weights().unwrap()), flat(&weights(best + 1)), "{name}: the best");
        assert_eq!(stopped.evaluate(&validation).unwrap().loss, losses[best], "{name}");

        let mut without = compile(&model, &device, 5);
        let history = without.fit(&train, &watched(false, 2), &mut NoCallback).unwrap();
        assert_eq!(history.stopped.unwrap().weights_of_epoch, end.epoch, "{name}");
        assert_eq!(flat(&without.weights().unwrap()), flat(&weights(end.epoch)), "{name}: the last");

        // They are also restored where the epochs end before patience does.
        let mut ended = compile(&model, &device, 5);
        let all = FitOptions { epochs: best + 2, ..watched(true, 50) };
        let end = ended.fit(&train, &all, &mut NoCallback).unwrap().stopped.unwrap();
        assert_eq!((end.reason, end.weights_of_epoch), (StopReason::Epochs, best + 1), "{name}");
        assert_eq!(flat(&ended.weights().unwrap()), flat(&stopped.weights().unwrap()), "{name}");
    }
}

#[test]
fn the_split_is_the_last_samples_and_training_is_that_on_the_others() {
    let (_, model) = unusual_models().swap_remove(4);
    let (train, _) = data();
    for (name, device) in devices() {
        let mut split = compile(&model, &device, 5);
        let asked = FitOptions { validation_split: Some(0.3), ..options(3) };
        let found = split.fit(&train, &asked, &mut NoCallback).unwrap();
        // floor(23 * 0.7) = 16 are trained on.
        let mut by_hand = compile(&model, &device, 5);
        let asked = FitOptions { validation: Some(train.slice(16..23).unwrap()), ..options(3) };
        let expected = by_hand.fit(&train.take(16).unwrap(), &asked, &mut NoCallback).unwrap();
        assert_eq!(flat(&split.weights().unwrap()), flat(&by_hand.weights().unwrap()), "{name}");
        for (found, expected) in found.epochs.iter().zip(&expected.epochs) {
            assert_eq!(
                (found.loss, found.val_loss, found.val_accuracy),
                (expected.loss, expected.val_loss, expected.val_accuracy),
                "{name}"
            );
        }
    }
}

#[test]
fn training_ends_once_it_is_good_enough() {
    let (_, model) = unusual_models().swap_remove(4);
    let (train, validation) = data();
    for (name, device) in devices() {
        let fit =
            |asked: &FitOptions| compile(&model, &device, 5).fit(&train, asked, &mut NoCallback).unwrap();
        let whole = fit(&FitOptions { validation: Some(validation.clone()), ..options(12) });
        let at = |epoch: usize| whole.epochs[epoch - 1];
        let least = |of: fn(&shadegrad::train::EpochRecord) -> f64, bound: f64| {
            whole.epochs.iter().find(|epoch| of(epoch) <= bound).map(|epoch| epoch.epoch)
        };
        let (loss, val_loss, accuracy) = (at(6).loss, at(2).val_loss.unwrap(), at(4).accuracy.unwrap());
        let never = Some(-1.0);
        // (until_loss, until_accuracy, with validation, the epoch that ends it)
        let rows = [
            (Some(loss), None, false, least(|epoch| epoch.loss, loss)),
            (Some(val_loss), None, true, least(|epoch| epoch.val_loss.unwrap(), val_loss)),
            (None, Some(accuracy), false, least(|epoch| -epoch.accuracy.unwrap(), -accuracy)),
            (never, Some(1e-9), false, None),
            (Some(1e9), Some(1e-9), true, least(|epoch| -epoch.val_accuracy.unwrap(), -1e-9)),
            (never, None, true, None),
        ];
        for (until_loss, until_accuracy, validated, end) in rows {
            let place = format!("{name}: loss {until_loss:?}, accuracy {until_accuracy:?}, {validated}");
            let validation = validated.then(|| validation.clone());
            let stopped = fit(&FitOptions { until_loss, until_accuracy, validation, ..options(12) }).stopped;
            let stopped = stopped.unwrap();
            match end {
                Some(epoch) => {
                    assert_eq!((stopped.reason, stopped.epoch), (StopReason::GoodEnough, epoch), "{place}");
                }
                None => assert_eq!((stopped.reason, stopped.epoch), (StopReason::Epochs, 12), "{place}"),
            }
        }
        let stopped = fit(&FitOptions { max_steps: Some(4), ..options(12) }).stopped.unwrap();
        assert_eq!((stopped.reason, stopped.epoch), (StopReason::MaxSteps, 2), "{name}");
    }
}

/// A schedule continues where the last call of `fit` left it, and where it is constant it equals a constant rate.
#[test]
fn schedules_count_steps_over_calls_of_fit() {
    let (_, model) = unusual_models().swap_remove(4);
    let (train, _) = data();
    for (name, device) in devices() {
        let decay = |decay_steps| ExponentialDecay {
            initial_learning_rate: None,
            decay_steps,
            decay_rate: 0.5,
            staircase: false,
        };
        let asked = |epochs| FitOptions { schedule: decay(3).into(), ..options(epochs) };
        let mut once = compile(&model, &device, 5);
        let whole = once.fit(&train, &asked(4), &mut NoCallback).unwrap();
        let mut twice = compile(&model, &device, 5);
        twice.fit(&train, &asked(1), &mut NoCallback).unwrap();
        let rest = twice.fit(&train, &asked(3), &mut NoCallback).unwrap();
        assert_eq!(flat(&once.weights().unwrap()), flat(&twice.weights().unwrap()), "{name}");
        let rates = |epochs: &[shadegrad::train::EpochRecord]| -> Vec<f32> {
            epochs.iter().map(|epoch| epoch.learning_rate).collect()
        };
        assert_eq!(rates(&whole.epochs[1..]), rates(&rest.epochs), "{name}");
        assert!(whole.epochs.is_sorted_by(|a, b| a.learning_rate > b.learning_rate), "{name}");

        let mut constant = compile(&model, &device, 5);
        constant.fit(&train, &options(2), &mut NoCallback).unwrap();
        let mut stepped = compile(&model, &device, 5);
        let base = f64::from(0.001f32);
        let schedule = StepDecay { boundaries: vec![2], values: vec![base, base] }.into();
        stepped.fit(&train, &FitOptions { schedule, ..options(2) }, &mut NoCallback).unwrap();
        assert_eq!(flat(&constant.weights().unwrap()), flat(&stepped.weights().unwrap()), "{name}");
        assert_ne!(flat(&constant.weights().unwrap()), flat(&once.weights().unwrap()), "{name}");
    }
}

#[test]
fn a_reduced_rate_is_used_and_stays() {
    let (_, model) = unusual_models().swap_remove(4);
    let (train, _) = data();
    for (name, device) in devices() {
        let plateau = ReduceOnPlateau {
            monitor: Monitor::Loss,
            factor: 0.5,
            patience: 1,
            // No epoch improves by that much: every one after the first reduces the rate.
            min_delta: 100.0,
            ..ReduceOnPlateau::default()
        };
        let asked = FitOptions { reduce_lr_on_plateau: Some(plateau), ..options(4) };
        let mut model = compile(&model, &device, 5);
        let mut run = Recorder::default();
        let history = model.fit(&train, &asked, &mut run).unwrap();
        let rates: Vec<f32> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
        assert_eq!(rates, [0.001, 0.001, 0.0005, 0.00025], "{name}");
        let after = model.fit(&train, &options(1), &mut NoCallback).unwrap();
        assert_eq!(after.epochs[0].learning_rate, 0.000125, "{name}");
        assert_eq!(model.training_state().learning_rate, Some(0.000125), "{name}");
        assert_eq!(model.training_state().epochs_begun, 5, "{name}");
        assert_eq!(model.training_state().steps_begun, 15, "{name}");
    }
}

#[test]
fn every_fold_is_trained_on_the_others_and_judged() {
    let (_, model) = unusual_models().swap_remove(4);
    let (train, _) = data();
    for (name, device) in devices() {
        let compile = shadegrad::train::Compile { seed: 5, ..Default::default() };
        let validate =
            || cross_validate(&model, &device, compile, &train, 4, &options(2), &mut NoCallback).unwrap();
        let found = validate();
        assert_eq!(found.folds.len(), 4, "{name}");
        assert_eq!(found.parameters, model.network().unwrap().parameter_count(), "{name}");
        for (fold, result) in (1..).zip(&found.folds) {
            assert_eq!((result.fold, result.history.len()), (fold, 2), "{name}");
            // The fold is the validation set if there is no other.
            assert_eq!(result.history[1].val_loss, Some(result.loss), "{name}");
        }
        let mean = found.folds.iter().map(|fold| fold.loss).sum::<f64>() / 4.0;
        assert!((found.loss.mean - mean).abs() < 1e-15, "{name}");
        let again = validate();
        let losses = |found: &shadegrad::train::CrossValidation| -> Vec<f64> {
            found.folds.iter().map(|fold| fold.loss).collect()
        };
        assert_eq!(losses(&found), losses(&again), "{name}: the same seed");
    }
}

/// Counts what it hears of folds; in the second one, from its second step on, it asks for an end or interrupts.
#[derive(Default)]
struct Hearer {
    folds: usize,
    step: usize,
    ended: Vec<usize>,
    profiles: usize,
    ends: usize,
    asks: bool,
    interrupts: bool,
}

impl Hearer {
    fn is_due(&self) -> bool {
        self.folds == 2 && self.step >= 2
    }
}

impl Callback for Hearer {
    fn on_train_begin(&mut self, _: &shadegrad::train::Schedule) -> Result<(), CallbackError> {
        (self.folds, self.step) = (self.folds + 1, 0);
        Ok(())
    }

    fn on_profile(&mut self, _: ProfileSoFar) -> Result<(), CallbackError> {
        self.profiles += 1;
        Ok(())
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.step = record.step;
        Ok(())
    }

    fn interrupted(&self) -> bool {
        self.interrupts && self.is_due()
    }

    fn requests(&mut self) -> Requests {
        if self.asks && self.is_due() { Requests::stop("enough of this fold") } else { Requests::default() }
    }

    fn on_train_end(&mut self, _: &History) -> Result<(), CallbackError> {
        self.ends += 1;
        Ok(())
    }

    fn on_fold_end(&mut self, result: &FoldResult) -> Result<(), CallbackError> {
        self.ended.push(result.fold);
        Ok(())
    }
}

#[test]
fn a_request_ends_a_fold_and_an_interruption_all_of_them() {
    let (_, model) = unusual_models().swap_remove(4);
    let (train, _) = data();
    let asked = FitOptions { profile: Some(Sampling::Every(2)), ..options(2) };
    for (name, device) in devices() {
        let validate = |hearer: &mut Hearer| {
            cross_validate(&model, &device, Compile::default(), &train, 3, &asked, hearer)
        };
        let mut asker = Hearer { asks: true, ..Hearer::default() };
        let found = validate(&mut asker).unwrap();
        assert_eq!((asker.profiles, asker.ends, &asker.ended[..]), (3, 3, &[1, 2, 3][..]), "{name}");
        let reasons: Vec<_> =
            found.folds.iter().map(|fold| fold.stopped.as_ref().map(|stopped| stopped.reason)).collect();
        let [epochs, callback] = [StopReason::Epochs, StopReason::Callback].map(Some);
        assert_eq!(reasons, [epochs, callback, epochs], "{name}");

        let mut interrupter = Hearer { interrupts: true, ..Hearer::default() };
        let error = validate(&mut interrupter).unwrap_err().to_string();
        assert!(error.contains("interrupted in fold 2 of 3"), "{name}: {error}");
        assert_eq!((interrupter.folds, &interrupter.ended[..]), (2, &[1][..]), "{name}");
    }
}
