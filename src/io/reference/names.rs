//! Names that a model file may not hold, and what is said of them.

use crate::io::{ModelFile, TUTORIAL};

/// Any name that is not there is answered with the nearest and with all there are.
#[test]
fn unknown_names_are_answered_with_the_nearest() {
    let layer = |class: &str, settings: &str| {
        format!("type = \"{class}\"\n{settings}\n\n[[layers]]\ntype = \"Flatten\"")
    };
    let flatten = "type = \"Flatten\"";
    // What stands in the tutorial, what stands in its place, the nearest name, another one that there is.
    let rows = [
        ("\"Conv2D\"", "\"conv2d\"".to_owned(), "Conv2D", "MaxPooling2D"),
        ("\"Dense\"", "\"Dens\"".to_owned(), "Dense", "Normalization"),
        ("filters =", "filter =".to_owned(), "filters", "kernel_size"),
        ("units = 64", "units = 64\nuse_biass = false".to_owned(), "use_bias", "units"),
        ("\"relu\"", "\"rellu\"".to_owned(), "relu", "linear"),
        ("\"relu\"", "\"ReLU\"".to_owned(), "relu", "softmax"),
        ("\"relu\"", "\"hardsigmoid\"".to_owned(), "hard_sigmoid", "tanh"),
        ("filters = 32", "filters = 32\npadding = \"sane\"".to_owned(), "same", "valid"),
        ("filters = 32", "filters = 32\nkernel_initializer = \"he_norml\"".to_owned(), "he_normal", "zeros"),
        (
            "filters = 32",
            "filters = 32\nkernel_initializer = { name = \"RandomNormal\" }".to_owned(),
            "random_normal",
            "ones",
        ),
        (
            "filters = 32",
            "filters = 32\nkernel_initializer = { name = \"random_normal\", std = 1.0 }".to_owned(),
            "stddev",
            "mean",
        ),
        ("units = 64", "units = 64\nkernel_regularizer = { L2 = 0.1 }".to_owned(), "l2", "l1"),
        ("\"rmsprop\"", "\"RMSProp\"".to_owned(), "rmsprop", "adamw"),
        ("rho = 0.9", "rhoo = 0.9".to_owned(), "rho", "momentum"),
        ("\"categorical_crossentropy\"", "\"hubber\"".to_owned(), "huber", "mean_squared_error"),
        (
            "\"categorical_crossentropy\"",
            "{ name = \"binary_cross_entropy\" }".to_owned(),
            "binary_crossentropy",
            "huber",
        ),
        ("[[layers]]", "[training]\nepoch = 3\n\n[[layers]]".to_owned(), "epochs", "batch_size"),
        (
            "[[layers]]",
            "[training]\nearly_stopping = { monitor = \"val_los\" }\n\n[[layers]]".to_owned(),
            "val_loss",
            "accuracy",
        ),
        (
            "[[layers]]",
            "[optimizer.schedule]\ntype = \"cosin\"\n\n[[layers]]".to_owned(),
            "cosine",
            "one_cycle",
        ),
        (
            "[[layers]]",
            "[optimizer.schedule]\ntype = \"cosine\"\ndecay_step = 9\n\n[[layers]]".to_owned(),
            "decay_steps",
            "alpha",
        ),
        (
            "[[layers]]",
            "[augmentation]\nrotation = 9\n\n[[layers]]".to_owned(),
            "rotation_range",
            "zoom_range",
        ),
        ("input_shape", "input_shapes".to_owned(), "input_shape", "layers"),
        (
            flatten,
            layer("RandomTranslation", "height_factor = 0.1\nwidth_factor = 0.1\nfill_mode = \"reflekt\""),
            "reflect",
            "constant",
        ),
        (
            flatten,
            layer("RandomTranslation", "height_factor = 0.1\nwidth_factor = 0.1\ninterpolation = \"linear\""),
            "bilinear",
            "nearest",
        ),
        (flatten, layer("RandomFlip", "mode = \"horizontaly\""), "horizontal", "vertical"),
    ];
    check(rows.into());
}

/// Rows of what stands in the tutorial, what stands in its place, the nearest name, and another one that there is.
fn check(rows: Vec<(&str, String, &str, &str)>) {
    let mut failures = Vec::new();
    for (from, to, nearest, other) in rows {
        assert!(TUTORIAL.contains(from), "{from}");
        let message = ModelFile::parse("m.toml", &TUTORIAL.replacen(from, &to, 1)).unwrap_err().to_string();
        let expected = format!("did you mean `{nearest}`?");
        if !message.ends_with(&expected) || !message.contains(other) {
            failures.push(format!("{to}: {message:?} lacks {expected:?} or {other:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
