//! Data sets that are streamed from the host train like resident ones, to the bit.

use shadegrad::data::Dataset;
use shadegrad::device::Device;
use shadegrad::model::{Activation, Dense, Flatten, Loss, MaxPooling2D, Optimizer, Sequential};
use shadegrad::plan::Plan;
use shadegrad::profile::Sampling;
use shadegrad::train::{Compile, Evaluation, FitOptions, StepRecord};

use crate::common::{mnist_train, random_data, small, software_gpu, unusual_models};
use crate::steps::{Recorder, bits, flat};

/// Everything that a model reports during and after training.
#[derive(Debug, PartialEq)]
struct Told {
    steps: Vec<StepRecord>,
    evaluations: Vec<Evaluation>,
    weights: Vec<u32>,
    probabilities: Vec<u32>,
}

/// Trains twice, the second time on other data and with another batch size, and evaluates and predicts in between.
fn told(model: &Sequential, data: &Dataset, options: &FitOptions, stream: bool) -> Told {
    let mut model =
        model.compile(&software_gpu(), Compile { seed: 4, stream, ..Compile::default() }).unwrap();
    let mut run = Recorder::default();
    let half = data.take(data.len().div_ceil(2)).unwrap();
    let rest = FitOptions {
        epochs: 1,
        batch_size: options.batch_size + 1,
        max_steps: None,
        validation: Some(half.clone()),
        profile: None,
        ..options.clone()
    };
    let mut evaluations = Vec::new();
    model.fit(data, options, &mut run).unwrap();
    evaluations.push(model.evaluate(data).unwrap());
    let image = data.images().len() / data.len();
    let probabilities = bits(&model.predict(&data.images()[..7.min(data.len()) * image]).unwrap());
    let history = model.fit(&half, &rest, &mut run).unwrap();
    let validation = history.epochs[0];
    let (loss, accuracy) = (validation.val_loss.unwrap(), validation.val_accuracy);
    evaluations.push(Evaluation { loss, accuracy });
    let weights = bits(&flat(&model.weights().unwrap()));
    Told { steps: run.steps, evaluations, weights, probabilities }
}

/// Images so large that a submission carries only some batches, and one that exceeds what a submission should carry.
fn large(side: usize, samples: usize) -> (Sequential, Dataset) {
    let model = Sequential::new([side, side, 1])
        .add(MaxPooling2D::new(40))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Activation::Softmax));
    (model, random_data(samples, [side, side, 1], 3, 5))
}

#[test]
fn the_same_bits_as_resident() {
    let mut rows = Vec::new();
    for (what, model) in unusual_models() {
        let network = model.network().unwrap();
        rows.push((what, model, random_data(91, network.input_shape, network.classes(), 5), 2, None));
    }
    let (some, one) = (large(602, 23), large(1250, 9));
    rows.extend([
        ("small, stopped within an epoch", small(), mnist_train().take(330).unwrap(), 7, Some(60)),
        ("one batch", small(), mnist_train().take(5).unwrap(), 64, None),
        ("batches of one", small(), mnist_train().take(70).unwrap(), 1, None),
        ("a few batches per submission", some.0, some.1, 4, None),
        ("one batch per submission", one.0, one.1, 5, None),
    ]);
    for (what, model, data, batch_size, max_steps) in rows {
        let options = FitOptions { epochs: 2, batch_size, max_steps, ..FitOptions::default() };
        let [resident, streamed] = [false, true].map(|stream| told(&model, &data, &options, stream));
        assert!(resident == streamed, "{what}");
    }
}

/// A batch that is measured step by step finds its samples as well.
#[test]
fn the_same_bits_while_steps_are_measured() {
    let (_, odd) = unusual_models().swap_remove(1);
    let rows = [(odd, random_data(91, [13, 11, 3], 3, 5)), large(602, 23)];
    for (row, (model, data)) in rows.into_iter().enumerate() {
        let [plain, measured] = [(false, None), (true, Some(Sampling::Every(3)))].map(|(stream, profile)| {
            let options = FitOptions { epochs: 2, batch_size: 2, profile, ..FitOptions::default() };
            told(&model, &data, &options, stream)
        });
        assert!(plain == measured, "row {row}");
    }
}

/// More images than the adapter can bind at once: nothing is requested, and nothing is refused.
#[test]
fn a_set_over_the_limits_of_the_adapter_is_streamed() {
    let device = software_gpu();
    let (side, batch) = (200, 4);
    let model = Sequential::new([side, side, 1])
        .add(MaxPooling2D::new(25))
        .add(Flatten::new())
        .add(Dense::new(2).activation(Activation::Softmax));
    let plan = Plan::build(&model.network().unwrap(), Loss::default(), Optimizer::default(), batch).unwrap();
    let most = device.streaming(&plan).unwrap().most_resident;
    let used = random_data(10, [side, side, 1], 2, 6);
    // Pages that are never written take no memory.
    let mut images = vec![0; (most + 1) * side * side];
    images[..used.images().len()].copy_from_slice(used.images());
    let mut labels = vec![0; most + 1];
    labels.iter_mut().zip(used.labels()).for_each(|(to, &label)| *to = label as u8);
    let whole = Dataset::new(images, labels, [side, side, 1], 2).unwrap();
    let trained = |data: &Dataset| {
        let mut model = model.compile(&device, Compile::default()).unwrap();
        let mut run = Recorder::default();
        let options =
            FitOptions { batch_size: batch, shuffle: false, max_steps: Some(2), ..FitOptions::default() };
        model.fit(data, &options, &mut run).unwrap();
        (run.steps, bits(&flat(&model.weights().unwrap())))
    };
    assert!(trained(&whole) == trained(&used));
}

/// Where there is nothing to stream to, `stream` changes nothing.
#[test]
fn the_cpu_executor_takes_no_notice() {
    let (_, model) = unusual_models().swap_remove(4);
    let data = random_data(9, [5, 5, 1], 2, 3);
    let [plain, asked] = [false, true].map(|stream| {
        let mut model = model.compile(&Device::cpu(), Compile { stream, ..Compile::default() }).unwrap();
        model.evaluate(&data).unwrap()
    });
    assert_eq!(plain, asked);
}
