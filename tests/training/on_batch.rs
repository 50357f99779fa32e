//! Loops over batches of one's own: `fit` in other words.

use std::sync::Mutex;
use std::thread::scope;

use shadegrad::data::{Dataset, Targets};
use shadegrad::device::Device;
use shadegrad::error::Error;
use shadegrad::model::{Adam, Dense, Loss, Optimizer, Sequential};
use shadegrad::train::collective::Threads;
use shadegrad::train::{
    Bad, Callback, Compile, Evaluation, FitOptions, Found, Model, NoCallback, Requests, StepDecay, Updates,
};

use crate::common::{devices, mnist_train, random_data, small};
use crate::divergence;
use crate::micro_batches::{layers, settings};
use crate::steps::{Recorder, bits, compile, flat};

const BATCH: usize = 16;

/// Six whole batches and one of four.
fn data() -> Dataset {
    mnist_train().take(100).unwrap()
}

/// One epoch in the order of the set.
fn options() -> FitOptions {
    FitOptions { epochs: 1, batch_size: BATCH, shuffle: false, ..FitOptions::default() }
}

/// One epoch of a loop, as `options` says.
fn by_hand(model: &mut Model, data: &Dataset) -> Vec<Evaluation> {
    by_hand_with(model, data, &|_, _| {})
}

/// The same, with something done before each step.
fn by_hand_with(model: &mut Model, data: &Dataset, before: &dyn Fn(&mut Model, usize)) -> Vec<Evaluation> {
    let ends = (0..data.len()).step_by(BATCH).map(|first| (first, (first + BATCH).min(data.len())));
    let step = |(step, (first, end))| {
        before(model, step);
        model.train_on_batch(&data.slice(first..end).unwrap()).unwrap()
    };
    ends.enumerate().map(step).collect()
}

/// Halves the learning rate once.
struct Halved(bool);

impl Callback for Halved {
    fn requests(&mut self) -> Requests {
        if std::mem::take(&mut self.0) { Requests::rate(0.5) } else { Requests::default() }
    }
}

/// The losses and hits of each step, and the weights, as bits.
type Outcome = (Vec<(u32, Option<u32>)>, Vec<u32>);

fn fitted(model: &mut Model, data: &Dataset, options: &FitOptions) -> Outcome {
    let mut run = Recorder::default();
    model.fit(data, options, &mut run).unwrap();
    let steps = run.steps.iter().map(|step| (step.loss.to_bits(), step.correct)).collect();
    (steps, bits(&flat(&model.weights().unwrap())))
}

fn looped(model: &mut Model, data: &Dataset) -> Outcome {
    looped_with(model, data, &|_, _| {})
}

fn looped_with(model: &mut Model, data: &Dataset, before: &dyn Fn(&mut Model, usize)) -> Outcome {
    let steps = by_hand_with(model, data, before).into_iter().zip(data.labels().chunks(BATCH)).map(
        |(step, labels)| {
            let correct = step.accuracy.map(|share| (share * labels.len() as f64).round() as u32);
            ((step.loss as f32).to_bits(), correct)
        },
    );
    let steps = steps.collect();
    model.take_average().unwrap();
    (steps, bits(&flat(&model.weights().unwrap())))
}

/// The tutorial's form, and everything that depends on steps, places and sums over a batch: dropout, batch normalization, penalties,
/// augmentation, clipping, averages of the weights.
#[test]
fn a_loop_gives_the_bits_of_fit() {
    let weights = (0..100).map(|at| 0.5 + at as f32 / 100.0).collect();
    let weighted = data().with_sample_weights(weights).unwrap();
    for (device_name, device) in devices() {
        for (name, net, compile, data) in [
            ("small", small(), Compile::default(), data()),
            ("weighted", small(), Compile::default(), weighted.clone()),
            ("layers", layers(), settings(), data()),
        ] {
            let [mut fit, mut own] = [(); 2].map(|()| net.compile(&device, compile).unwrap());
            for epoch in 0..2 {
                let expected = fitted(&mut fit, &data, &options());
                assert_eq!(looped(&mut own, &data), expected, "{name} on {device_name}, epoch {epoch}");
                // The second epoch follows a call of `fit` in both.
                for model in [&mut fit, &mut own] {
                    fitted(model, &data, &FitOptions { shuffle: true, ..options() });
                }
            }
            let (fit, own) = (fit.evaluate(&data).unwrap(), own.evaluate(&data).unwrap());
            assert_eq!((fit.loss, fit.accuracy), (own.loss, own.accuracy), "{name} on {device_name}");
        }
    }
}

