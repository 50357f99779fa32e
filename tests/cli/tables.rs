//! Data sets in tables and arrays: from the first command without a model to evaluation.

use std::fs;

use serde_json::{Value, json};

use crate::sandbox::{Outcome, Sandbox};

/// Flowers of three kinds in the order of the kinds; two features tell them apart.
pub fn flowers() -> String {
    let mut text = "sepal,petal,species\n".to_owned();
    for (kind, name) in ["virginica", "setosa", "versicolor"].iter().enumerate() {
        for n in 0..20 {
            let [sepal, petal] = [kind as f32 * 3.0 + n as f32 / 20.0, 5.0 - kind as f32 + n as f32 / 40.0];
            text += &format!("{sepal},{petal},{name}\n");
        }
    }
    text
}

/// Three numbers, of which the last is the sum of the others.
fn sums() -> String {
    let line = |n: i32| format!("{},{},{}\n", n % 7, n % 5, f64::from(n % 7 + n % 5) + 0.5);
    "a,b,sum\n".to_owned() + &(0..60).map(line).collect::<String>()
}

/// The model file that a refusal prints.
fn suggested(outcome: &Outcome) -> String {
    let (_, from) = outcome.stderr.split_once("name = ").unwrap_or_else(|| panic!("{outcome:?}"));
    let (model, _) = from.split_once("\nand train it").unwrap_or_else(|| panic!("{outcome:?}"));
    format!("name = {model}")
}

pub const TRAIN: &str = "train --device cpu --epochs 20 --batch-size 8 --learning-rate 0.01";

/// With `data.csv`, and `data.toml` as the program suggests it.
pub fn sandbox(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("data.csv"), text).unwrap();
    let outcome = sandbox.run("train --data data.csv --out none");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(!sandbox.path("none").exists() || sandbox.list("none").is_empty(), "a run was begun");
    assert!(outcome.stderr.contains(" train --model data.toml --data data.csv"), "{outcome:?}");
    fs::write(sandbox.path("data.toml"), suggested(&outcome)).unwrap();
    sandbox
}

