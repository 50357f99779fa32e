//! Files and folders whose names are not Unicode, or not plain words.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::sandbox::{Outcome, Sandbox, outcome};

/// A name that is not UTF-8.
fn name(stem: &str) -> PathBuf {
    let bytes = [stem.as_bytes(), b"\xff"].concat();
    OsStr::from_bytes(&bytes).into()
}

/// Runs the program; `~` at the start of an argument stands for a name that is not UTF-8.
fn run(sandbox: &Sandbox, args: &str) -> Outcome {
    let mut command = sandbox.command("");
    for arg in args.split_whitespace() {
        match arg.strip_prefix('~') {
            Some(stem) => command.arg(name(stem)),
            None => command.arg(arg),
        };
    }
    outcome(args, command)
}

fn succeed(sandbox: &Sandbox, args: &str) -> Outcome {
    let outcome = run(sandbox, args);
    assert_eq!(outcome.code, 0, "{args}: {outcome:?}");
    outcome
}

#[test]
fn every_command_takes_names_that_are_no_text() {
    let sandbox = Sandbox::new();
    let path = |stem: &str| sandbox.path("").join(name(stem));
    fs::rename(sandbox.path("data"), path("data")).unwrap();
    fs::rename(sandbox.path("model.toml"), path("model")).unwrap();
    let job = "--model ~model --data ~data --device cpu --batch-size 16";
    succeed(&sandbox, &format!("train {job} --max-steps 1 --out start"));
    fs::copy(sandbox.path("start/weights.safetensors"), path("init")).unwrap();
    let more = "--init ~init --validation-data ~data --tensorboard ~logs";
    let trained = succeed(&sandbox, &format!("train {job} {more} --epochs 2 --out ~run"));
    assert!(trained.stdout.contains("\nRun: run\u{fffd}\n"), "{}", trained.stdout);

    // Text from which each path can be read back.
    let result = fs::read_to_string(path("run").join("result.json")).unwrap();
    let result: serde_json::Value = serde_json::from_str(&result).unwrap();
    let folder = sandbox.path("").canonicalize().unwrap().display().to_string();
    for (key, file) in [("data", "data%ff"), ("validation_data", "data%ff"), ("init", "init%ff")] {
        assert_eq!(result[key], format!("file://{folder}/{file}"), "{key}");
    }
    let evaluated = succeed(&sandbox, "evaluate ~run --device cpu");
    assert_eq!(evaluated.last_line(), trained.last_line());
    let given = succeed(&sandbox, "evaluate ~run --device cpu --data ~data");
    assert_eq!(given.last_line(), trained.last_line());
    let recorded = format!("evaluate ~run --device cpu --data file://{folder}/data%ff");
    assert_eq!(run(&sandbox, &recorded).code, 1, "on the command line a path is a path");

    let further = succeed(&sandbox, "train --resume --out ~run --epochs 3 --tensorboard ~logs --json");
    let last: serde_json::Value = serde_json::from_str(further.last_line()).unwrap();
    assert_eq!(last["run"], "file://run%ff");
    succeed(&sandbox, "report ~run --device cpu --out ~page --plots ~plots");
    succeed(&sandbox, "export ~run ~model.onnx");
    succeed(&sandbox, "explain --model ~model --device cpu");
    succeed(&sandbox, "crossval --model ~model --data ~data --device cpu --folds 2 --epochs 1 --out ~folds");
    let digit = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/digits/9-large.png");
    fs::create_dir(path("pictures")).unwrap();
    fs::copy(digit, path("pictures").join(name("nine").with_extension("png"))).unwrap();
    fs::copy(digit, path("nine")).unwrap();
    let predicted = succeed(&sandbox, "predict ~run ~nine ~pictures --device cpu --json");
    assert_eq!(predicted.stdout.lines().count(), 2, "{}", predicted.stdout);
    for kept in ["page", "plots", "model.onnx", "folds", "logs"] {
        assert!(path(kept).exists(), "{kept}");
    }
}

#[test]
fn a_command_that_is_suggested_can_be_pasted() {
    let sandbox = Sandbox::new();
    let job = "train --model model.toml --data data --device cpu --max-steps 1";
    for (folder, word) in [(PathBuf::from("my run's"), r"'my run'\''s'"), (name("run"), r"$'run\xff'")] {
        let mut begin = sandbox.command(job);
        begin.arg("--out").arg(&folder);
        assert_eq!(outcome("begin", begin).code, 0);
        // A run whose data is gone says how to resume.
        fs::rename(sandbox.path("data"), sandbox.path("away")).unwrap();
        let mut resume = sandbox.command("train --resume --epochs 9 --max-steps 2 --out");
        resume.arg(&folder);
        let failed = outcome("resume", resume);
        fs::rename(sandbox.path("away"), sandbox.path("data")).unwrap();
        let suggested = format!("shadegrad train --resume --out {word} --epochs 9 --max-steps 2 --data DIR");
        assert!(failed.stderr.contains(&suggested), "{suggested:?} is missing from {}", failed.stderr);
    }
}
