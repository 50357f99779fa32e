//! Targets that are no classes, and inputs that are no images.

use shadegrad::Device;
use shadegrad::data::{Dataset, Samples, Shape, TargetKind, Targets};
use shadegrad::model::{
    Activation, BinaryCrossentropy, CategoricalCrossentropy, Conv2D, Dense, Flatten, Loss, Optimizer,
    Reshape, Sequential, Weights,
};
use shadegrad::train::{
    Compile, FitOptions, History, Judgement, LabelReport, Model, NoCallback, ValueReport, cross_validate,
};

use crate::common::{Noise, devices, random_data};
use crate::steps::{bits, flat};

const SAMPLES: usize = 90;

/// Three features, and two numbers that they decide: `a - 2 b` and `a b + c`.
pub fn houses() -> Dataset {
    let mut noise = Noise(5);
    let rows: Vec<[f32; 3]> = (0..SAMPLES).map(|_| [0; 3].map(|_| noise.symmetric() as f32)).collect();
    let targets = rows.iter().map(|[a, b, c]| [a - 2.0 * b, a * b + c]);
    Dataset::from_parts(Samples::from_rows(&rows).unwrap(), Targets::values(targets, 2).unwrap(), [3])
        .unwrap()
}

pub fn regression() -> Sequential {
    Sequential::new([3])
        .target(TargetKind::Values)
        .add(Dense::new(24).activation(Activation::Tanh))
        .add(Dense::new(2))
}

fn compile(model: &Sequential, device: &Device, loss: Loss) -> Model {
    let optimizer = Optimizer::Adam(shadegrad::model::Adam { learning_rate: 0.02, ..Default::default() });
    model.compile(device, Compile { loss, optimizer, seed: 3, ..Compile::default() }).unwrap()
}

pub fn options(epochs: usize) -> FitOptions {
    FitOptions { epochs, batch_size: 32, ..FitOptions::default() }
}

pub fn fit(model: &mut Model, data: &Dataset, options: &FitOptions) -> History {
    model.fit(data, options, &mut NoCallback).unwrap()
}

pub fn weights(model: &mut Model) -> Vec<u32> {
    bits(&flat(&model.weights().unwrap()))
}

#[test]
fn numbers_are_learnt_from_numbers() {
    let data = houses();
    let (train, test) = (data.slice(0..70).unwrap(), data.slice(70..SAMPLES).unwrap());
    for (name, device) in devices() {
        let mut model = compile(&regression(), &device, Loss::MeanSquaredError);
        let options = FitOptions { validation: Some(test.clone()), ..options(120) };
        let history = fit(&mut model, &train, &options);
        let last = history.epochs.last().unwrap();
        assert!(last.loss < 0.02 && last.val_loss.unwrap() < 0.05, "{name}: {last:?}");
        assert_eq!((last.accuracy, last.val_accuracy), (None, None), "{name}");
        let judged = model.evaluate(&test).unwrap();
        assert_eq!((Some(judged.loss), judged.accuracy), (last.val_loss, None), "{name}");
        let outputs = model.predict_values(test.values()).unwrap();
        assert_eq!(outputs, model.predict_data(&test).unwrap(), "{name}");
        let report = ValueReport::new(&outputs, test.target_rows(), 2).unwrap();
        assert!((report.rmse.powi(2) - judged.loss).abs() < 1e-6, "{name}: {report:?} {judged:?}");
        assert!(report.r2.unwrap() > 0.9, "{name}: {report:?}");
        let Judgement::Values(same) = Judgement::new(&outputs, &test, 1).unwrap() else { panic!("{name}") };
        assert_eq!(same, report, "{name}");
    }
}

/// A device that holds the numbers and one that gets them batch by batch, fused steps and plain ones: the same bits, or nearly.
#[test]
fn numbers_are_streamed_as_images_are() {
    let data = houses().with_sample_weights((0..SAMPLES).map(|n| n as f32 / 40.0).collect()).unwrap();
    for (name, device) in devices() {
        let trained = |stream, no_fuse| {
            let compile = Compile { loss: Loss::MeanSquaredError, stream, no_fuse, ..Compile::default() };
            let mut model = regression().compile(&device, compile).unwrap();
            fit(&mut model, &data, &options(3));
            (weights(&mut model), model.evaluate(&data).unwrap())
        };
        let resident = trained(false, false);
        assert_eq!(trained(true, false), resident, "{name}");
        let plain = trained(false, true);
        assert!((plain.1.loss - resident.1.loss).abs() < 1e-5, "{name}: {plain:?} {resident:?}");
    }
}

