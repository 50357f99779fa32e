//! Batches of every size: the short last one, and sizes that change between runs.

use shadegrad::plan::Role;
use shadegrad::train::{Compile, FitOptions, NoCallback};

use crate::common::{activation_models, devices, random_data, unusual_models};
use crate::steps::{Driver, Recorder, bits, compile, distance, flat};

/// The largest term: an activation times the gradient of an output. The test checks it.
const TERM: f64 = 4.0;
/// A batch taken alone or as part of a larger plan is summed in another order, with zeros in between. Two such sums
/// differ by the roundings of their terms, of which at most 200 are not 0: two images of 10x10 outputs, in the first
/// of these nets. 14.2 is the root of 200; this is 3.4e-6.
const GRADIENT: f64 = 14.2 * HALF_ULP * TERM;
const HALF_ULP: f64 = 1.0 / (1 << 24) as f64;
/// RMSprop divides by the root of `v + 1e-7`, and `v` is at least a tenth of the square of the gradient, so an error
/// of e in a gradient moves a weight by up to `0.001 * e / sqrt(1e-7)` = 3.2 e, and rounding it costs 2^-24 of at
/// most 2.
const WEIGHT: f64 = 3.2 * GRADIENT + 2.0 * HALF_ULP;

/// The last two of ten samples, in a plan for eight, are trained as in a plan for two: with the mean over two.
#[test]
fn the_short_last_batch_has_its_own_mean() {
    for (what, model) in unusual_models() {
        let network = model.network().unwrap();
        let data = random_data(10, network.input_shape, network.classes(), 4);
        for (name, device) in devices() {
            let place = format!("{name}, {what}");
            let mut large = Driver::new(&model, &device, 8, 2, &data);
            large.step(&[0, 1, 2, 3, 4, 5, 6, 7]);
            let mut small = Driver::new(&model, &device, 2, 2, &data);
            for (to, from) in small.plan.parameters.clone().iter().zip(&large.plan.parameters.clone()) {
                let values = large.read(from);
                small.executor.write(to, &values).unwrap();
            }
            let state = large.read(&large.plan.state.clone().unwrap());
            small.executor.write(&small.plan.state.clone().unwrap(), &state).unwrap();
            let before = large.weights();
            let (short, whole) = (large.step(&[8, 9]), small.step(&[8, 9]));
            assert_eq!(short.correct, whole.correct, "{place}");
            let loss = f64::from((short.loss - whole.loss).abs());
            assert!(loss <= GRADIENT, "{place}: loss {} for {}", short.loss, whole.loss);
            let term = small.largest(Role::Activation) * small.largest(Role::ActivationGradient);
            assert!(f64::from(term) <= TERM, "{place}: terms up to {term}");
            let (ours, theirs) = (large.gradients(), small.gradients());
            let largest = theirs.iter().fold(0.0f32, |m, g| m.max(g.abs()));
            // The mean over eight would make every gradient four times smaller.
            assert!(f64::from(largest) * 0.75 > 100.0 * GRADIENT, "{place}: gradients too small to tell");
            let gradient = distance(&ours, &theirs);
            assert!(gradient <= GRADIENT, "{place}: gradients off by {gradient:.1e}");
            let (ours, theirs) = (large.weights(), small.weights());
            assert!(distance(&before, &ours) > 10.0 * WEIGHT, "{place}: the step moved nothing");
            let weight = distance(&ours, &theirs);
            assert!(weight <= WEIGHT, "{place}: weights off by {weight:.1e}");
        }
    }
}

/// A new batch size makes a new executor; weights and the optimizer's state are moved into it.
#[test]
fn a_change_of_batch_size_keeps_weights_and_state() {
    let (_, model) = unusual_models().swap_remove(0);
    let data = random_data(16, [12, 12, 1], 4, 5);
    let order: Vec<u32> = (0..16).collect();
    for (name, device) in devices() {
        let mut fitted = compile(&model, &device, 7);
        for (batch_size, steps) in [(16, 3), (5, 1)] {
            let max_steps = Some(steps);
            let options = FitOptions { batch_size, max_steps, shuffle: false, ..FitOptions::default() };
            fitted.fit(&data, &options, &mut NoCallback).unwrap();
        }
        let mut by_hand = Driver::new(&model, &device, 16, 7, &data);
        for _ in 0..3 {
            by_hand.step(&order);
        }
        let kept = by_hand.weights();
        by_hand.step(&order[..5]);
        let (ours, theirs) = (flat(&fitted.weights().unwrap()), by_hand.weights());
        let error = distance(&ours, &theirs);
        assert!(error <= WEIGHT, "{name}: weights off by {error:.1e}");
        // The result with a lost state.
        let mut forgetful = Driver::new(&model, &device, 16, 7, &data);
        let mut rest = kept.as_slice();
        for place in forgetful.plan.parameters.clone() {
            let (values, after) = rest.split_at(place.len());
            forgetful.executor.write(&place, values).unwrap();
            rest = after;
        }
        forgetful.step(&order[..5]);
        assert!(
            distance(&forgetful.weights(), &theirs) > 10.0 * WEIGHT,
            "{name}: the state makes no difference"
        );
    }
}

/// A batch of all samples and a larger one are the same: weights, losses, and evaluation, of smaller and larger sets.
/// The memory for a whole batch of 65,536 is never requested.
#[test]
fn a_batch_larger_than_the_set_is_the_set() {
    // With softmax before the loss and without.
    for (what, model, loss) in activation_models().into_iter().step_by(2).take(2) {
        let network = model.network().unwrap();
        let data = |samples, seed| random_data(samples, network.input_shape, network.classes(), seed);
        let (train, validation, test) = (data(70, 1), data(90, 2), data(33, 3));
        for (name, device) in devices() {
            let run = |batch_size| {
                let compile = Compile { loss, seed: 3, ..Compile::default() };
                let mut model = model.compile(&device, compile).unwrap();
                let options = FitOptions {
                    batch_size,
                    epochs: 3,
                    validation: Some(validation.clone()),
                    ..FitOptions::default()
                };
                let mut told = Recorder::default();
                model.fit(&train, &options, &mut told).unwrap();
                let losses: Vec<_> =
                    told.steps.iter().map(|step| (step.loss.to_bits(), step.correct)).collect();
                let epochs: Vec<_> =
                    told.epochs.iter().map(|one| (one.loss, one.val_loss, one.val_accuracy)).collect();
                let judged = [&train, &validation, &test].map(|set| model.evaluate(set).unwrap());
                (bits(&flat(&model.weights().unwrap())), losses, epochs, judged)
            };
            let whole = run(70);
            for batch_size in [71, 65_536] {
                assert!(run(batch_size) == whole, "{name}, {what}: batches of {batch_size}");
            }
        }
    }
}
