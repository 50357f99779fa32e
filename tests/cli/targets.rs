//! Models whose target is no class: numbers, or several labels at once.

use std::fs;

use serde_json::{Value, json};

use crate::sandbox::{MODEL, Sandbox};

/// The small model with another target, in `<name>.toml`.
fn sandbox(name: &str, target: &str, units: usize, activation: &str, loss: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let head = format!(
        "\"{name}\"\ntarget = \"{target}\"\nloss = \"{loss}\"\nclass_names = [{}]",
        (0..units).map(|at| format!("\"out {at}\"")).collect::<Vec<_>>().join(", ")
    );
    let end = format!("units = {units}\nactivation = \"{activation}\"");
    let model = MODEL.replace("\"small\"", &head).replace("units = 3\nactivation = \"softmax\"", &end);
    fs::write(sandbox.path(&format!("{name}.toml")), model).unwrap();
    sandbox
}

fn regression() -> Sandbox {
    sandbox("grade", "values", 1, "linear", "mean_squared_error")
}

fn labels() -> Sandbox {
    sandbox("tags", "multi_label", 3, "sigmoid", "binary_crossentropy")
}

const TRAIN: &str = "--data data --epochs 6 --batch-size 8 --learning-rate 0.01 --validation-split 0.2";

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The classes of the data set are numbers for a model of one value, and rows for one of labels.
#[test]
fn another_metric_stands_where_accuracy_does() {
    // (a model, its name, what stands for accuracy, the key of its metrics, all of them, a word of the report)
    type Row =
        (fn() -> Sandbox, &'static str, &'static str, &'static str, &'static [&'static str], &'static str);
    let rows: [Row; 2] = [
        (regression, "grade", "MAE", "mae", &["mae", "r2", "rmse"], "RMSE"),
        (
            labels,
            "tags",
            "F1",
            "f1",
            &["binary_accuracy", "exact_match", "f1", "precision", "recall"],
            "all labels correct",
        ),
    ];
    for (sandbox, name, metric, key, keys, word) in rows {
        let sandbox = sandbox();
        for device in ["cpu", "software"] {
            let out = format!("out-{device}");
            let outcome = sandbox.succeed(&format!(
                "train --model {name}.toml {TRAIN} --device {device} --report --tensorboard board-{device} --out {out}"
            ));
            let line = outcome.last_line();
            assert!(
                line.starts_with(&format!("Test {metric}: ")) && line.contains("  Test loss: "),
                "{line}"
            );
            assert!(
                !outcome.stdout.contains("ccuracy") && !outcome.stderr.contains("accuracy"),
                "{outcome:?}"
            );
            assert!(outcome.stdout.contains(word) && outcome.stdout.contains("out 0"), "{outcome:?}");
            assert!(outcome.stdout.contains("- val_loss: "), "{outcome:?}");

            let result = sandbox.json(&format!("{out}/result.json"));
            assert_eq!(result["test_accuracy"], Value::Null, "{result}");
            let found: Vec<_> = result["test_metrics"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(found, keys, "{result}");
            let figure = result["test_metrics"][key].as_f64().unwrap();
            let loss = result["test_loss"].as_f64().unwrap();
            assert_eq!(line, format!("Test {metric}: {figure:.4}  Test loss: {loss:.4}"));
            for record in sandbox.json_lines(&format!("{out}/history.jsonl")) {
                assert_eq!((&record["accuracy"], &record["val_accuracy"]), (&Value::Null, &Value::Null));
                assert!(record["loss"].is_f64() && record["val_loss"].is_f64(), "{record}");
            }
            for step in sandbox.json_lines(&format!("{out}/steps.jsonl")) {
                assert_eq!(step["correct"], Value::Null, "{step}");
            }
            assert!(sandbox.text(&format!("{out}/history.csv")).lines().nth(1).unwrap().contains(",,"));

            // The same figures again, to the last digit.
            let again = sandbox.succeed(&format!("evaluate {out} --device {device}"));
            assert_eq!(again.last_line(), line);
            let told = parsed(&sandbox.succeed(&format!("evaluate {out} --device {device} --json")).stdout);
            assert_eq!((&told["test_accuracy"], &told["test_loss"]), (&Value::Null, &result["test_loss"]));
            let pointer = if key == "f1" { "/macro/f1" } else { "/mae" };
            assert_eq!(told.pointer(pointer), Some(&result["test_metrics"][key]), "{told}");
            assert_eq!(told["other_test_set"], false, "{told}");
        }
        let json =
            sandbox.succeed(&format!("train --model {name}.toml {TRAIN} --device cpu --json --out lines"));
        let last = parsed(json.last_line());
        assert_eq!(last["test_accuracy"], Value::Null, "{last}");
        assert!(last["test_metrics"][key].is_f64(), "{last}");
    }
}

#[test]
fn pages_pictures_folds_and_exports_follow_the_target() {
    for (sandbox, name, section, output) in
        [(regression(), "grade", "outputs", "values"), (labels(), "tags", "labels", "probabilities")]
    {
        sandbox.succeed(&format!("train --model {name}.toml {TRAIN} --device cpu --out out"));
        sandbox.succeed("report out --device cpu");
        let page = sandbox.text("out/report.html");
        for id in ["curves", section, "mistakes", "filters", "activations", "settings"] {
            assert!(page.contains(&format!("<section id=\"{id}\">")), "{name}: no section {id}");
        }
        assert!(!page.contains("id=\"confusion\"") && page.contains("out 0"), "{name}");

        let image = image::GrayImage::from_fn(8, 8, |_, y| image::Luma([if y % 3 == 2 { 200 } else { 30 }]));
        image.save(sandbox.path("a.png")).unwrap();
        let text = sandbox.succeed("predict out a.png --plain --device cpu").stdout;
        assert!(text.starts_with("a.png: "), "{text}");
        let line = parsed(&sandbox.succeed("predict out a.png --plain --json --device cpu").stdout);
        assert!(line["label"].is_null() && line[output].is_array() && line["names"].is_array(), "{line}");
        if name == "grade" {
            let value = line["values"][0].as_f64().unwrap();
            assert_eq!(text, format!("a.png: {value:.4}\n"));
            assert_eq!(line["names"], json!(["out 0"]));
        }

        sandbox.succeed("export out model.onnx");
        let onnx = fs::read(sandbox.path("model.onnx")).unwrap();
        let holds = |word: &str| onnx.windows(word.len()).any(|at| at == word.as_bytes());
        assert!(holds(output) && holds("images"), "{name}");
        assert_eq!(holds("probabilities"), output == "probabilities", "{name}");

        let folds = sandbox.succeed(&format!(
            "crossval --model {name}.toml --data data --device cpu --folds 3 --epochs 1 --batch-size 8 --out folds"
        ));
        let metric = if name == "grade" { "MAE" } else { "F1" };
        let heading = folds.stdout.lines().rev().nth(1).unwrap();
        assert!(heading.contains(&format!("  {metric}  ")) && !heading.contains("Accuracy"), "{heading}");
        assert!(!folds.last_line().contains("  -  "), "{}", folds.last_line());
        let model = &sandbox.json("folds/crossval.json")["models"][0];
        assert_eq!((&model["accuracy"], &model["folds"][0]["accuracy"]), (&Value::Null, &Value::Null));
        assert!(model["loss"]["mean"].is_f64(), "{model}");
        let spread = &model["metrics"][metric.to_lowercase()];
        let [mean, deviation] = ["mean", "deviation"].map(|key| spread[key].as_f64().unwrap());
        assert!(
            folds.last_line().contains(&format!("  {mean:.4} +- {deviation:.4}  ")),
            "{}",
            folds.last_line()
        );
        let of_fold = &sandbox.json_lines(&format!("folds/1-{name}/fold-1/fold.json"))[0];
        assert!(of_fold["metrics"][metric.to_lowercase()].is_f64(), "{of_fold}");
        sandbox.succeed(&format!(
            "crossval --model {name}.toml --data data --device cpu --folds 3 --out folds --force"
        ));
        sandbox.succeed(&format!("lr-find --model {name}.toml --data data --device cpu --batch-size 8"));
        sandbox.succeed(&format!("explain --model {name}.toml"));
        sandbox.succeed(&format!("bench --model {name}.toml --batch-size 4 --repeats 1 --device cpu"));
    }
}

#[test]
fn a_run_of_numbers_goes_on_where_it_was() {
    let sandbox = regression();
    let train = "train --model grade.toml --data data --batch-size 8 --device cpu";
    sandbox.succeed(&format!("{train} --epochs 4 --out whole"));
    sandbox.succeed(&format!("{train} --epochs 2 --out parts"));
    sandbox.succeed("train --resume --out parts --epochs 4 --device cpu");
    let [whole, parts] = ["whole", "parts"].map(|run| sandbox.json(&format!("{run}/result.json")));
    assert_eq!(whole["weights_sha256"], parts["weights_sha256"]);
    assert_eq!(whole["test_metrics"], parts["test_metrics"]);
}

#[test]
fn flags_that_need_classes_are_refused_before_the_first_step() {
    let sandbox = regression();
    let train = "train --model grade.toml --data data --device cpu --out out";
    let rows = [
        ("--top-k 2", "--top-k is for classes, but this model's target is values"),
        ("--until-accuracy 0.9", "`until_accuracy` is 0.9"),
        ("--early-stopping monitor=accuracy", "`early_stopping.monitor` is accuracy"),
        (
            "--early-stopping monitor=val_accuracy --validation-split 0.5",
            "`early_stopping.monitor` is val_accuracy",
        ),
    ];
    let stratified = ("--validation-split 0.5 --stratify", "`stratify` is true");
    for (flags, expected) in rows.into_iter().chain([stratified]) {
        sandbox.fail(&format!("{train} {flags}"), 1, &[expected]);
        assert!(!sandbox.path("out/model.toml").exists(), "{flags}");
    }
    sandbox.fail(
        "crossval --model grade.toml --data data --device cpu --until-accuracy 0.9 --out folds",
        1,
        &["model `grade`", "`until_accuracy` is 0.9"],
    );
    sandbox.succeed(&format!("{train} --epochs 1"));
    sandbox.fail("evaluate out --top-k 2 --device cpu", 1, &["--top-k is for classes"]);

    // Rows of numbers instead of images.
    let flat = MODEL.replace("[8, 8, 1]", "[64]");
    let flat: String =
        flat.split("[[layers]]").filter(|part| !part.contains("2D")).collect::<Vec<_>>().join("[[layers]]");
    fs::write(sandbox.path("flat.toml"), flat).unwrap();
    sandbox.fail(
        "train --model flat.toml --data data --device cpu --out flat",
        1,
        &["images are [8, 8, 1] (height, width, channels)", "input_shape is [64]"],
    );
    for (from, to, expected) in [
        ("target = \"values\"", "target = \"valeus\"", "values"),
        ("[8, 8, 1]", "[8, 8, 1, 1]", "input_shape has 4 numbers"),
        ("[8, 8, 1]", "[]", "input_shape has 0 numbers"),
        ("[8, 8, 1]", "[0]", "input_shape [0]"),
    ] {
        let text = sandbox.text("grade.toml").replace(from, to);
        fs::write(sandbox.path("bad.toml"), text).unwrap();
        sandbox.fail("train --model bad.toml --data data --device cpu --out bad", 1, &[expected]);
    }
}

#[test]
fn classes_may_count_differently() {
    let sandbox = Sandbox::new();
    let with = |weights: &str| format!("{MODEL}\n[training]\nepochs = 2\nclass_weight = {weights}\n");
    let model = |weights: &str| {
        // Tables come before the layers' ones in the file as it is written, but may follow them.
        fs::write(sandbox.path("model.toml"), with(weights)).unwrap();
    };
    model("[1.0, 2.0, 0.5]");
    sandbox.train("--device cpu --out weighted");
    sandbox.train("--device cpu --epochs 3 --out whole");
    for device in ["cpu", "software"] {
        let run = format!("profiled-{device}");
        sandbox.train(&format!("--device {device} --profile --out {run}"));
        let kernels = &sandbox.json(&format!("{run}/result.json"))["kernels"];
        assert!(kernels["loss/weigh_rows"].is_string(), "{device}: {kernels}");
        let profile = sandbox.json(&format!("{run}/profile.json"));
        let steps = profile["steps"].as_array().unwrap();
        let weighs = steps.iter().find(|step| step["name"] == "loss/weigh_rows");
        assert!(weighs.is_some_and(|step| step["kind"] == "weigh_rows"), "{device}: {profile}");
        let recorded = |step: &Value| kernels[step["name"].as_str().unwrap()] == step["variant"];
        assert!(steps.iter().all(recorded), "{device}: {profile}");
        let again = sandbox.succeed(&format!("evaluate {run} --device {device}"));
        assert!(again.last_line().starts_with("Test accuracy: "), "{again:?}");
    }
    model("[1, 1, 1]");
    sandbox.train("--device cpu --out even");
    let [weighted, even] = ["weighted", "even"].map(|run| sandbox.json(&format!("{run}/result.json")));
    assert_ne!(weighted["weights_sha256"], even["weights_sha256"]);
    assert!(sandbox.text("weighted/model.toml").contains("class_weight = [1.0, 2.0, 0.5]"));
    sandbox.succeed("train --resume --out weighted --epochs 3 --device cpu");
    let [whole, resumed] = ["whole", "weighted"].map(|run| sandbox.json(&format!("{run}/result.json")));
    assert_eq!(whole["weights_sha256"], resumed["weights_sha256"]);
    model("[1.0, 2.0]");
    sandbox.fail(
        "train --model model.toml --data data --device cpu --out bad",
        1,
        &["`class_weight` is 2 weights"],
    );
}