/// Bytes as they are taken: the same numbers as f32 give the same bits.
#[test]
fn numbers_are_not_scaled() {
    let images = random_data(40, [6, 6, 1], 3, 8);
    let scaled: Vec<f32> = images.images().iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let targets = Targets::classes(images.labels().iter().copied(), 3).unwrap();
    let values = Dataset::from_parts(scaled, targets, [6, 6, 1]).unwrap();
    let model = Sequential::new([6, 6, 1])
        .add(Conv2D::new(4, 3).activation(Activation::Relu))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Activation::Softmax));
    for (name, device) in devices() {
        let [of_bytes, of_values] = [&images, &values].map(|data| {
            let mut model = model.compile(&device, Compile::default()).unwrap();
            let history = fit(&mut model, data, &options(2));
            let accuracy = history.epochs.last().unwrap().accuracy;
            (
                weights(&mut model),
                accuracy,
                model.evaluate(data).unwrap(),
                bits(&model.predict_data(data).unwrap()),
            )
        });
        assert!(of_bytes == of_values, "{name}");
    }
}

/// Classes as one-hot rows of numbers, smoothed or not, give the same bits as labels do.
#[test]
fn given_rows_are_smoothed_as_labels_are() {
    let images = random_data(40, [4, 4, 1], 3, 8);
    let losses: [Loss; 3] = [
        Loss::default(),
        CategoricalCrossentropy { label_smoothing: 0.1 }.into(),
        BinaryCrossentropy { label_smoothing: 0.25 }.into(),
    ];
    for loss in losses {
        let end = if loss.name().starts_with("categ") { Activation::Softmax } else { Activation::Sigmoid };
        let model = Sequential::new([4, 4, 1]).add(Flatten::new()).add(Dense::new(3).activation(end));
        for (name, device) in devices() {
            let trained = |target, data: &Dataset| {
                let mut model = compile(&model.clone().target(target), &device, loss);
                fit(&mut model, data, &options(2));
                (weights(&mut model), model.evaluate(data).unwrap().loss)
            };
            let of_labels = trained(TargetKind::Classes, &images);
            for target in [TargetKind::Values, TargetKind::MultiLabel] {
                assert_eq!(
                    trained(target, &images.classes_as(target, 3)),
                    of_labels,
                    "{name}, {loss:?}, {target}"
                );
            }
        }
    }
}

/// Four labels, each of which holds where one of four numbers is above 0.
pub fn labelled() -> Dataset {
    let mut noise = Noise(6);
    let rows: Vec<[f32; 4]> = (0..SAMPLES).map(|_| [0; 4].map(|_| noise.symmetric() as f32)).collect();
    let targets = rows.iter().map(|row| row.map(|value| value > 0.0));
    let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let data = Dataset::from_parts(
        Samples::from_rows(&rows).unwrap(),
        Targets::multi_label(targets, 4).unwrap(),
        [4],
    )
    .unwrap();
    data.with_class_names(names).unwrap()
}

#[test]
fn any_number_of_labels_is_learnt_at_once() {
    let data = labelled();
    for outputs in [4, 1] {
        // A single sigmoid unit of a multi-label model is a label, and no second of two classes.
        let rows: Vec<&[f32]> = data.target_rows().chunks(4).map(|row| &row[..outputs]).collect();
        let data =
            Dataset::from_parts(data.values(), Targets::multi_label(rows, outputs).unwrap(), [4]).unwrap();
        let data =
            data.with_class_names(["a", "b", "c", "d"][..outputs].iter().map(|&n| n.to_owned()).collect());
        let data = data.unwrap();
        let model = Sequential::new([4])
            .target(TargetKind::MultiLabel)
            .add(Dense::new(16).activation(Activation::Relu))
            .add(Dense::new(outputs).activation(Activation::Sigmoid));
        for (name, device) in devices() {
            let mut model = compile(&model, &device, BinaryCrossentropy::default().into());
            let history = fit(&mut model, &data, &options(60));
            assert_eq!(history.epochs.last().unwrap().accuracy, None, "{name}");
            let outputs_found = model.predict_data(&data).unwrap();
            assert_eq!(outputs_found.len(), SAMPLES * outputs, "{name}");
            let report = LabelReport::new(&outputs_found, data.target_rows(), outputs).unwrap();
            assert!(report.means.f1 > 0.95, "{name}: {report:?}");
            // The names of the data are the model's, where it has none.
            assert_eq!(model.class_names(), data.class_names(), "{name}");
        }
    }
}