#[test]
fn a_table_is_trained_on_by_the_model_that_is_suggested() {
    let sandbox = sandbox(&flowers());
    let outcome = sandbox.succeed(&format!("{TRAIN} --model data.toml --data data.csv --report --out out"));
    for part in [
        "target `species`: 3 classes (setosa, versicolor, virginica)",
        "60 samples without a test set, split into 48",
    ] {
        assert!(outcome.stderr.contains(part), "{part:?} is missing from {outcome:?}");
    }
    assert!(outcome.stdout.contains("val_accuracy"), "{outcome:?}");
    assert!(
        outcome.stdout.contains("0 setosa") && outcome.last_line().starts_with("Test accuracy: 1.0000"),
        "{outcome:?}"
    );
    assert!(
        sandbox.text("out/model.toml").contains(r#"class_names = ["setosa", "versicolor", "virginica"]"#)
    );
    assert!(sandbox.text("out/model.toml").contains(r#"feature_names = ["sepal", "petal"]"#));
    let result = sandbox.json("out/result.json");
    assert_eq!(
        [&result["train_samples"], &result["validation_samples"], &result["test_samples"]],
        [48, 6, 6]
    );
    assert!(result.get("split_seed").is_none() && result.get("target").is_none(), "{result}");

    let again = sandbox.succeed("evaluate out --device cpu");
    assert_eq!(again.last_line(), outcome.last_line());
    assert!(!again.stderr.contains("note") && !again.stderr.contains("warning"), "{again:?}");
    let told: Value =
        serde_json::from_str(&sandbox.succeed("evaluate out --device cpu --json --data data.csv").stdout)
            .unwrap();
    assert_eq!((&told["other_test_set"], &told["test_samples"]), (&json!(false), &json!(6)));
    sandbox.succeed("report out --device cpu");
    assert!(sandbox.text("out/report.html").contains("versicolor"));

    // All of another table is evaluated, and its classes are those of the model, though not all are there.
    let lines: Vec<_> = flowers().lines().take(41).map(str::to_owned).collect();
    fs::write(sandbox.path("other.csv"), lines.join("\n")).unwrap();
    let told = sandbox.succeed("evaluate out --device cpu --json --data other.csv");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&told["other_test_set"], &told["test_samples"]), (&json!(true), &json!(40)));
    assert!(told["test_accuracy"].as_f64().unwrap() > 0.95, "{told}");
    for few in [&lines[..2], &lines[..15]] {
        fs::write(sandbox.path("other.csv"), few.join("\n")).unwrap();
        let outcome = sandbox.succeed("evaluate out --device cpu --data other.csv");
        assert!(outcome.stderr.contains("note: this is not the test set"), "{outcome:?}");
        assert!(outcome.stdout.contains(&format!("{} test samples", few.len() - 1)), "{outcome:?}");
    }
    // Columns are found by their names, and others are passed over.
    let moved = |line: &String| {
        let cells: Vec<_> = line.split(',').collect();
        format!("{},{},{},{}", cells[1], cells[0], cells[1].replace("petal", "width"), cells[2])
    };
    fs::write(sandbox.path("moved.csv"), lines.iter().map(moved).collect::<Vec<_>>().join("\n")).unwrap();
    let moved = sandbox.succeed("evaluate out --device cpu --json --data moved.csv");
    let moved: Value = serde_json::from_str(&moved.stdout).unwrap();
    assert_eq!(moved["test_loss"], told["test_loss"]);
    let lacking = lines.join("\n").replace("petal", "leaf");
    fs::write(sandbox.path("other.csv"), lacking).unwrap();
    sandbox.fail(
        "evaluate out --device cpu --data other.csv",
        1,
        &["other.csv: expected the features `petal`, found `sepal`, `leaf`"],
    );
    for args in [
        "crossval --model out/model.toml --data other.csv --folds 2",
        "lr-find --model out/model.toml --data other.csv",
        "train --model out/model.toml --data other.csv --out none",
        "train --model data.toml --data data.csv --validation-data other.csv --out none",
    ] {
        let expected = "other.csv: expected the features `petal`, found `sepal`, `leaf`";
        sandbox.fail(&format!("{args} --device cpu"), 1, &[expected]);
    }
    // A column without a name does not take the names of the others away.
    let numbered = |(n, line): (usize, &String)| format!("{},{line}", if n == 0 { "" } else { "7" });
    fs::write(
        sandbox.path("other.csv"),
        lines.iter().enumerate().map(numbered).collect::<Vec<_>>().join("\n"),
    )
    .unwrap();
    let found = sandbox.succeed("evaluate out --device cpu --json --data other.csv");
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(found["test_loss"], told["test_loss"]);
    fs::write(sandbox.path("other.csv"), lines.join("\n").replace("sepal,", ",")).unwrap();
    sandbox.fail(
        "evaluate out --device cpu --data other.csv",
        1,
        &["other.csv: expected the features `sepal`, found `column 1`, `petal`"],
    );
    fs::write(sandbox.path("other.csv"), lines.join("\n").replace("setosa", "rosa")).unwrap();
    sandbox.fail("evaluate out --device cpu --data other.csv", 1, &["class \"rosa\" is not one of setosa"]);
}

#[test]
fn how_a_table_is_read_is_recorded_and_done_again() {
    let sandbox = sandbox(&sums());
    let read = "--data data.csv --target a --split-seed 5";
    let model = sandbox.text("data.toml").replace("units = 1\n", "units = 7\n");
    let model = model.replace("\"values\"", "\"classes\"").replace("linear", "softmax");
    let model = model.replace("mean_squared_error", "categorical_crossentropy");
    // The last layer brings numbers to their scale.
    let (model, _) = model.rsplit_once("\n[[layers]]\n").unwrap();
    fs::write(sandbox.path("a.toml"), model).unwrap();
    let whole = sandbox.succeed(&format!("{TRAIN} --model a.toml {read} --out out"));
    let result = sandbox.json("out/result.json");
    assert_eq!((&result["split_seed"], &result["target"]), (&json!(5), &json!(["a"])));
    for command in ["evaluate out --device cpu", "report out --device cpu"] {
        let outcome = sandbox.succeed(command);
        assert!(!outcome.stderr.contains("warning"), "{outcome:?}");
    }
    assert_eq!(sandbox.succeed("evaluate out --device cpu").last_line(), whole.last_line());
    let other = sandbox.succeed("evaluate out --device cpu --split-seed 6");
    assert!(other.stderr.contains("warning: the test set"), "{other:?}");

    // A run that goes on reads the same.
    let half = TRAIN.replace("--epochs 20", "--epochs 10");
    sandbox.succeed(&format!("{half} --model a.toml {read} --out half"));
    sandbox.succeed("train --resume --out half --epochs 20");
    let weights = |run: &str| fs::read(sandbox.path(run).join("weights.safetensors")).unwrap();
    assert!(weights("out") == weights("half"));
    sandbox.fail("train --resume --out half --epochs 21 --split-seed 5", 2, &["--split-seed", "--resume"]);

    let folds =
        sandbox.succeed(&format!("crossval --model a.toml {read} --folds 2 --epochs 1 --device cpu --json"));
    let folds: Value = serde_json::from_str(&folds.stdout).unwrap();
    assert_eq!(
        (&folds["split_seed"], &folds["target"], &folds["samples"]),
        (&json!(5), &json!(["a"]), &json!(48))
    );
    let rates = sandbox.succeed(&format!("lr-find --model a.toml {read} --device cpu --json"));
    let rates: Value = serde_json::from_str(&rates.stdout).unwrap();
    if let Some(command) = rates["command"].as_str() {
        assert!(command.ends_with("--target=a --split-seed=5"), "{command}");
    }
}

#[test]
fn numbers_are_estimated() {
    let sandbox = sandbox(&sums());
    assert!(sandbox.text("data.toml").contains("target = \"values\""));
    let outcome = sandbox.succeed(&format!("{TRAIN} --model data.toml --data data.csv --report --out out"));
    assert!(outcome.last_line().starts_with("Test MAE: ") && outcome.stdout.contains("0 sum"), "{outcome:?}");
    sandbox.succeed("report out --device cpu");
    let line = sandbox.succeed("evaluate out --device cpu");
    assert_eq!(line.last_line(), outcome.last_line());
    // As it is suggested it learns, whatever the scale of the numbers.
    let prices: String = sums()
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            format!("{},{},{}\n", cells[0], cells[1], cells[2] * 30_000.0 + 100_000.0)
        })
        .collect();
    fs::write(sandbox.path("prices.csv"), prices).unwrap();
    let outcome = sandbox.run("train --data prices.csv --out none");
    fs::write(sandbox.path("prices.toml"), suggested(&outcome)).unwrap();
    let outcome =
        sandbox.succeed("train --device cpu --model prices.toml --data prices.csv --out prices --report");
    let mae: f64 = outcome.last_line().split_whitespace().nth(2).unwrap().replace(',', "").parse().unwrap();
    // The mean of all is off by 60,000.
    assert!(mae < 10_000.0, "{outcome:?}");
    // Two targets, of which one is whole.
    let two = sandbox.text("data.toml").replace("units = 1\n", "units = 2\n").replace("[2]", "[1]");
    let (two, _) = two.rsplit_once("\n[[layers]]\n").unwrap();
    fs::write(sandbox.path("two.toml"), two).unwrap();
    let outcome = sandbox
        .succeed(&format!("{TRAIN} --model two.toml --data data.csv --target sum,a --report --out two"));
    assert!(outcome.stdout.contains("0 sum") && outcome.stdout.contains("1 a"), "{outcome:?}");
}

