//! Classes: those without samples, and their names.

use std::fs;

use crate::sandbox::{MODEL, Sandbox, idx};

/// The small model, with names for its classes.
fn named() -> String {
    MODEL.replace("name = \"small\"", "name = \"small\"\nclass_names = [\"shirt\", \"long shoe\", \"bag\"]")
}

/// The small data set, its training images sorted by class: 14, 13 and 13 of them.
fn sorted() -> Sandbox {
    let sandbox = Sandbox::new();
    let [images, labels] =
        ["images-idx3", "labels-idx1"].map(|kind| sandbox.path("data").join(format!("train-{kind}-ubyte")));
    let bytes = fs::read(&images).unwrap();
    let mut samples: Vec<_> =
        fs::read(&labels).unwrap()[8..].iter().copied().zip(bytes[16..].chunks(64)).collect();
    samples.sort_by_key(|(label, _)| *label);
    let (found, pixels): (Vec<u8>, Vec<&[u8]>) = samples.into_iter().unzip();
    fs::write(images, idx(&[40, 8, 8], &pixels.concat())).unwrap();
    fs::write(labels, idx(&[40], &found)).unwrap();
    fs::write(sandbox.path("named.toml"), named()).unwrap();
    sandbox
}

#[test]
fn classes_that_are_not_trained_on_are_named_once() {
    let sandbox = sorted();
    let [all, last] =
        ["model", "named"].map(|name| format!("{name}.toml --data data --device cpu --epochs 1"));
    // The command, and what its only warning says, if there is one.
    let rows: [(String, Option<&str>); 8] = [
        (format!("train --model {all} --out a"), None),
        (
            format!("train --model {all} --validation-split 0.4 --out b"),
            Some("the training set has no sample of class 2, but the validation set has some"),
        ),
        (
            format!("train --model {last} --validation-split 0.4 --out c"),
            Some("the training set has no sample of class 2 (bag), but the validation set"),
        ),
        (
            format!("train --model {last} --validation-split 0.1 --out d"),
            Some("the validation set has no sample of classes 0 (shirt), 1 (long shoe)"),
        ),
        (format!("train --model {last} --validation-split 0.1 --stratify --out e"), None),
        (
            format!("train --model {last} --limit 14 --out f"),
            Some(
                "the training set has no sample of classes 1 (long shoe), 2 (bag), but the test set has some",
            ),
        ),
        (
            format!("crossval --model {last} --folds 4 --limit 27 --out g"),
            Some("the first 27 samples have none of class 2 (bag)"),
        ),
        (
            format!("crossval --model {last} --folds 4 --validation-split 0.4 --out h"),
            Some("the training set has no sample of class 2 (bag)"),
        ),
    ];
    for (args, expected) in rows {
        let outcome = sandbox.succeed(&args);
        let warnings: Vec<_> = outcome.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        match expected {
            None => assert!(warnings.is_empty(), "{args}: {warnings:?}"),
            Some(text) => assert!(warnings.len() == 1 && warnings[0].contains(text), "{args}: {warnings:?}"),
        }
    }
}

#[test]
fn a_stratified_split_is_kept_and_goes_on() {
    let sandbox = sorted();
    let train = "train --model model.toml --data data --device cpu --batch-size 8";
    let split = "--validation-split 0.2 --stratify";
    sandbox.succeed(&format!("{train} {split} --epochs 4 --out whole"));
    sandbox.succeed(&format!("{train} {split} --epochs 2 --out cut"));
    sandbox.succeed("train --resume --out cut --epochs 4");
    let weights = |run: &str| fs::read(sandbox.path(run).join("weights.safetensors")).unwrap();
    assert!(weights("whole") == weights("cut"));
    assert!(sandbox.text("cut/model.toml").contains("stratify = true"));
    let result = sandbox.json("cut/result.json");
    assert_eq!((&result["train_samples"], &result["validation_samples"]), (&32.into(), &8.into()));
    // The model file can set the same. The default is Keras's split, which leaves no trace in the run's file.
    let text = format!("{MODEL}\n[training]\nvalidation_split = 0.2\nstratify = true\n");
    fs::write(sandbox.path("file.toml"), text).unwrap();
    sandbox.succeed("train --model file.toml --data data --device cpu --batch-size 8 --epochs 4 --out file");
    assert!(weights("whole") == weights("file"));
    sandbox.succeed(&format!("{train} --validation-split 0.2 --epochs 4 --out plain"));
    assert!(weights("whole") != weights("plain"));
    assert!(!sandbox.text("plain/model.toml").contains("stratify"));
    // A given validation set overrides the file's split; `stratify` needs a split.
    sandbox.succeed(
        "train --model file.toml --data data --device cpu --validation-data data --epochs 1 --out own",
    );
    sandbox.fail(&format!("{train} --stratify --out none"), 1, &["`stratify` is true", "`validation_split`"]);
    sandbox.fail("train --resume --out cut --stratify", 2, &["--stratify"]);
}

#[test]
fn reports_call_classes_by_their_names() {
    let sandbox = sorted();
    let outcome =
        sandbox.succeed("train --model named.toml --data data --device cpu --epochs 2 --report --out run");
    let evaluated = sandbox.succeed("evaluate run --device cpu --report");
    for stdout in [&outcome.stdout, &evaluated.stdout] {
        for text in
            ["\nClass        Precision", "\n1 long shoe ", "\nmean ", "\n             0  1  2\n0 shirt      "]
        {
            assert!(stdout.contains(text), "{text:?} is missing from {stdout}");
        }
    }
    let json: serde_json::Value =
        serde_json::from_str(&sandbox.succeed("evaluate run --device cpu --json").stdout).unwrap();
    let names: Vec<_> = json["classes"].as_array().unwrap().iter().map(|class| &class["name"]).collect();
    assert_eq!(names, ["shirt", "long shoe", "bag"]);
    // Without names, none are printed.
    sandbox.train("--device cpu --max-steps 1 --out plain");
    assert!(!sandbox.succeed("evaluate plain --device cpu --json").stdout.contains("\"name\""));
}