#[test]
fn more_classes_than_a_byte_can_name_are_told_apart() {
    let classes = 300;
    let samples: Vec<f32> = (0..classes)
        .flat_map(|class| [(class % 20) as f32 / 10.0 - 1.0, (class / 20) as f32 / 8.0 - 1.0])
        .collect();
    let targets = Targets::classes((0..classes).map(|class| class as u32), classes).unwrap();
    let data = Dataset::from_parts(samples, targets, [2]).unwrap();
    let model = Sequential::new([2])
        .add(Dense::new(64).activation(Activation::Relu))
        .add(Dense::new(classes).activation(Activation::Softmax));
    for (name, device) in devices() {
        let mut model = compile(&model, &device, Loss::default());
        fit(&mut model, &data, &options(150));
        let accuracy = model.evaluate(&data).unwrap().accuracy.unwrap();
        assert!(accuracy > 0.5, "{name}: {accuracy}");
    }
}

pub fn plain() -> Sequential {
    Sequential::new([3, 3, 1]).add(Flatten::new()).add(Dense::new(2).activation(Activation::Softmax))
}

#[test]
fn a_model_goes_on_from_its_weights_whatever_it_was_given_in_between() {
    let data = houses();
    let halves = data.clone().with_sample_weights(vec![0.5; SAMPLES]).unwrap();
    let bytes =
        Dataset::from_parts(vec![7u8; 6], Targets::values([[0.0f32; 2]; 2], 2).unwrap(), [3]).unwrap();
    for (name, device) in devices() {
        let trained = |between: bool| {
            let mut model = compile(&regression(), &device, Loss::MeanSquaredError);
            fit(&mut model, &data, &options(2));
            if between {
                model.evaluate(&halves).unwrap();
                model.predict_data(&bytes).unwrap();
            }
            fit(&mut model, &data, &options(2));
            weights(&mut model)
        };
        assert_eq!(trained(true), trained(false), "{name}");
    }
}

#[test]
fn cross_validation_takes_any_target() {
    let device = Device::cpu();
    let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
    let found =
        cross_validate(&regression(), &device, compile, &houses(), 3, &options(2), &mut NoCallback).unwrap();
    assert_eq!((found.accuracy, found.folds.len()), (None, 3));
    assert!(found.loss.mean > 0.0 && found.folds.iter().all(|fold| fold.accuracy.is_none()), "{found:?}");
}

/// Images as f32.
pub fn floats(images: &Dataset) -> Dataset {
    let values: Vec<f32> = images.images().iter().map(|&byte| f32::from(byte)).collect();
    Dataset::from_parts(
        values,
        Targets::classes(images.labels().iter().copied(), images.classes()).unwrap(),
        images.shape(),
    )
    .unwrap()
}

/// Rows of features that are made images of train as these images do.
#[test]
fn rows_and_images_turn_into_one_another() {
    let model = Sequential::new([9])
        .add(Reshape::new([3, 3, 1]))
        .add(Conv2D::new(2, 2))
        .add(Flatten::new())
        .add(Dense::new(2).activation(Activation::Softmax));
    assert_eq!(model.network().unwrap().input_shape, Shape::Flat(9));
    let images = floats(&random_data(20, [3, 3, 1], 2, 1));
    let rows = Dataset::from_parts(
        images.values(),
        Targets::classes(images.labels().iter().copied(), 2).unwrap(),
        [9],
    )
    .unwrap();
    let of_images = Sequential::new([3, 3, 1])
        .add(Conv2D::new(2, 2))
        .add(Flatten::new())
        .add(Dense::new(2).activation(Activation::Softmax));
    for (name, device) in devices() {
        let trained = |model: &Sequential, data: &Dataset, from: Option<Weights>| {
            let mut model = model.compile(&device, Compile::default()).unwrap();
            from.into_iter().for_each(|weights| model.set_weights(weights).unwrap());
            let start = model.weights().unwrap();
            fit(&mut model, data, &options(2));
            (weights(&mut model), start)
        };
        let (expected, start) = trained(&of_images, &images, None);
        assert_eq!(trained(&model, &rows, Some(start)).0, expected, "{name}");
    }
}
