//! `--tune`, and the file of kernel times that it keeps.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// The file of kernel times in the sandbox's cache folder.
const TIMES: &str = "cache/shadegrad/kernels.json";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let cache = sandbox.path("cache").display().to_string();
    sandbox.with("XDG_CACHE_HOME", &cache)
}

/// Makes the last candidate of each step the fastest by far; the variants that will run, by kind.
fn prefer_the_last(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let mut times = sandbox.json(TIMES);
    let mut preferred = BTreeMap::new();
    for step in times["steps"].as_object_mut().unwrap().values_mut() {
        let kind = step["kind"].as_str().unwrap().to_owned();
        let candidates = step["candidates"].as_array_mut().unwrap();
        let last = candidates.len() - 1;
        for (place, candidate) in candidates.iter_mut().enumerate() {
            assert!(candidate["milliseconds"].as_f64().is_some_and(|ms| ms > 0.0), "{kind}: {candidate}");
            candidate["milliseconds"] = if place == last { 0.001.into() } else { 1.0.into() };
        }
        preferred.insert(kind, candidates[last]["variant"].as_str().unwrap().to_owned());
    }
    fs::write(sandbox.path(TIMES), times.to_string()).unwrap();
    preferred
}

fn kernels(sandbox: &Sandbox, run: &str) -> BTreeMap<String, String> {
    serde_json::from_value(sandbox.json(&format!("{run}/result.json"))["kernels"].clone()).unwrap()
}

fn losses(sandbox: &Sandbox, run: &str) -> Vec<f64> {
    let steps = sandbox.json_lines(&format!("{run}/steps.jsonl"));
    steps.iter().map(|step| step["loss"].as_f64().unwrap()).collect()
}

#[test]
fn what_was_measured_is_shown_kept_and_taken() {
    let sandbox = sandbox();
    let explain = "explain --model model.toml --batch-size 8 --device software --tune";
    let first = sandbox.succeed(explain);
    assert!(first.stderr.contains("Tuned: ") && first.stderr.contains(" 0 known before"), "{}", first.stderr);
    for text in ["Kernels measured", "conv2d_maxpool_forward", "default", "runs"] {
        assert!(first.stdout.contains(text), "{text:?} is missing from\n{}", first.stdout);
    }
    assert!(first.stdout.lines().skip(1).all(|line| line.chars().count() <= 120), "{}", first.stdout);
    let written = sandbox.text(TIMES);
    assert!(sandbox.succeed(explain).stderr.contains("; 0 measured now"), "it is known by now");
    assert_eq!(sandbox.text(TIMES), written, "and not written again");

    // A run uses the known times, whatever this machine would measure now.
    let preferred = prefer_the_last(&sandbox);
    let train = "--device software --batch-size 8 --epochs 2";
    let tuned = sandbox.train(&format!("{train} --tune --out tuned"));
    assert!(tuned.stderr.contains("; 0 measured now"), "{}", tuned.stderr);
    let written = sandbox.text(TIMES);
    sandbox.train(&format!("{train} --out plain"));
    assert_eq!(sandbox.text(TIMES), written);
    let flags = ["tuned", "plain"].map(|run| sandbox.json(&format!("{run}/result.json"))["tuned"].clone());
    assert_eq!(flags, [Value::Bool(true), Value::Bool(false)]);
    let (tuned_kernels, plain_kernels) = (kernels(&sandbox, "tuned"), kernels(&sandbox, "plain"));
    assert_eq!(tuned_kernels["conv2d/forward_pooled"], preferred["conv2d_maxpool_forward"]);
    assert_ne!(tuned_kernels, plain_kernels);
    for (tuned, plain) in losses(&sandbox, "tuned").iter().zip(losses(&sandbox, "plain")) {
        assert!((tuned - plain).abs() <= 1e-4 * plain, "{tuned} and {plain}");
    }
    let bench = sandbox
        .succeed("bench --model model.toml --batch-size 8 --device software --repeats 1 --json --tune");
    let report: Value = serde_json::from_str(&bench.stdout).unwrap();
    for step in report["steps"].as_array().unwrap() {
        assert_eq!(step["variant"], tuned_kernels[step["name"].as_str().unwrap()], "{step}");
    }

    // Evaluation needs no flag: the run records its kernels.
    let outcome = sandbox.succeed("evaluate tuned --device software");
    assert_eq!(outcome.last_line(), tuned.last_line());
}

