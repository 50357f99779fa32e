//! Data, losses and options that do not fit one another are refused by name, before the first step.

use shadegrad::Device;
use shadegrad::data::{Dataset, TargetKind};
use shadegrad::model::{Activation, Dense, Loss, Sequential};
use shadegrad::train::{Compile, EarlyStopping, FitOptions, Monitor, NoCallback, RateRange, ReduceOnPlateau};

use crate::common::random_data;
use crate::targets::{floats, houses, labelled, options, plain, regression};

const MSE: Loss = Loss::MeanSquaredError;

fn images() -> Dataset {
    random_data(20, [3, 3, 1], 2, 1)
}

fn good() -> FitOptions {
    options(1)
}

/// A model, its loss, what it is trained on and how, and what the error says.
type Row = (Sequential, Loss, Dataset, FitOptions, &'static [&'static str]);

fn check(rows: Vec<Row>) {
    for (model, loss, data, options, expected) in rows {
        let mut model = model.compile(&Device::cpu(), Compile { loss, ..Compile::default() }).unwrap();
        let fitted = model.fit(&data, &options, &mut NoCallback).unwrap_err().to_string();
        for part in expected {
            assert!(fitted.contains(part), "{fitted:?} lacks {part:?}");
        }
        // Trying learning rates makes the same checks; only what follows an epoch does not matter there.
        if options == good() {
            let tried = model.try_learning_rates(&data, &options, &RateRange::default());
            assert_eq!(tried.unwrap_err().to_string(), fitted);
        }
    }
}

#[test]
fn data_must_be_of_the_model_and_of_its_loss() {
    let softmax = Dense::new(4).activation(Activation::Softmax);
    check(vec![
        (
            plain(),
            Loss::default(),
            images().classes_as(TargetKind::Values, 2),
            good(),
            &["targets are values", "target is classes", "target = \"values\""],
        ),
        (regression(), MSE, images(), good(), &["images are [3, 3, 1]", "input_shape is [3]"]),
        (
            regression().add(Dense::new(3)),
            MSE,
            houses(),
            good(),
            &["targets have 2 numbers each", "the outputs of the model are 3", "give its last layer 2 units"],
        ),
        (
            regression(),
            Loss::default(),
            houses(),
            good(),
            &["`targets` is", "in row 0", "where the loss is a cross-entropy"],
        ),
        (
            Sequential::new([4]).target(TargetKind::MultiLabel).add(softmax),
            Loss::default(),
            labelled(),
            good(),
            &["`targets` is", "in all in row", "binary_crossentropy takes any"],
        ),
        (
            plain(),
            Loss::default(),
            images(),
            FitOptions { validation: Some(floats(&images())), ..good() },
            &["`validation` is f32 where the training set is bytes"],
        ),
    ]);
}

#[test]
fn options_that_need_classes_need_a_model_of_classes() {
    let stopping = EarlyStopping { monitor: Monitor::Accuracy, ..EarlyStopping::default() };
    let plateau = ReduceOnPlateau { monitor: Monitor::ValAccuracy, ..ReduceOnPlateau::default() };
    let split = || FitOptions { validation_split: Some(0.5), ..good() };
    let rows: Vec<(FitOptions, &'static [&'static str])> = vec![
        (
            FitOptions { until_accuracy: Some(0.9), ..good() },
            &["`until_accuracy` is 0.9", "there is no accuracy"],
        ),
        (
            FitOptions { early_stopping: Some(stopping), ..good() },
            &["`early_stopping.monitor` is accuracy", "`loss` or `val_loss`"],
        ),
        (
            FitOptions { reduce_lr_on_plateau: Some(plateau), ..split() },
            &["`reduce_lr_on_plateau.monitor` is val_accuracy"],
        ),
        (FitOptions { stratify: true, ..split() }, &["`stratify` is true"]),
        (FitOptions { class_weight: vec![1.0, 2.0], ..good() }, &["`class_weight` is given"]),
    ];
    check(rows.into_iter().map(|(options, says)| (regression(), MSE, houses(), options, says)).collect());
    let rows: Vec<(Vec<f64>, &'static [&'static str])> = vec![
        (vec![1.0; 3], &["`class_weight` is 3 weights", "one for each class"]),
        (vec![1.0, -2.0], &["`class_weight` is -2"]),
        (vec![f64::NAN, 1.0], &["`class_weight` is NaN"]),
    ];
    let weighted = |class_weight| FitOptions { class_weight, ..good() };
    let row = |(weights, says)| (plain(), Loss::default(), images(), weighted(weights), says);
    check(rows.into_iter().map(row).collect());
}

#[test]
fn augmentation_is_for_images_of_bytes() {
    let augmented = Compile { augmentation: Some(Default::default()), ..Compile::default() };
    let flat = Compile { loss: MSE, ..augmented };
    let message = regression().compile(&Device::cpu(), flat).err().unwrap().to_string();
    assert!(message.contains("augmentation changes images, but input_shape is [3]"), "{message}");
    let mut model = plain().compile(&Device::cpu(), augmented).unwrap();
    let message = model.fit(&floats(&images()), &good(), &mut NoCallback).unwrap_err().to_string();
    assert!(message.contains("`augmentation` is given") && message.contains("RandomFlip"), "{message}");
}

#[test]
fn predictions_take_whole_samples() {
    let mut model = plain().compile(&Device::cpu(), Compile::default()).unwrap();
    let message = model.predict_values(&[0.0; 10]).unwrap_err().to_string();
    assert!(message.contains("10 numbers are not a whole number of samples of 9"), "{message}");
    assert!(model.predict_values(&[]).unwrap().is_empty());
    let message = model.predict_data(&houses()).unwrap_err().to_string();
    assert!(message.contains("samples are [3] (features)"), "{message}");
}
