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
    // The run's own data are the default, wherever the program is started; `--data` says otherwise.
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
    // Then MNIST is the default, which these weights do not fit.
    sandbox.fail("evaluate out --device cpu", 1, &["[28, 28, 1]", "[8, 8, 1]"]);
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
    sandbox.fail("evaluate out --device cpu --data nonesuch", 1, &["`nonesuch` is not a folder", "mnist"]);

    let weights = fs::read(sandbox.path("out/weights.safetensors")).unwrap();
    let path = sandbox.path("out/weights.safetensors");
    for (what, bytes) in
        [("empty", &[][..]), ("cut", &weights[..weights.len() - 4]), ("text", b"not weights")]
    {
        fs::write(&path, bytes).unwrap();
        let expected = ["out/weights.safetensors", "not a whole safetensors file"];
        sandbox.fail(&format!("evaluate out --data {what}"), 1, &expected);
    }
    fs::write(&path, weights).unwrap();
    fs::write(sandbox.path("out/model.toml"), MODEL.replace("filters = 4", "filters = 8")).unwrap();
    sandbox.fail("evaluate out", 1, &["conv2d.kernel", "[3, 3, 1, 4]", "[3, 3, 1, 8]"]);
    fs::remove_file(&path).unwrap();
    sandbox.fail("evaluate out", 1, &["`out`", "no weights.safetensors"]);
}
