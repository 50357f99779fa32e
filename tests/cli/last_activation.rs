//! A last activation whose outputs are not probabilities, with a loss that expects probabilities.

use std::fs;

use crate::sandbox::{MODEL, Sandbox};

const ADVICE: &str = "model `small` ends with";
const REMEDY: &str = "activation = \"softmax\"";

/// A data set, and the small model with this last activation and loss in `other.toml`.
fn sandbox(activation: &str, loss: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let model = MODEL.replace("\"softmax\"", &format!("{activation:?}"));
    let model = model.replace("[8, 8, 1]", &format!("[8, 8, 1]\nloss = {loss:?}"));
    fs::write(sandbox.path("other.toml"), model).unwrap();
    sandbox
}

#[test]
fn it_is_said_once_before_training_and_as_a_line_of_the_program() {
    let (entropy, squares) = ("categorical_crossentropy", "mean_squared_error");
    let rows = [
        ("linear", entropy, true),
        ("leaky_relu", entropy, true),
        ("tanh", entropy, true),
        ("sigmoid", entropy, false),
        ("softmax", entropy, false),
        ("linear", squares, false),
    ];
    for (activation, loss, warned) in rows {
        let sandbox = sandbox(activation, loss);
        let outcome = sandbox.run(
            "train --model other.toml --data data --device cpu --max-steps 1 --learning-rate 1e-6 --out out --quiet",
        );
        let lines: Vec<_> = outcome.stderr.lines().filter(|line| line.contains(ADVICE)).collect();
        assert_eq!(lines.len(), usize::from(warned), "{activation}, {loss}: {outcome:?}");
        for line in lines {
            let start = format!("warning: {ADVICE} {activation} outputs (layer `dense`)");
            assert!(line.starts_with(&start) && line.contains(REMEDY), "{activation}: {line}");
        }
    }
}

#[test]
fn every_command_that_takes_such_a_model_says_it_once() {
    let sandbox = sandbox("linear", "categorical_crossentropy");
    sandbox.succeed("train --model other.toml --data data --device cpu --max-steps 1 --out run");
    let training = "--data data --device cpu --batch-size 20 --epochs 1";
    let rows = [
        format!("crossval --model other.toml --folds 3 {training} --out folds"),
        "explain --model other.toml --device cpu".to_owned(),
        "bench --model other.toml --device cpu --batch-size 4 --repeats 1".to_owned(),
        "evaluate run --device cpu".to_owned(),
        format!("crossval --model other.toml --model model.toml --folds 2 {training} --out both"),
    ];
    for args in rows {
        let outcome = sandbox.run(&args);
        assert_eq!(outcome.stderr.matches(ADVICE).count(), 1, "{args}: {outcome:?}");
    }
    // With RUST_LOG set there are log lines, or none if it says so.
    let evaluate = "evaluate run --device cpu";
    let (loud, silent) = (("warn", 1), ("error", 0));
    for (level, count) in [loud, silent] {
        let mut command = sandbox.command(evaluate);
        let stderr = command.env("RUST_LOG", level).output().unwrap().stderr;
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(stderr.matches(ADVICE).count(), count, "{level}: {stderr}");
        assert!(!stderr.starts_with("warning: "), "{stderr}");
    }
}

#[test]
fn what_is_said_of_a_nan_names_it() {
    let sandbox = sandbox("relu", "categorical_crossentropy");
    let train = "train --model other.toml --data data --device cpu --learning-rate 0.01 --seed 1 --epochs 9 --batch-size 4";
    sandbox.fail(&format!("{train} --out a"), 1, &["error: training has diverged: ", "relu outputs", REMEDY]);
    let outcome = sandbox.succeed(&format!("{train} --allow-nan --out b"));
    let line = outcome.stderr.lines().find(|line| line.contains("the loss of step")).unwrap();
    assert!(line.contains(REMEDY), "{line}");
    // Where the outputs suit the loss, the advice is a smaller learning rate.
    sandbox.fail(
        "train --model model.toml --data data --device cpu --learning-rate 1e30 --epochs 9 --out c",
        1,
        &["What usually helps: a smaller --learning-rate"],
    );
}
