//! `evaluate`.

use std::fs;

use predicates::prelude::*;

use crate::sandbox::{MODEL, Sandbox};
use crate::train::FIGURES;

/// A run of the small model in `out`.
fn trained() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let figures = sandbox.train("--device cpu --epochs 3 --batch-size 5 --out out").last_line().to_owned();
    (sandbox, figures)
}

#[test]
fn it_repeats_the_figures_of_the_run() {
    let (sandbox, figures) = trained();
    // The run's own data is the default, wherever the program is started; `--data` overrides it.
    for args in ["evaluate out --device cpu", "evaluate out/ --device cpu --data data"] {
        let outcome = sandbox.succeed(args);
        assert_eq!(outcome.last_line(), figures, "{args}");
        assert!(outcome.stdout.starts_with("Device: CPU executor"), "{}", outcome.stdout);
        assert!(outcome.stdout.contains(", 12 test images"), "{}", outcome.stdout);
    }
    let outcome = sandbox.succeed("evaluate out --device software");
    assert!(predicate::str::is_match(FIGURES).unwrap().eval(outcome.last_line()), "{outcome:?}");
}

#[test]
fn a_run_without_its_result_is_evaluated_all_the_same() {
    let (sandbox, figures) = trained();
    fs::remove_file(sandbox.path("out/result.json")).unwrap();
    assert_eq!(sandbox.succeed("evaluate out --device cpu --data data").last_line(), figures);
    sandbox.fail("evaluate out --device cpu --data mnist", 1, &["[28, 28, 1]", "[8, 8, 1]"]);
    fs::write(sandbox.path("out/result.json"), "{").unwrap();
    let outcome = sandbox.succeed("evaluate out --device cpu --data data");
    assert!(outcome.stderr.contains("warning: `out/result.json`"), "{}", outcome.stderr);
}

#[test]
fn the_result_of_an_earlier_version_is_read() {
    let (sandbox, figures) = trained();
    let mut result = sandbox.json("out/result.json");
    for added_since in ["seconds_to_first_step", "test_seconds"] {
        result.as_object_mut().unwrap().remove(added_since).expect(added_since);
    }
    fs::write(sandbox.path("out/result.json"), result.to_string()).unwrap();
    let outcome = sandbox.succeed("evaluate out --device cpu");
    assert_eq!((outcome.last_line(), outcome.stderr.as_str()), (figures.as_str(), ""));
}

#[test]
fn what_is_missing_or_damaged_is_named() {
    let (sandbox, _) = trained();
    sandbox.fail("evaluate", 2, &["<RUN>", "Usage"]);
    sandbox.fail("evaluate nonesuch", 1, &["`nonesuch` is not a folder", "runs/tutorial-1"]);
    sandbox.fail("evaluate model.toml", 1, &["`model.toml` is not a folder"]);
    sandbox.fail("evaluate data", 1, &["no model.toml and no weights.safetensors"]);
    sandbox.fail(
        "evaluate out --device cpu --data nonesuch",
        1,
        &["there is no folder or file `nonesuch`", "mnist"],
    );

    let weights = fs::read(sandbox.path("out/weights.safetensors")).unwrap();
    let path = sandbox.path("out/weights.safetensors");
    for (what, bytes) in
        [("empty", &[][..]), ("cut", &weights[..weights.len() - 4]), ("text", b"not weights")]
    {
        fs::write(&path, bytes).unwrap();
        let expected = ["out/weights.safetensors", "not a complete safetensors file"];
        sandbox.fail(&format!("evaluate out --data {what}"), 1, &expected);
    }
    fs::write(&path, weights).unwrap();
    fs::write(sandbox.path("out/model.toml"), MODEL.replace("filters = 4", "filters = 8")).unwrap();
    sandbox.fail("evaluate out", 1, &["conv2d.kernel", "[3, 3, 1, 4]", "[3, 3, 1, 8]"]);
    fs::remove_file(&path).unwrap();
    sandbox.fail("evaluate out", 1, &["`out`", "no weights.safetensors"]);
}

#[test]
fn the_report_tells_of_every_class() {
    let (sandbox, figures) = trained();
    let outcome = sandbox.succeed("evaluate out --device cpu --report");
    assert_eq!(outcome.last_line(), figures);
    for text in ["Class  Precision  Recall", " mean ", "Confusion matrix"] {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from {}", outcome.stdout);
    }
    let json = sandbox.succeed("evaluate out --device cpu --json --top-k 2").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["test_accuracy"], json["accuracy"], "{json}");
    assert_eq!((&json["k"], &json["samples"]), (&2.into(), &12.into()));
    let counts = json["confusion"].as_array().unwrap();
    let row =
        |row: &serde_json::Value| row.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>();
    assert_eq!(counts.iter().map(row).collect::<Vec<_>>(), [4, 4, 4], "{json}");
    let right: u64 = (0..3).map(|class| counts[class][class].as_u64().unwrap()).sum();
    assert_eq!(right as f64 / 12.0, json["accuracy"].as_f64().unwrap(), "{json}");
    sandbox.fail("evaluate out --device cpu --top-k 4", 1, &["--top-k is 4", "the number of classes"]);
    sandbox.fail("evaluate out --top-k 0", 2, &["'--top-k <K>'"]);
    // `train` prints the same at its end.
    let trained = sandbox.train("--device cpu --epochs 3 --batch-size 5 --report --out again");
    let table = |stdout: &str| {
        let lines = stdout.lines().skip_while(|line| !line.starts_with("Class")).take(12);
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(table(&trained.stdout), table(&outcome.stdout));
    assert_eq!(trained.last_line(), figures);
}
