//! Losses with settings, and a single sigmoid unit, which tells two classes apart.

use std::fs;

use crate::sandbox::{MODEL, Sandbox};

/// The small model with such an end, in `binary.toml`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let model = MODEL.replace("units = 3\nactivation = \"softmax\"", "units = 1\nactivation = \"sigmoid\"");
    let model = model
        .replace("[8, 8, 1]", "[8, 8, 1]\nloss = \"binary_crossentropy\"\nclass_names = [\"no\", \"yes\"]");
    fs::write(sandbox.path("binary.toml"), model).unwrap();
    sandbox
}

/// Changes every label of the data set.
fn relabel(sandbox: &Sandbox, change: fn(u8) -> u8) {
    for stem in ["train", "t10k"] {
        let path = sandbox.path(&format!("data/{stem}-labels-idx1-ubyte"));
        let mut bytes = fs::read(&path).unwrap();
        bytes[8..].iter_mut().for_each(|label| *label = change(*label));
        fs::write(path, bytes).unwrap();
    }
}

const TRAIN: &str = "train --model binary.toml --data data --epochs 12 --batch-size 8 --learning-rate 0.02";

#[test]
fn two_classes_are_trained_judged_and_predicted() {
    let sandbox = sandbox();
    relabel(&sandbox, |label| u8::from(label == 2));
    for device in ["cpu", "software"] {
        let outcome = sandbox.succeed(&format!("{TRAIN} --device {device} --report --out {device}"));
        assert!(outcome.last_line().starts_with("Test accuracy: 1.0000"), "{device}: {outcome:?}");
        assert!(!outcome.stderr.contains("warning"), "{outcome:?}");
        let report = sandbox.succeed(&format!("evaluate {device} --json --device {device}")).stdout;
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["confusion"], serde_json::json!([[8, 0], [0, 4]]), "{device}: {report}");
        assert_eq!(report["classes"][1]["name"], "yes", "{report}");
        assert_eq!(report["classes"][1]["recall"], 1.0, "{report}");
    }
    sandbox.succeed("report cpu --device cpu");
    sandbox.succeed("export cpu model.onnx");

    let image = image::GrayImage::from_fn(8, 8, |_, y| image::Luma([if y % 3 == 2 { 200 } else { 30 }]));
    image.save(sandbox.path("bright.png")).unwrap();
    let text = sandbox.succeed("predict cpu bright.png --plain --device cpu").stdout;
    assert!(text.starts_with("bright.png: yes (0.9") && text.contains("then no (0.0"), "{text}");
    let line = sandbox.succeed("predict cpu bright.png --plain --json --device cpu").stdout;
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let [no, yes] = [0, 1].map(|class| line["probabilities"][class].as_f64().unwrap());
    assert!((no + yes - 1.0).abs() < 1e-6 && line["label"] == 1, "{line}");
    assert_eq!(line["probabilities"].as_array().map(Vec::len), Some(2), "{line}");
}

#[test]
fn accuracy_counts_what_is_on_the_right_side_of_a_half() {
    let sandbox = sandbox();
    relabel(&sandbox, |label| u8::from(label == 2));
    // Hardly trained: outputs of either class are on both sides.
    sandbox.succeed(&format!("{TRAIN} --device cpu --max-steps 1 --out out"));
    let report = sandbox.succeed("evaluate out --json --device cpu").stdout;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let result = sandbox.json("out/result.json");
    assert_eq!(result["test_accuracy"], report["accuracy"], "{report}");
}

#[test]
fn more_classes_are_refused_with_what_to_do() {
    let sandbox = sandbox();
    let train = format!("{TRAIN} --device cpu --out out");
    let remedy = "give it 3 units with activation softmax and the model the loss categorical_crossentropy";
    sandbox.fail(
        &train,
        1,
        &["the data set has 3 classes", "last layer `dense` is a single sigmoid unit", remedy],
    );
    relabel(&sandbox, |label| label.clamp(1, 2));
    sandbox.fail(&train, 1, &["if the first class is labelled 1", "--first-label 1"]);
    sandbox.succeed(&format!("{train} --first-label 1"));
}

#[test]
fn categorical_cross_entropy_of_it_is_warned_of() {
    let sandbox = sandbox();
    relabel(&sandbox, |label| u8::from(label == 2));
    let model = sandbox.text("binary.toml").replace("binary_crossentropy", "categorical_crossentropy");
    fs::write(sandbox.path("binary.toml"), model).unwrap();
    let outcome = sandbox.succeed(&format!("{TRAIN} --device cpu --max-steps 1 --out out"));
    let line = outcome.stderr.lines().find(|line| line.starts_with("warning: ")).unwrap_or_default();
    assert!(line.contains("a single sigmoid unit") && line.contains("binary_crossentropy"), "{outcome:?}");
}

#[test]
fn settings_of_a_loss_stay_with_the_run() {
    let sandbox = Sandbox::new();
    let table = "loss = { name = \"categorical_crossentropy\", label_smoothing = 0.2 }";
    fs::write(sandbox.path("model.toml"), MODEL.replace("[8, 8, 1]", &format!("[8, 8, 1]\n{table}")))
        .unwrap();
    sandbox.train("--device cpu --epochs 2 --out out");
    assert!(
        sandbox
            .text("out/model.toml")
            .contains("[loss]\nname = \"categorical_crossentropy\"\nlabel_smoothing = 0.2\n")
    );
    let result = sandbox.json("out/result.json");
    let judged = sandbox.succeed("evaluate out --json --device cpu").stdout;
    let judged: serde_json::Value = serde_json::from_str(&judged).unwrap();
    assert_eq!(judged["test_loss"], result["test_loss"], "{judged}");
    // A run that goes on ends as one that was not interrupted.
    sandbox.train("--device cpu --epochs 2 --max-steps 1 --checkpoint-steps 1 --out parts");
    sandbox.succeed("train --resume --out parts --max-steps 99");
    assert_eq!(sandbox.json("parts/result.json")["weights_sha256"], result["weights_sha256"]);
    let wrong = sandbox.text("model.toml").replace("0.2", "1.5");
    fs::write(sandbox.path("wrong.toml"), wrong).unwrap();
    let expected =
        ["loss `categorical_crossentropy`: `label_smoothing` is 1.5, but must be at least 0 and at most 1"];
    sandbox.fail("train --model wrong.toml --data data --device cpu --out other", 1, &expected);
}
