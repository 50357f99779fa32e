//! `evaluate` and `predict`: their results do not depend on batches or devices.

use shadegrad::data::Dataset;
use shadegrad::model::{
    Activation, ActivationLayer, AveragePooling2D, Conv2D, Dense, Flatten, GlobalAveragePooling2D,
    MaxPooling2D, Padding, Rescaling, Sequential, Weights,
};
use shadegrad::train::Compile;
use shadegrad::train::{FitOptions, NoCallback};

use crate::common::{devices, mnist_train, random_data, small, unusual_models};
use crate::steps::{compile, distance, flat};

/// WGSL allows exp(x) an error of 3 + 2|x| units in the last place (2^-23). Logits of these nets differ by less than
/// 20: 43 units, in a term and in the sum it is divided by.
const PROBABILITY: f64 = 2.0 * 43.0 / (1 << 23) as f64;

/// Weights after a little training, and the samples they were trained on.
fn trained() -> (Sequential, Weights, Dataset) {
    let data = mnist_train().take(500).unwrap();
    let mut model = compile(&small(), &devices()[0].1, 3);
    model.fit(&data, &FitOptions { epochs: 2, ..FitOptions::default() }, &mut NoCallback).unwrap();
    (small(), model.weights().unwrap(), data)
}

#[test]
fn evaluate_does_not_depend_on_the_batch_size() {
    let (model, weights, train) = trained();
    let data = train.take(300).unwrap();
    // A batch's mean is a sum of at most 300 f32 losses: 8 * 2^-24 * sqrt(300), as for every sum.
    let bound = 8.0 * 300f64.sqrt() / (1 << 24) as f64;
    for (name, device) in devices() {
        let mut found = Vec::new();
        for batch_size in [1, 7, 64, 300, 512] {
            let mut model = compile(&model, &device, 0);
            let options = FitOptions { batch_size, max_steps: Some(1), ..FitOptions::default() };
            model.fit(&train, &options, &mut NoCallback).unwrap();
            model.set_weights(weights.clone()).unwrap();
            found.push((batch_size, model.evaluate(&data).unwrap()));
        }
        let (_, first) = found[0];
        let tells = first.accuracy.is_some_and(|accuracy| accuracy > 0.3 && accuracy < 1.0);
        assert!(tells, "{name}: {first:?} tells little");
        for (batch_size, other) in found {
            let error = (other.loss - first.loss).abs() / first.loss;
            assert!(error <= bound, "{name}, batch {batch_size}: {other:?}, alone {first:?}");
            assert_eq!(other.accuracy, first.accuracy, "{name}, batch {batch_size}");
        }
    }
}

/// The index of the first maximum.
fn predicted(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best })
}

#[test]
fn predictions_are_probabilities_and_give_what_evaluate_says() {
    let (model, weights, train) = trained();
    let (classes, count) = (10, 300);
    let data = train.take(count).unwrap();
    // Ten roundings of the sum and 2.5 units of the division, in half units.
    let sum_bound = (classes as f64 + 5.0) / (1 << 24) as f64;
    for (name, device) in devices() {
        let mut model = compile(&model, &device, 0);
        model.set_weights(weights.clone()).unwrap();
        let found = model.predict(data.images()).unwrap();
        assert_eq!(found.len(), count * classes, "{name}");
        let (mut correct, mut loss) = (0, 0.0);
        for (sample, row) in found.chunks(classes).enumerate() {
            let sum = row.iter().map(|&p| f64::from(p)).sum::<f64>();
            assert!((sum - 1.0).abs() <= sum_bound, "{name}, sample {sample}: the sum is {sum}");
            assert!(row.iter().all(|p| (0.0..=1.0).contains(p)), "{name}, sample {sample}: {row:?}");
            let label = data.label(sample).unwrap() as usize;
            correct += usize::from(predicted(row) == label);
            loss -= f64::from(row[label]).ln() / count as f64;
        }
        let judged = model.evaluate(&data).unwrap();
        assert_eq!(judged.accuracy, Some(correct as f64 / count as f64), "{name}");
        // A relative error of a probability is an absolute error of its logarithm.
        assert!((judged.loss - loss).abs() <= PROBABILITY, "{name}: {} for {loss}", judged.loss);
        let some = model.predict(&data.images()[784 * 70..784 * 73]).unwrap();
        assert_eq!(some, found[classes * 70..classes * 73], "{name}: three images alone");
        assert!(model.predict(&[]).unwrap().is_empty(), "{name}");
        assert!(model.predict(&[0; 785]).is_err(), "{name}: half an image");
    }
}

#[test]
fn executors_predict_alike() {
    let mut cases: Vec<(&str, Sequential, Dataset)> = Vec::new();
    for (name, model) in unusual_models() {
        let network = model.network().unwrap();
        cases.push((name, model, random_data(70, network.input_shape, network.classes(), 2)));
    }
    cases.push(("small", small(), mnist_train().take(70).unwrap()));
    for (name, model, data) in cases {
        let [ours, theirs] = devices().map(|(_, device)| {
            let mut model = compile(&model, &device, 6);
            model.predict(data.images()).unwrap()
        });
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (at, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            let error = f64::from((a - b).abs());
            assert!(error <= PROBABILITY * f64::from(*a), "{name}, [{at}]: {a} on cpu, {b} on the adapter");
        }
    }
}

/// 255 becomes minus infinity: so is the maximum of a window that holds nothing else, whatever lies outside of the image.
#[test]
fn the_maximum_of_minus_infinities_is_minus_infinity() {
    let layers = Sequential::new([3, 3, 1])
        .add(Rescaling::new(-1e38))
        .add(MaxPooling2D::new(2).padding(Padding::Same))
        .add(Rescaling::new(1e-38))
        .add(ActivationLayer::new(Activation::Sigmoid))
        .add(Flatten::new())
        .add(Dense::new(2).activation(Activation::Softmax));
    for (name, device) in devices() {
        let mut model = layers.compile(&device, Compile::default()).unwrap();
        // All sigmoids are 0, and so is what Dense makes of them; the lowest finite number would give 0.03.
        assert_eq!(model.predict(&[255; 9]).unwrap(), [0.5, 0.5], "{name}");
        assert_ne!(model.predict(&[0; 9]).unwrap(), [0.5, 0.5], "{name}");
    }
}

/// A mean over more positions than a kernel may add up is that of means.
#[test]
fn a_mean_of_many_positions_is_that_of_parts() {
    let end = |model: Sequential| {
        let softmax = Activation::Softmax;
        model.add(GlobalAveragePooling2D::new()).add(Dense::new(2).activation(softmax))
    };
    let base = || Sequential::new([180, 200, 1]).add(Conv2D::new(3, 1).activation(Activation::Tanh));
    let data = random_data(6, [180, 200, 1], 2, 3);
    let options = FitOptions { epochs: 2, batch_size: 4, ..FitOptions::default() };
    let mut found = Vec::new();
    for (_, device) in devices() {
        for model in [end(base()), end(base().add(AveragePooling2D::new((90, 100))))] {
            let mut model = compile(&model, &device, 4);
            model.fit(&data, &options, &mut NoCallback).unwrap();
            found.push(flat(&model.weights().unwrap()));
        }
    }
    for other in &found[1..] {
        assert!(distance(other, &found[0]) < 1e-5, "{other:?} for {:?}", found[0]);
    }
}
