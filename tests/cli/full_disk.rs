//! A full disk, simulated by a limit on the size of files: with its signal ignored, exceeding it is an error of
//! `write`.

#![cfg(unix)]

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::sandbox::{MODEL, Outcome, Sandbox, outcome, program};

/// Runs the program with files of at most this many blocks.
fn limited(sandbox: &Sandbox, blocks: usize, args: &str) -> Outcome {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {} {args}", program().display());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(sandbox.path(""));
    outcome(args, shell)
}

fn assert_says(outcome: &Outcome, texts: &[&str]) {
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{}", outcome.stderr);
    for text in texts {
        assert!(outcome.stderr.contains(text), "{text:?} is missing from {}", outcome.stderr);
    }
}

#[test]
fn what_cannot_be_written_is_named_and_the_run_goes_on_afterwards() {
    let sandbox = Sandbox::new();
    let train = |flags: &str, out: &str| {
        format!("train --model model.toml --data data --device cpu {flags} --out {out}")
    };
    // With one step per epoch the state of a checkpoint is the first file to exceed the limit; with many, the log of
    // steps.
    // (flags, largest file in blocks, what cannot be written)
    let rows = [
        ("--batch-size 40 --epochs 40", 8, "/checkpoints/step-000000"),
        ("--batch-size 1 --epochs 20", 8, "/steps.jsonl`"),
        ("--batch-size 1 --epochs 20 --checkpoint-steps 7", 8, "/steps.jsonl`"),
    ];
    for (index, (flags, blocks, unwritten)) in rows.into_iter().enumerate() {
        let [run, whole] = [format!("run-{index}"), format!("whole-{index}")];
        let ended = limited(&sandbox, blocks, &train(flags, &run));
        let kept = format!(
            "is kept: once this is fixed, resume with: {} train --resume --out {run}",
            program().display()
        );
        let reasons = ["cannot be written", "File too large", "free some space", &kept];
        assert_says(&ended, &[&[format!("`{run}{unwritten}").as_str()][..], &reasons].concat());
        assert!(!sandbox.path(&run).join("result.json").exists());
        assert!(sandbox.list(&format!("{run}/checkpoints")).len() >= 2, "{flags}: none is left");
        let left = |dir: &str| sandbox.list(dir).into_iter().filter(|name| name.starts_with('.')).count();
        assert_eq!(left(&run) + left(&format!("{run}/checkpoints")), 0, "{flags}: something is left");
        // Full for the second time, then no longer.
        assert_says(&limited(&sandbox, blocks, &format!("train --resume --out {run}")), &[&kept]);
        sandbox.succeed(&format!("train --resume --out {run}"));
        sandbox.succeed(&train(flags, &whole));
        for file in ["weights.safetensors", "steps.jsonl"] {
            let [ours, theirs] = [&run, &whole].map(|run| fs::read(sandbox.path(run).join(file)).unwrap());
            assert!(ours == theirs, "{flags}: {file} differs");
        }
    }
}

#[test]
fn the_first_checkpoint_is_named_by_its_file() {
    let sandbox = Sandbox::new();
    // A model file of more than one block, weights of more than two.
    let names = format!("class_names = [\"{}\", \"b\", \"c\"]\ninput_shape", "a".repeat(300));
    let model = MODEL.replace("filters = 4", "filters = 32").replace("input_shape", &names);
    fs::write(sandbox.path("model.toml"), model).unwrap();
    let ended = limited(&sandbox, 1, "train --model model.toml --data data --device cpu --out run");
    assert_says(&ended, &["`run/model.toml` cannot be written: File too large", "free some space"]);
    let ended = limited(&sandbox, 2, "train --model model.toml --data data --device cpu --out other");
    assert_says(&ended, &["`other/checkpoints/step-00000000/", "cannot be written: File too large"]);
    assert!(!ended.stderr.contains("--resume"), "there is nothing to go on from: {}", ended.stderr);
    sandbox.fail("train --resume --out other", 1, &["`other` has no checkpoint to resume from"]);
    sandbox.train("--device cpu --epochs 1 --force --out other");
}

#[test]
fn weights_that_cannot_be_written_in_the_end_are_in_the_last_checkpoint() {
    let sandbox = Sandbox::new();
    const EPOCHS: usize = 300;
    let train = format!("train --model model.toml --data data --device cpu --epochs {EPOCHS}");
    sandbox.succeed(&format!("{train} --out whole"));
    for file in ["weights.safetensors", "result.json"] {
        let run = format!("run-{file}");
        let child = sandbox.command(&format!("{train} --out {run}")).stderr(Stdio::piped()).spawn().unwrap();
        let history = sandbox.path(&run).join("history.jsonl");
        while fs::metadata(&history).map_or(0, |found| found.len()) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        // A folder cannot be replaced by a file, not even by root. A check before training would find it.
        fs::create_dir(sandbox.path(&run).join(file)).unwrap();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        let named = format!("`{run}/{file}` cannot be written");
        let kept = format!("`{run}/checkpoints/step-{EPOCHS:08}` is kept");
        let go_on = format!("train --resume --out {run}");
        for text in [&named, &kept, &go_on] {
            assert!(said.contains(text), "{text:?} is missing from {said}");
        }
        sandbox.fail(&go_on, 1, &[&named, &kept]);
        fs::remove_dir(sandbox.path(&run).join(file)).unwrap();
        sandbox.succeed(&go_on);
        let [ours, theirs] =
            [&run, "whole"].map(|run| fs::read(sandbox.path(run).join("weights.safetensors")));
        assert!(ours.unwrap() == theirs.unwrap(), "{file}");
    }
}

#[test]
fn pages_models_and_pictures_are_whole_or_not_there() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --epochs 1 --out run");
    let before = sandbox.list("run");
    // (command, file)
    let rows = [
        ("report run --device cpu", "run/report.html"),
        ("report run --device cpu --plots plots", "plots/loss.svg"),
        ("export run model.onnx", "model.onnx"),
    ];
    for (args, file) in rows {
        let ended = limited(&sandbox, 1, args);
        assert_says(&ended, &[&format!("`{file}` cannot be written: File too large")]);
        assert!(!sandbox.path(file).exists(), "{file}");
        assert_eq!(sandbox.list("run"), before);
    }
    assert_eq!(sandbox.list("plots"), [""; 0]);
    let ended = limited(&sandbox, 1, "train --model model.toml --data data --device cpu --out run --resume");
    assert_eq!(ended.code, 2, "{ended:?}");
}

#[test]
fn figures_for_tensorboard_and_tables_are_named_too() {
    let sandbox = Sandbox::new();
    let train = "train --model model.toml --data data --device cpu --out";
    // With one step per epoch the TensorBoard file grows faster than any log.
    let flags = "--batch-size 40 --epochs 60 --validation-split 0.2 --no-checkpoints";
    let ended = limited(&sandbox, 8, &format!("{train} run {flags} --tensorboard logs"));
    assert_says(&ended, &["logs/run/events.out.tfevents.", "cannot be written: File too large"]);
    fs::write(sandbox.path("file"), "").unwrap();
    sandbox.fail(&format!("{train} other --tensorboard file"), 1, &["`file/other` cannot be written"]);
}
