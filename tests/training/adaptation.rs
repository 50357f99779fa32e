//! Layers that take their mean and variance from the data.

use shadegrad::data::{Augmentation, Dataset};
use shadegrad::model::{
    Activation, Conv2D, Dense, Flatten, Normalization, RandomFlip, Rescaling, Sequential, WeightTensor,
    Weights, ZeroPadding2D,
};
use shadegrad::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, Compile, FitOptions, Model, NoCallback, RateRange,
    cross_validate,
};

use crate::common::{devices, random_data};
use crate::steps::flat;

const SHAPE: [usize; 3] = [4, 3, 2];

fn data(seed: u64) -> Dataset {
    random_data(40, SHAPE, 3, seed)
}

/// Ends a model.
fn ended(model: Sequential) -> Sequential {
    model.add(Flatten::new()).add(Dense::new(3).activation(Activation::Softmax))
}

fn normalized() -> Sequential {
    ended(Sequential::new(SHAPE).add(Normalization::new()))
}

/// Mean and population variance of the bytes whose place in their sample gives this cell.
fn moments(
    data: &Dataset,
    cells: usize,
    cell: impl Fn(usize) -> Option<usize>,
    value: impl Fn(u8) -> f64,
) -> [Vec<f64>; 2] {
    let len = data.shape().len();
    let mut groups = vec![Vec::new(); cells];
    for (at, &byte) in data.images().iter().enumerate() {
        if let Some(cell) = cell(at % len) {
            groups[cell].push(value(byte));
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let means: Vec<f64> = groups.iter().map(|group| mean(group)).collect();
    let squares = groups.iter().zip(&means).map(|(group, m)| group.iter().map(|x| (x - m).powi(2)).collect());
    let squares: Vec<Vec<f64>> = squares.collect();
    [means, squares.iter().map(|group| mean(group)).collect()]
}

fn check(what: &str, model: &mut Model, expected: [Vec<f64>; 2]) {
    let weights = model.weights().unwrap();
    for (weight, expected) in ["normalization.mean", "normalization.variance"].iter().zip(expected) {
        let found = &weights.get(weight).unwrap().values;
        assert_eq!(found.len(), expected.len(), "{what}: {weight}");
        for (&found, expected) in found.iter().zip(expected) {
            let error = (f64::from(found) - expected).abs();
            assert!(error <= 1e-6 * expected.abs().max(1.0), "{what}: {weight} {found} for {expected}");
        }
    }
}

#[test]
fn statistics_are_those_of_each_index_of_the_axes() {
    let base = || Sequential::new(SHAPE);
    let by = |axis: &[i64]| {
        let mut layer = Normalization::new();
        layer.axis.0 = axis.to_vec();
        layer
    };
    type Row = (&'static str, Sequential, usize, fn(usize) -> Option<usize>, fn(u8) -> f64);
    let raw: fn(u8) -> f64 = f64::from;
    let scaled: fn(u8) -> f64 = |byte| f64::from(f32::from(byte) * 0.5 - 3.0);
    let rows: [Row; 8] = [
        ("channels", base().add(by(&[-1])), 2, |at| Some(at % 2), raw),
        ("channels, from the front", base().add(by(&[3])), 2, |at| Some(at % 2), raw),
        ("everything", base().add(by(&[])), 1, |_| Some(0), raw),
        ("rows", base().add(by(&[1])), 4, |at| Some(at / 6), raw),
        ("columns and channels", base().add(by(&[3, -2])), 6, |at| Some(at % 6), raw),
        ("every value", base().add(by(&[1, 2, 3])), 24, Some, raw),
        ("features", base().add(Flatten::new()).add(by(&[1])), 24, Some, raw),
        (
            "behind what prepares data",
            base().add(RandomFlip::default()).add(Rescaling::new(0.5).offset(-3.0)).add(by(&[-1])),
            2,
            |at| Some(at % 2),
            scaled,
        ),
    ];
    for (what, model, cells, cell, value) in rows {
        for (device_name, device) in devices() {
            let mut model = ended(model.clone()).compile(&device, Compile::default()).unwrap();
            model.adapt(&data(5)).unwrap();
            check(&format!("{what}, {device_name}"), &mut model, moments(&data(5), cells, cell, value));
        }
    }
}

/// A border of zeros counts.
#[test]
fn padding_is_part_of_what_enters() {
    let [(_, device), _] = devices();
    let layers = Sequential::new(SHAPE).add(ZeroPadding2D::new([[1, 0], [0, 2]])).add(Normalization::new());
    let mut model = ended(layers).compile(&device, Compile::default()).unwrap();
    model.adapt(&data(5)).unwrap();
    // Of 5 x 5 positions, 4 x 3 hold bytes divided by 255: a model that begins with zeros takes no bytes as they are.
    let takes_bytes = model.network().takes_bytes();
    let divisor = if takes_bytes { 1.0 } else { 255.0 };
    let [mean, variance] = moments(&data(5), 2, |at| Some(at % 2), |byte| f64::from(byte) / divisor);
    let share = 12.0 / 25.0;
    let squares = mean.iter().zip(&variance).map(|(m, v)| share * (v + m * m)).collect::<Vec<_>>();
    let means: Vec<f64> = mean.iter().map(|m| share * m).collect();
    let variances = squares.iter().zip(&means).map(|(s, m)| s - m * m).collect();
    check("padded", &mut model, [means, variances]);
}

#[test]
fn fit_adapts_once_to_its_training_samples() {
    let channel = |at: usize| Some(at % 2);
    let options =
        FitOptions { epochs: 1, batch_size: 8, validation_split: Some(0.25), ..FitOptions::default() };
    let augmentation = Augmentation { rotation_range: 20.0, ..Augmentation::default() };
    for (name, device) in devices() {
        let compile = Compile { augmentation: Some(augmentation), ..Compile::default() };
        let mut model = normalized().compile(&device, compile).unwrap();
        model.fit(&data(5), &options, &mut NoCallback).unwrap();
        let expected = moments(&data(5).take(30).unwrap(), 2, channel, f64::from);
        check(name, &mut model, expected.clone());
        model.fit(&data(6), &options, &mut NoCallback).unwrap();
        check(&format!("{name}, again"), &mut model, expected);
        model.adapt(&data(6)).unwrap();
        check(&format!("{name}, anew"), &mut model, moments(&data(6), 2, channel, f64::from));

        let mut other = normalized().compile(&device, Compile::default()).unwrap();
        other.set_weights(model.weights().unwrap()).unwrap();
        other.fit(&data(7), &options, &mut NoCallback).unwrap();
        check(&format!("{name}, loaded"), &mut other, moments(&data(6), 2, channel, f64::from));
    }
}

/// The weights of every checkpoint.
#[derive(Default)]
struct Kept(Vec<Checkpoint>);

impl Callback for Kept {
    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::Epochs
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.0.push(checkpoint.clone());
        Ok(())
    }
}

#[test]
fn training_resumes_with_what_it_adapted_to() {
    let options = FitOptions { epochs: 2, batch_size: 8, ..FitOptions::default() };
    for (name, device) in devices() {
        let mut kept = Kept::default();
        let mut whole = normalized().compile(&device, Compile::default()).unwrap();
        whole.fit(&data(5), &options, &mut kept).unwrap();
        for checkpoint in kept.0 {
            let mut resumed = normalized().compile(&device, Compile::default()).unwrap();
            let steps = checkpoint.steps();
            resumed.resume(&data(5), &options, checkpoint, &mut NoCallback).unwrap();
            let [ours, theirs] = [&mut resumed, &mut whole].map(|model| flat(&model.weights().unwrap()));
            assert_eq!(ours, theirs, "{name}, from step {steps}");
        }
    }
}

#[test]
fn every_fold_adapts_to_its_own_samples() {
    let [(_, device), _] = devices();
    let mut kept = Kept::default();
    let options = FitOptions { epochs: 1, batch_size: 8, ..FitOptions::default() };
    cross_validate(&normalized(), &device, Compile::default(), &data(5), 3, &options, &mut kept).unwrap();
    let of = |checkpoint: &Checkpoint| checkpoint.weights.get("normalization.mean").unwrap().values.clone();
    let means: Vec<Vec<f32>> = kept.0.iter().map(of).collect();
    assert_eq!(means.len(), 6, "two checkpoints to a fold");
    for fold in means.chunks(2) {
        assert_eq!(fold[0], fold[1]);
    }
    assert!(means[0] != means[2] && means[2] != means[4] && means[0] != means[4], "{means:?}");
}

#[test]
fn trying_rates_leaves_the_weights() {
    for (name, device) in devices() {
        let mut model = normalized().compile(&device, Compile::default()).unwrap();
        let before = model.weights().unwrap();
        model.try_learning_rates(&data(5), &FitOptions::default(), &RateRange::default()).unwrap();
        assert_eq!(model.weights().unwrap(), before, "{name}");
    }
}

#[test]
fn what_cannot_adapt_says_so() {
    let [(_, device), _] = devices();
    let behind = |layer| ended(Sequential::new(SHAPE).add(Conv2D::new(2, 1)).add(layer));
    let mut model = behind(Normalization::new()).compile(&device, Compile::default()).unwrap();
    let error = model.fit(&data(5), &FitOptions::default(), &mut NoCallback).unwrap_err().to_string();
    let expected = "layer 1 `normalization` (Normalization): it takes mean and variance from the data before training, but its input is computed by `conv2d`";
    assert!(error.contains(expected), "{error}");
    let given = Normalization::new().mean_and_variance(0.5, 2.0);
    let mut model = behind(given).compile(&device, Compile::default()).unwrap();
    model.fit(&data(5), &FitOptions { epochs: 1, ..FitOptions::default() }, &mut NoCallback).unwrap();
    assert_eq!(model.weights().unwrap().get("normalization.variance").unwrap().values, [2.0, 2.0]);
}

/// What the model gives need not be in a weight file, and a file that says otherwise is refused.
#[test]
fn what_is_given_is_no_weight_to_choose() {
    let network = ended(Sequential::new(SHAPE).add(Normalization::new().mean_and_variance([1.0, 2.0], 4.0)));
    let message = network.network().unwrap_err().to_string();
    assert!(message.contains("mean and variance must have the same shape"), "{message}");
    let network =
        ended(Sequential::new(SHAPE).add(Normalization::new().mean_and_variance([1.0, 2.0], [4.0, 9.0])));
    let network = network.network().unwrap();
    let start = network.initial_weights(0);
    assert_eq!(start.get("normalization.mean").unwrap().values, [1.0, 2.0]);
    let without = |left_out: &str| -> Vec<WeightTensor> {
        start.tensors().iter().filter(|tensor| !tensor.name.starts_with(left_out)).cloned().collect()
    };
    assert_eq!(Weights::new(&network, without("normalization")).unwrap(), start);
    let mut other = without("nothing");
    other[0].values[1] = 3.0;
    let message = Weights::new(&network, other).unwrap_err().to_string();
    assert!(message.contains("`normalization.mean` holds 3 at element 1, but the model gives"), "{message}");
}