/// Evaluation in batches of several sizes, and prediction, before and between steps; and training in larger batches before them.
#[test]
fn what_is_evaluated_between_steps_changes_no_bit() {
    let few = data().take(20).unwrap();
    let judge = |model: &mut Model, step: usize| {
        let batch_size = [Some(64), None, Some(3), Some(20)][step % 4];
        model.evaluate_with(&few, batch_size).unwrap();
        model.predict(few.images()).unwrap();
    };
    for (device_name, device) in devices() {
        for (name, net, compile) in [("small", small(), Compile::default()), ("layers", layers(), settings())]
        {
            let [mut fit, mut own] = [(); 2].map(|()| net.compile(&device, compile).unwrap());
            for larger in [None, Some(32)] {
                for model in [&mut fit, &mut own] {
                    if let Some(batch_size) = larger {
                        fitted(model, &data(), &FitOptions { batch_size, ..options() });
                    }
                }
                let place = format!("{name} on {device_name}, after training in batches of {larger:?}");
                let (steps, weights) = fitted(&mut fit, &data(), &options());
                let found = looped_with(&mut own, &data(), &judge);
                assert_eq!(found.0, steps, "{place}");
                assert!(found.1 == weights, "{place}: other weights");
            }
        }
    }
}

#[test]
fn ranks_share_a_batch() {
    let device = Device::cpu();
    let mut alone = layers().compile(&device, settings()).unwrap();
    let expected = fitted(&mut alone, &data(), &FitOptions { micro_batches: Some(2), ..options() });
    let found = Mutex::new(Vec::new());
    scope(|scope| {
        for handle in Threads::new(2) {
            let (device, found) = (&device, &found);
            scope.spawn(move || {
                let mut model = layers().compile(device, settings()).unwrap();
                model.distribute(Box::new(handle), Updates::Everywhere);
                let outcome = looped(&mut model, &data());
                found.lock().unwrap().push(outcome);
            });
        }
    });
    assert_eq!(found.into_inner().unwrap(), [expected.clone(), expected]);
}

#[test]
fn the_rate_of_the_next_step_is_the_one_that_was_set() {
    for (name, device) in devices() {
        let rated = |learning_rate| {
            let optimizer: Optimizer = Adam { learning_rate, ..Adam::default() }.into();
            small().compile(&device, Compile { optimizer, ..Compile::default() }).unwrap()
        };
        let (mut set, mut compiled) = (rated(0.001), rated(0.004));
        assert_eq!((set.learning_rate(), compiled.learning_rate()), (0.001, 0.004));
        set.set_learning_rate(0.004).unwrap();
        assert_eq!(set.learning_rate(), 0.004);
        assert_eq!(looped(&mut set, &data()), looped(&mut compiled, &data()), "{name}");
        // At 0 nothing moves.
        let before = bits(&flat(&set.weights().unwrap()));
        set.set_learning_rate(0.0).unwrap();
        by_hand(&mut set, &data());
        assert_eq!(bits(&flat(&set.weights().unwrap())), before, "{name}");
        for rate in [-1.0, f32::NAN, f32::INFINITY] {
            let error = set.set_learning_rate(rate).unwrap_err().to_string();
            assert!(error.contains("learning_rate") && error.contains("at least 0"), "{error}");
        }
        assert_eq!(set.learning_rate(), 0.0);
        // What a callback multiplied it by is part of it, until it is set anew.
        compiled.fit(&data(), &options(), &mut Halved(true)).unwrap();
        assert_eq!(compiled.learning_rate(), 0.002);
        compiled.set_learning_rate(0.003).unwrap();
        assert_eq!(compiled.learning_rate(), 0.003);
    }
}

/// A rate that was set and a schedule are never heeded by halves: both would set the rate.
#[test]
fn a_schedule_and_a_rate_that_was_set_do_not_go_together() {
    let decay = StepDecay { boundaries: vec![2], values: vec![0.01, 0.02] };
    let scheduled = FitOptions { schedule: decay.into(), ..options() };
    let mut model = compile(&small(), &Device::cpu(), 3);
    let history = model.fit(&data(), &scheduled, &mut NoCallback).unwrap();
    assert_eq!(history.epochs[0].learning_rate, 0.02);
    // The schedule ended with that call.
    assert_eq!(model.learning_rate(), 0.001);
    model.set_learning_rate(0.004).unwrap();
    let before = bits(&flat(&model.weights().unwrap()));
    let error = model.fit(&data(), &scheduled, &mut NoCallback).unwrap_err().to_string();
    assert!(error.contains("schedule") && error.contains("reset_learning_rate"), "{error}");
    assert_eq!(bits(&flat(&model.weights().unwrap())), before);
    let history = model.fit(&data(), &options(), &mut Halved(true)).unwrap();
    assert_eq!((history.epochs[0].learning_rate, model.learning_rate()), (0.002, 0.002));
    model.reset_learning_rate();
    assert_eq!(model.learning_rate(), 0.001);
    assert_eq!(model.fit(&data(), &scheduled, &mut NoCallback).unwrap().epochs[0].learning_rate, 0.02);
}

