//! What model files say, and what is said of mistakes in them.

use crate::model::{
    Activation, AdamW, Conv2D, Dense, Flatten, Huber, Initializer, MaxPooling2D, Pair, Regularizer,
};
use crate::train::{EarlyStopping, StepDecay};

use super::*;

#[test]
fn the_tutorial_file_is_the_tutorial() {
    let file = ModelFile::tutorial().unwrap();
    let model = Sequential::new([28, 28, 1])
        .name("tutorial")
        .add(Conv2D::new(32, 3).activation(Activation::Relu))
        .add(MaxPooling2D::new(2))
        .add(Flatten::new())
        .add(Dense::new(64).activation(Activation::Relu))
        .add(Dense::new(10).activation(Activation::Softmax));
    assert_eq!(file.model, model);
    assert_eq!(file.optimizer, Optimizer::default());
}

#[test]
fn what_is_written_is_read_back() {
    let mut file = ModelFile::tutorial().unwrap();
    file.model.layers[1] = MaxPooling2D::new((2, 3)).strides(Pair::from((1, 2))).name("pool").into();
    file.optimizer.set_learning_rate(0.02);
    file.class_names = (0..10).map(|class| format!("digit {class}")).collect();
    file.model.layers[4] = Dense::new(10)
        .kernel_initializer(Initializer::RandomNormal { mean: 0.0, stddev: 0.1 })
        .bias_initializer(Initializer::Ones)
        .activation(Activation::Softmax)
        .kernel_regularizer(Regularizer::l1_l2(1e-5, 1e-4))
        .into();
    let text = file.to_toml().unwrap();
    assert_eq!(ModelFile::parse("again.toml", &text).unwrap(), file, "{text}");
    file.optimizer = AdamW { clipnorm: Some(0.5), weight_decay: 0.1, ..AdamW::default() }.into();
    let text = file.to_toml().unwrap();
    assert_eq!(ModelFile::parse("again.toml", &text).unwrap(), file, "{text}");
    assert!(text.contains("[optimizer]\nname = "), "{text}");

    file.training = FitOptions {
        epochs: 7,
        validation_split: Some(0.1),
        until_loss: Some(0.05),
        early_stopping: Some(EarlyStopping { patience: 2, ..EarlyStopping::default() }),
        schedule: StepDecay { boundaries: vec![3, 5], values: vec![0.1, 0.01, 1e-7] }.into(),
        ..FitOptions::default()
    };
    file.loss = Huber { delta: 0.5 }.into();
    let text = file.to_toml().unwrap();
    assert_eq!(ModelFile::parse("again.toml", &text).unwrap(), file, "{text}");
}

#[test]
fn mistakes_are_named() {
    let tutorial = TUTORIAL;
    let rows = [
        ("", "", "missing field `name`"),
        ("units = 64", "units = 64\nunit = 3", "layer 3: (Dense) unknown field `unit`"),
        ("[28, 28, 1]", "[28, 28, 1, 1]", "input_shape"),
        ("\"Flatten\"", "\"Flat\"", "layer 2: unknown type `Flat`"),
        ("rho = 0.9", "rho = 1.5", "`rho` is 1.5"),
        ("rho = 0.9", "beta_1 = 0.9", "unknown field `beta_1`"),
        ("\"rmsprop\"", "\"adagrad\"", "unknown variant `adagrad`"),
        ("rho = 0.9", "clipnorm = 1.0\nclipvalue = 1.0", "`clipnorm` is 1, but must be left out"),
        ("units = 64", "units = 64\nkernel_regularizer = { l3 = 1.0 }", "unknown field `l3`"),
        ("units = 64", "units = 64\nkernel_regularizer = { l2 = -1.0 }", "kernel_regularizer: l2 is -1"),
        (
            "[[layers]]\ntype = \"Flatten\"",
            "[[layers]]\ntype = \"BatchNormalization\"\ngamma_regularizer = { l1 = -1.0 }\n\n[[layers]]\ntype = \"Flatten\"",
            "gamma_regularizer: l1 is -1",
        ),
        ("kernel_size = [3, 3]", "kernel_size = [3, 3, 3]", "kernel_size"),
        ("kernel_size = [3, 3]", "kernel_size = [30, 3]", "layer 0 `conv2d` (Conv2D): kernel_size 30x3"),
        ("\"tutorial\"", "\"../up\"", "letters, digits"),
        ("filters = 32", "filters = -1", "filters"),
        ("\"categorical_", "\"categoric_", "did you mean `categorical_crossentropy`?"),
        (
            "\"categorical_crossentropy\"",
            "{ name = \"huber\", delta = 0.0 }",
            "loss `huber`: `delta` is 0, but must be a number above 0 that a 32-bit float can hold",
        ),
        ("\"categorical_crossentropy\"", "{ name = \"huber\", dalta = 1.0 }", "did you mean `delta`?"),
        (
            "loss =",
            "class_names = [\"a\", \"b\"]\nloss =",
            "class_names has 2 names, but the last layer tells 10",
        ),
        (
            "loss = \"categorical_crossentropy\"",
            "target = \"values\"\nloss = \"mse\"\nclass_names = [\"a\"]",
            "class_names has 1 names, but the last layer gives 10, one number for each output",
        ),
        (
            "loss = \"categorical_crossentropy\"",
            "target = \"multi_label\"\nloss = \"bce\"\nclass_names = [\"a\"]",
            "class_names has 1 names, but the last layer gives 10, one number for each label",
        ),
        ("units = 64", "units = 64.0", "expected a whole number of at least 0"),
    ];
    for (from, to, expected) in rows {
        let text = if from.is_empty() { String::new() } else { tutorial.replacen(from, to, 1) };
        let message = ModelFile::parse("m.toml", &text).unwrap_err().to_string();
        assert!(message.contains(expected), "{from} -> {to}: {message:?} lacks {expected:?}");
    }
}