#[test]
fn a_damaged_file_is_ignored_with_a_warning_and_replaced() {
    let sandbox = sandbox();
    fs::create_dir_all(sandbox.path("cache/shadegrad")).unwrap();
    fs::write(sandbox.path(TIMES), "{\"steps\": 7").unwrap();
    let explain = "explain --model model.toml --batch-size 8 --device software";
    assert_eq!(sandbox.succeed(explain).stderr, "", "it is not even read");
    let outcome = sandbox.succeed(&format!("{explain} --tune"));
    for text in ["warning: ", "kernels.json", "rewritten", " 0 known before"] {
        assert!(outcome.stderr.contains(text), "{text:?} is missing from {}", outcome.stderr);
    }
    assert_eq!(sandbox.list("cache/shadegrad"), ["kernels.json"]);
    assert!(sandbox.json(TIMES)["steps"].as_object().is_some_and(|steps| !steps.is_empty()));
}

#[test]
fn a_file_that_cannot_be_read_is_called_that_and_left_alone() {
    let sandbox = sandbox();
    // A folder, since permissions do not keep root from reading a file.
    fs::create_dir_all(sandbox.path(TIMES).join("inside")).unwrap();
    let outcome = sandbox.succeed("explain --model model.toml --batch-size 8 --device software --tune");
    for text in ["warning: ", "kernels.json` cannot be read: ", "stays as it is", " 0 known before"] {
        assert!(outcome.stderr.contains(text), "{text:?} is missing from {}", outcome.stderr);
    }
    assert!(!outcome.stderr.contains("is not a file of kernel times"), "{}", outcome.stderr);
    assert_eq!(sandbox.list("cache/shadegrad/kernels.json"), ["inside"]);
}

#[test]
fn without_the_flag_nothing_is_kept_and_the_cpu_has_nothing_to_tune() {
    let sandbox = sandbox();
    sandbox.train("--device software --max-steps 1 --out plain");
    let outcome = sandbox.train("--device cpu --max-steps 1 --tune --out cpu");
    assert!(outcome.stderr.contains("--tune has no effect on the CPU executor"), "{}", outcome.stderr);
    assert_eq!(sandbox.json("cpu/result.json")["tuned"], false);
    assert!(!sandbox.path("cache/shadegrad").exists());
}

#[test]
fn a_run_without_fusion_is_judged_without() {
    let sandbox = sandbox();
    let figures = sandbox.train("--device software --no-fuse --epochs 2 --batch-size 8 --out out");
    assert_eq!(sandbox.succeed("evaluate out --device software").last_line(), figures.last_line());
}

#[test]
fn a_tuned_run_goes_on_with_its_kernels() {
    let sandbox = sandbox();
    let train =
        "train --model model.toml --data data --batch-size 8 --device software --tune --epochs 4 --out";
    sandbox.succeed(&format!("{train} first"));
    // At least some kernels differ from the choice for the device's class.
    let preferred = prefer_the_last(&sandbox);
    sandbox.succeed(&format!("{train} whole"));
    assert_ne!(kernels(&sandbox, "whole"), kernels(&sandbox, "first"), "{preferred:?}");
    sandbox.succeed(&format!("{train} run --max-steps 7"));
    // What this machine would measure now does not matter.
    fs::remove_file(sandbox.path(TIMES)).unwrap();
    sandbox.succeed("train --resume --out run --max-steps 20");
    assert_eq!(kernels(&sandbox, "run"), kernels(&sandbox, "whole"));
    assert!(!sandbox.path(TIMES).exists(), "nothing was measured");
    assert_eq!(sandbox.json("run/result.json")["tuned"], true);
    let weights = |run: &str| fs::read(sandbox.path(run).join("weights.safetensors")).unwrap();
    assert!(weights("run") == weights("whole"), "20 steps are all there are");
}
