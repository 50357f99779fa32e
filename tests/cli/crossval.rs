//! `crossval`.

use std::fs;
#[cfg(unix)]
use std::process::{Command, Stdio};
#[cfg(unix)]
use std::time::Duration;

use crate::sandbox::{MODEL, Sandbox};

#[test]
fn every_fold_is_trained_and_the_mean_told() {
    let sandbox = Sandbox::new();
    let args = "crossval --model model.toml --data data --device cpu --folds 3 --epochs 2 --batch-size 8";
    let outcome = sandbox.succeed(&format!("{args} --out out"));
    assert!(outcome.stdout.contains("40 samples in 3 folds"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("\nRun: out\nModel  Weights "), "{}", outcome.stdout);
    assert!(outcome.last_line().starts_with("small  "), "{}", outcome.stdout);
    let spread =
        predicates::str::is_match(r"^small +151 +[01]\.\d{4} \+- \d\.\d{4} +\d+\.\d{4} \+- \d").unwrap();
    assert!(predicates::Predicate::eval(&spread, outcome.last_line()), "{}", outcome.last_line());
    for fold in 1..=3 {
        let told = format!("\nsmall: fold {fold} of 3\nEpoch 1/2 - ");
        assert!(outcome.stdout.contains(&told), "{}", outcome.stdout);
        let history = sandbox.json_lines(&format!("out/1-small/fold-{fold}/history.jsonl"));
        assert_eq!(history.len(), 2);
        assert!(history[1]["val_loss"].is_f64(), "{}", history[1]);
    }
    let result = sandbox.json("out/crossval.json");
    let model = &result["models"][0];
    let scores: Vec<f64> =
        model["folds"].as_array().unwrap().iter().map(|fold| fold["accuracy"].as_f64().unwrap()).collect();
    assert_eq!(scores.len(), 3);
    let mean = scores.iter().sum::<f64>() / 3.0;
    assert!((model["accuracy"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{model}");

    // The same seed gives the same scores; another one gives other folds.
    let scores = |flags: &str| {
        let outcome = sandbox.succeed(&format!("{args} {flags} --json"));
        assert!(outcome.stderr.contains("small: fold 3 of 3\nEpoch 1/2 - "), "{}", outcome.stderr);
        let stdout = outcome.stdout;
        let result: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        result["models"][0]["loss"].clone()
    };
    assert_eq!(scores(""), model["loss"]);
    assert_ne!(scores("--seed 1"), model["loss"]);
    assert_eq!(sandbox.list("runs"), ["crossval-1", "crossval-2"]);
}

#[test]
fn models_are_compared_in_one_table() {
    let sandbox = Sandbox::new();
    let wide = MODEL.replace("filters = 4", "filters = 8").replace("\"small\"", "\"wide\"");
    fs::write(sandbox.path("wide.toml"), wide).unwrap();
    let args = "crossval --model model.toml --model wide.toml --data data --device cpu --folds 2 --epochs 1 --limit 20";
    let outcome = sandbox.succeed(&format!("{args} --out out"));
    let table: Vec<_> = outcome.stdout.lines().rev().take(3).collect();
    assert!(
        table[0].starts_with("wide ") && table[1].starts_with("small ") && table[2].starts_with("Model "),
        "{table:?}"
    );
    assert_eq!(sandbox.list("out"), ["1-small", "2-wide", "crossval.json"]);
    assert_eq!(sandbox.json("out/crossval.json")["samples"], 20);
}

#[cfg(unix)]
#[test]
fn what_is_known_stays_when_it_is_interrupted() {
    let sandbox = Sandbox::new();
    // The second model goes on for longer than anybody waits.
    let long = MODEL.replace("\"small\"", "\"long\"").replacen(
        "[[layers]]",
        "[training]\nepochs = 1000000\n\n[[layers]]",
        1,
    );
    fs::write(sandbox.path("long.toml"), long).unwrap();
    let args = "crossval --model model.toml --model long.toml --data data --device cpu --folds 2 --out out";
    let running = sandbox.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let history = sandbox.path("out/2-long/fold-1/history.jsonl");
    for _ in 0..4000 {
        if history.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(history.exists(), "the second model was not trained within 20 seconds");
    Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    let ended = running.wait_with_output().unwrap();
    let [stdout, stderr] = [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert!(stderr.ends_with("Interrupted in fold 1 of 2 of long; the folds before it are in out, each with its scores in fold.json\n"), "{stderr}");
    assert!(stdout.lines().last().unwrap().starts_with("small  "), "{stdout}");
    assert_eq!(sandbox.list("out/1-small"), ["fold-1", "fold-2"]);
    for fold in ["fold-1", "fold-2"] {
        assert!(sandbox.json_lines(&format!("out/1-small/{fold}/fold.json"))[0]["loss"].is_f64());
    }
    assert!(!sandbox.path("out/crossval.json").exists());
    sandbox.succeed(&format!("{args} --force --epochs 1"));
    assert!(sandbox.path("out/crossval.json").exists());
}

/// This rate spoils the weights of every fold, or, by its schedule, only of folds with enough steps.
#[test]
fn a_fold_that_diverges_does_not_take_the_others_with_it() {
    let sandbox = Sandbox::new();
    // 40 samples in 3 folds: 26, 27 and 27 are trained on, one by one.
    let args = "crossval --model model.toml --data data --device cpu --folds 3 --epochs 1 --batch-size 1";
    let jump = |step: usize| format!("--schedule type=step,boundaries=[{step}],values=[0.001,3e38]");
    // (steps at the sound rate except one, folds that diverge)
    for (step, diverged) in [(25, vec![2, 3]), (5, vec![1, 2, 3])] {
        let out = format!("out-{step}");
        let outcome = sandbox.run(&format!("{args} {} --out {out}", jump(step)));
        assert_eq!(outcome.code, 1, "{outcome:?}");
        let said = format!("error: {} of 3 folds diverged", diverged.len());
        assert!(outcome.stderr.contains(&said) && outcome.stderr.contains("--learning-rate"), "{outcome:?}");
        let model = &sandbox.json(&format!("{out}/crossval.json"))["models"][0];
        for fold in 1..=3 {
            let result = &sandbox.json_lines(&format!("{out}/1-small/fold-{fold}/fold.json"))[0];
            assert_eq!(*result, model["folds"][fold - 1]);
            let bad = diverged.contains(&fold);
            assert_eq!(result["diverged"].is_string(), bad, "{result}");
            assert_eq!(result["accuracy"].is_f64(), !bad, "{result}");
            let warned = outcome
                .stderr
                .contains(&format!("warning: small: fold {fold} has no score: training has diverged"));
            assert_eq!(warned, bad, "{outcome:?}");
        }
        let first = &model["folds"][0]["accuracy"];
        assert_eq!(model["accuracy"]["mean"], *first, "the mean is that of the folds that are left");
        assert_eq!(outcome.last_line().contains("  -  "), diverged.len() == 3, "{}", outcome.stdout);
    }
    // Files of more folds are removed for a run with fewer; other files stay.
    fs::write(sandbox.path("out-5/1-small/fold-3/notes.txt"), "mine").unwrap();
    sandbox.succeed(&format!("{args} --folds 2 --out out-5 --force").replace("--folds 3 ", ""));
    assert_eq!(sandbox.list("out-5/1-small"), ["fold-1", "fold-2", "fold-3"]);
    assert_eq!(sandbox.list("out-5/1-small/fold-3"), ["notes.txt"]);
}

#[test]
fn mistakes_are_found_before_training() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("two.toml"), MODEL.replace("units = 3", "units = 2")).unwrap();
    let rows: [(&str, i32, &[&str]); 7] = [
        ("--folds 1", 2, &["'--folds <K>'", "at least 2"]),
        ("--folds 41", 1, &["one for each of 40 images", "found 41"]),
        ("--model nonesuch.toml", 1, &["no model file `nonesuch.toml`"]),
        ("--model two.toml", 1, &["3 classes", "2 units"]),
        ("--model tutorial", 1, &["[28, 28, 1]"]),
        ("--force", 2, &["--out <DIR>"]),
        ("--epochs 0", 2, &["'--epochs <N>'"]),
    ];
    for (flags, code, expected) in rows {
        sandbox.fail(
            &format!("crossval --model model.toml --data data --device cpu {flags}"),
            code,
            expected,
        );
        assert!(!sandbox.path("runs").exists(), "{flags}: a folder was left");
    }
    fs::create_dir(sandbox.path("out")).unwrap();
    fs::write(sandbox.path("out/notes.txt"), "mine").unwrap();
    let args = "crossval --model model.toml --data data --device cpu --folds 2 --epochs 1 --out out";
    sandbox.fail(args, 1, &["`out` is not empty", "--force"]);
    sandbox.succeed(&format!("{args} --force"));
    assert_eq!(sandbox.text("out/notes.txt"), "mine");
    // A file that only has the name of one of its files belongs to somebody else.
    for file in ["crossval.json", "1-small/fold-2/history.jsonl"] {
        let result = sandbox.text(&format!("out/{file}"));
        fs::write(sandbox.path("out").join(file), "{\"mine\": 1}\n").unwrap();
        let said = format!("`out/{file}` is not a file of a cross-validation");
        sandbox.fail(&format!("{args} --force"), 1, &[&said, "move it away"]);
        assert_eq!(sandbox.text(&format!("out/{file}")), "{\"mine\": 1}\n");
        fs::write(sandbox.path("out").join(file), result).unwrap();
    }
    sandbox.succeed(&format!("{args} --force"));
}