#[test]
fn a_model_that_does_not_fit_is_told_its_lines() {
    let sandbox = sandbox(&flowers());
    fs::write(sandbox.path("sums.csv"), sums()).unwrap();
    let model = sandbox.text("data.toml");
    fs::write(sandbox.path("wide.toml"), model.replace("[2]", "[4]").replace("units = 3", "units = 2"))
        .unwrap();
    let rows: [(&str, &[&str]); 4] = [
        (
            "--model wide.toml --data data.csv",
            &["input_shape is [4]", "\n    input_shape = [2]\n    units = 3 # of the last layer"],
        ),
        ("--model model.toml --data data.csv", &["input_shape = [2]"]),
        (
            "--model data.toml --data sums.csv",
            &[
                "targets are values",
                "target = \"values\"",
                "loss = \"mean_squared_error\"",
                "units = 1",
                "activation = \"linear\"",
            ],
        ),
        ("--model data.toml --data data", &["input_shape = [8, 8, 1]"]),
    ];
    for (args, expected) in rows {
        sandbox.fail(&format!("train --device cpu {args}"), 1, expected);
        sandbox.fail(&format!("crossval --device cpu {args}"), 1, expected);
        sandbox.fail(&format!("lr-find --device cpu {args}"), 1, expected);
    }
    // Labels that begin with 1 are numbers, unless that is said.
    let from_one: String = (0..30).map(|n| format!("{},{},{}\n", n % 3, n, n % 3 + 1)).collect();
    fs::write(sandbox.path("one.csv"), from_one).unwrap();
    sandbox.fail("train --device cpu --model data.toml --data one.csv", 1, &["give --first-label 1"]);
    sandbox.succeed(&format!("{TRAIN} --model data.toml --data one.csv --first-label 1"));
}