/// Finite gradients, and an update out of the range of f32: the step tells its loss, and whoever asks hears of the weights.
#[test]
fn weights_that_a_step_spoils_are_found_when_asked_for() {
    let targets = Targets::values([[1.0f32], [0.0]], 1).unwrap();
    let batch = Dataset::from_parts(vec![1.0f32, 2.0], targets, [1]).unwrap();
    for (name, device) in devices() {
        let net = Sequential::new([1]).target(shadegrad::data::TargetKind::Values).add(Dense::new(1));
        let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
        let mut model = net.compile(&device, compile).unwrap();
        model.check_weights().unwrap();
        model.train_on_batch(&batch).unwrap();
        model.check_weights().unwrap();
        model.set_learning_rate(3e38).unwrap();
        assert!(model.train_on_batch(&batch).unwrap().loss.is_finite(), "{name}");
        let Err(Error::Diverged(found)) = model.check_weights() else { panic!("{name}: nothing was found") };
        assert_eq!((found.step, found.epoch, found.bad), (2, 1, Bad::Weights), "{name}");
        assert!(
            matches!(&found.found, Found::Weight { name, .. } if name == "dense.kernel"),
            "{name}: {found}"
        );
        assert!(
            matches!(model.train_on_batch(&batch), Err(Error::Diverged(_))),
            "{name}: the next step passed"
        );
    }
}

#[test]
fn a_loss_that_is_not_finite_ends_the_loop_and_leaves_the_weights() {
    let targets = |value: f32| Targets::values([[value], [0.0]], 1).unwrap();
    let batch = |value| Dataset::from_parts(vec![1.0f32, 2.0], targets(value), [1]).unwrap();
    for (name, device) in devices() {
        let net = Sequential::new([1]).target(shadegrad::data::TargetKind::Values).add(Dense::new(1));
        let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
        let mut model = net.compile(&device, compile).unwrap();
        let good = model.train_on_batch(&batch(1.0)).unwrap();
        assert!(good.loss.is_finite() && good.accuracy.is_none(), "{name}: {good:?}");
        let before = bits(&flat(&model.weights().unwrap()));
        let Err(Error::Diverged(divergence)) = model.train_on_batch(&batch(1e30)) else {
            panic!("{name}: a loss of 1e60 passed")
        };
        assert_eq!((divergence.step, divergence.epoch), (2, 1), "{name}");
        assert!(matches!(divergence.bad, Bad::Loss(loss) if loss == f32::INFINITY), "{name}: {divergence}");
        assert_eq!(bits(&flat(&model.weights().unwrap())), before, "{name}");
        assert!(model.train_on_batch(&batch(1.0)).unwrap().loss.is_finite(), "{name}");
    }
}

#[test]
fn a_gradient_that_is_not_finite_ends_the_loop_and_leaves_its_weights() {
    for (name, device) in devices() {
        let (mut model, data) = divergence::overflowing(&device, Optimizer::default(), Compile::default());
        let batch =
            |number: usize| data.slice((number - 1) * divergence::BATCH..number * divergence::BATCH).unwrap();
        for number in 1..divergence::BAD {
            model.train_on_batch(&batch(number)).unwrap();
        }
        let Err(Error::Diverged(found)) = model.train_on_batch(&batch(divergence::BAD)) else {
            panic!("{name}: a gradient that overflows passed")
        };
        assert_eq!((found.step, found.epoch, found.bad), (divergence::BAD, 1, Bad::Gradient), "{name}");
        let weights = flat(&model.weights().unwrap());
        assert!(weights.iter().all(|weight| weight.is_finite()), "{name}");
    }
}

#[test]
fn batches_that_do_not_fit_are_refused() {
    let mut model = compile(&small(), &Device::cpu(), 0);
    for (batch, expected) in [
        (random_data(4, [8, 8, 1], 10, 1), "are [8, 8, 1]"),
        (random_data(4, [28, 28, 1], 12, 1), "12 classes"),
        (
            Dataset::from_parts(vec![0.0f32; 784], Targets::values([[1.0f32]], 1).unwrap(), [28, 28, 1])
                .unwrap(),
            "target",
        ),
    ] {
        let error = model.train_on_batch(&batch).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(model.train_on_batch(&random_data(4, [28, 28, 1], 10, 1)).is_ok());
}