#[test]
fn flags_that_files_have_no_use_for_are_refused() {
    let sandbox = sandbox(&flowers());
    fs::write(sandbox.path("notes.txt"), "1,2").unwrap();
    let rows: [(&str, &[&str]); 8] = [
        ("--data data.csv --transpose", &["--transpose is for IDX files, but `data.csv` holds CSV files"]),
        ("--data data.csv --coarse-labels", &["--coarse-labels is for CIFAR-100"]),
        ("--data data --target a", &["--target is for tables, but `data` holds IDX files"]),
        ("--target a", &["--target=a is for --data DIR"]),
        ("--data data --split-seed 1", &["--split-seed is for pictures, tables and NumPy arrays"]),
        ("--data notes.txt", &["a name that ends with .csv"]),
        ("--data nowhere", &["there is no folder or file `nowhere`"]),
        ("--data .", &["expected IDX files (train-images-idx3-ubyte", "x_train.npy", "train.csv"]),
    ];
    for (args, expected) in rows {
        sandbox.fail(&format!("train --device cpu {args}"), 1, expected);
    }
}

/// Targets need not be classes.
#[test]
fn tables_are_described() {
    let sandbox = sandbox(&sums());
    let outcome = sandbox.succeed("data data.csv --target sum,a");
    for text in [
        "     training  validation  test  all",
        "all        48           6     6   60",
        "Samples: of shape [1]",
        "Targets: values, 2 of each sample: sum, a",
    ] {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
    let told: Value = serde_json::from_str(&sandbox.succeed("data data.csv --json").stdout).unwrap();
    let expected = json!({
        "data": sandbox.path("data.csv"), "shape": [2], "target": "values", "outputs": 1, "output_names": ["sum"],
        "samples": {"training": 48, "validation": 6, "test": 6}, "classes": [],
    });
    assert_eq!(told, expected);
    sandbox.fail("data data.csv --sheet sheet.png", 1, &["--sheet is for images"]);
    assert!(!sandbox.path("sheet.png").exists());
    fs::create_dir(sandbox.path("arrays")).unwrap();
    fs::write(sandbox.path("arrays/x_train.npy"), npy("|u1", "(30, 2, 2)", &[0; 120])).unwrap();
    fs::write(sandbox.path("arrays/y_train.npy"), npy("<f4", "(30,)", &[0; 120])).unwrap();
    let outcome = sandbox.succeed("data arrays");
    assert!(outcome.stdout.ends_with("Targets: values, 1 of each sample\n"), "{}", outcome.stdout);
    sandbox.fail("data arrays --sheet sheet.png", 1, &["--sheet is for classes", "are values"]);
}

/// As `numpy.save` writes them.
pub fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

#[test]
fn arrays_and_colour_images_are_trained_on() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("arrays")).unwrap();
    let labels: Vec<u8> = (0..30).map(|n| n % 3).collect();
    let pixels: Vec<u8> = labels.iter().flat_map(|&label| vec![label * 100; 8 * 8 * 3]).collect();
    fs::write(sandbox.path("arrays/x_train.npy"), npy("|u1", "(30, 8, 8, 3)", &pixels)).unwrap();
    fs::write(sandbox.path("arrays/y_train.npy"), npy("|u1", "(30,)", &labels)).unwrap();
    let model = sandbox.text("model.toml").replace("[8, 8, 1]", "[8, 8, 3]");
    fs::write(sandbox.path("colour.toml"), model).unwrap();
    let trained =
        sandbox.succeed("train --device cpu --model colour.toml --data arrays --epochs 2 --out out");
    assert!(trained.stderr.contains("30 samples without a test set, split into 24"), "{trained:?}");
    assert_eq!(sandbox.succeed("evaluate out --device cpu").last_line(), trained.last_line());
    sandbox.succeed("report out --device cpu");

    fs::create_dir(sandbox.path("idx")).unwrap();
    for set in ["train", "t10k"] {
        let images = crate::sandbox::idx(&[30, 8, 8, 3], &pixels);
        fs::write(sandbox.path(&format!("idx/{set}-images-idx4-ubyte")), images).unwrap();
        fs::write(sandbox.path(&format!("idx/{set}-labels-idx1-ubyte")), crate::sandbox::idx(&[30], &labels))
            .unwrap();
    }
    let trained =
        sandbox.succeed("train --device cpu --model colour.toml --data idx --epochs 2 --out idx-out");
    assert_eq!(sandbox.succeed("evaluate idx-out --device cpu").last_line(), trained.last_line());
}
