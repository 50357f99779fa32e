//! A job with everything that affects how training continues, interrupted in every way: `scripts/interruptions` does
//! this at many more moments of a real job.

#![cfg(unix)]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::sandbox::{MODEL, Sandbox};

/// Dropout and augmentation in the model; a schedule, early stopping that restores the best weights, and a split.
const TRAIN: &str = "train --model all.toml --data data --batch-size 4 --epochs 40 --validation-split 0.2 \
                     --checkpoint-steps 3 --schedule type=cosine,decay_steps=400,warmup_steps=9,warmup_target=0.01 \
                     --early-stopping patience=2,min_delta=0.01,restore_best_weights=true";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let text = MODEL
        .replacen(
            "[[layers]]",
            "[augmentation]\nrotation_range = 10\nwidth_shift_range = 0.1\n\n[[layers]]",
            1,
        )
        .replace(
            "\n[[layers]]\ntype = \"Flatten\"",
            "\n[[layers]]\ntype = \"Dropout\"\nrate = 0.25\n\n[[layers]]\ntype = \"Flatten\"",
        );
    assert!(text.contains("Dropout") && text.contains("rotation_range"));
    fs::write(sandbox.path("all.toml"), text).unwrap();
    sandbox
}

fn start(sandbox: &Sandbox, args: &str) -> Child {
    sandbox.command(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signal: &str) {
    // It may have ended by itself.
    Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
}

/// Waits until there is a checkpoint.
fn wait_for_checkpoint(sandbox: &Sandbox, run: &str) {
    for _ in 0..4000 {
        let names = fs::read_dir(sandbox.path(run).join("checkpoints"));
        let whole = |name: String| name.starts_with("step-");
        if names.is_ok_and(|mut names| {
            names.any(|name| whole(name.unwrap().file_name().to_string_lossy().into_owned()))
        }) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{run} got no checkpoint");
}

/// The lines of a log, without what depends on the clock.
fn without_seconds(sandbox: &Sandbox, file: &str) -> Vec<Value> {
    let mut lines = sandbox.json_lines(file);
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("seconds").unwrap();
    }
    lines
}

fn compare(sandbox: &Sandbox, run: &str, place: &str) {
    for file in ["weights.safetensors", "steps.jsonl", "model.toml"] {
        let [ours, theirs] = [run, "whole"].map(|run| fs::read(sandbox.path(run).join(file)).unwrap());
        assert!(ours == theirs, "{place}: {file} differs");
    }
    let [ours, theirs] = [run, "whole"].map(|run| without_seconds(sandbox, &format!("{run}/history.jsonl")));
    assert_eq!(ours, theirs, "{place}");
    let table = |run: &str| -> Vec<String> {
        let cut = |line: &str| line.rsplit_once(',').unwrap().0.to_owned();
        sandbox.text(&format!("{run}/history.csv")).lines().map(cut).collect()
    };
    assert_eq!(table(run), table("whole"), "{place}");
    assert_eq!(sandbox.list(run), sandbox.list("whole"), "{place}: files that were left behind");
    let [ours, theirs] = [run, "whole"].map(|run| sandbox.json(&format!("{run}/result.json")));
    for key in ["stopped", "steps", "test_loss", "test_accuracy", "weights_sha256"] {
        assert_eq!(ours[key], theirs[key], "{place}: {key}");
    }
}

#[test]
fn runs_that_are_interrupted_again_and_again_end_as_one_that_was_not() {
    // (signal; exit code when it comes in time, none if it kills; milliseconds until it is sent, each time the run is
    // resumed)
    let rows: [(&str, Option<i32>, &[u64]); 6] = [
        ("-KILL", None, &[0, 30, 60]),
        ("-KILL", None, &[90]),
        ("-KILL", None, &[250]),
        ("-INT", Some(130), &[0, 30]),
        ("-INT", Some(130), &[120]),
        ("-TERM", Some(130), &[10, 100]),
    ];
    for device in ["cpu", "software"] {
        let sandbox = sandbox();
        sandbox.succeed(&format!("{TRAIN} --device {device} --out whole"));
        let stopped = &sandbox.json("whole/result.json")["stopped"];
        assert_eq!(stopped["reason"], "early_stopping", "{stopped}");
        assert_ne!(stopped["epoch"], stopped["weights_of_epoch"], "{stopped}");
        let mut interruptions = 0;
        for (index, (signal, code, moments)) in rows.into_iter().enumerate() {
            let (run, place) = (index.to_string(), format!("{device}, {signal} after {moments:?}"));
            let mut child = start(&sandbox, &format!("{TRAIN} --device {device} --out {run}"));
            for millis in moments {
                wait_for_checkpoint(&sandbox, &run);
                std::thread::sleep(Duration::from_millis(*millis));
                send(&child, signal);
                let status = child.wait().unwrap();
                // A resumed run that does not handle the signal yet is ended by it.
                let right = status.success() || status.code() == code || status.code().is_none();
                assert!(right, "{place}: {status}");
                interruptions += usize::from(!status.success());
                child = start(&sandbox, &format!("train --resume --out {run}"));
            }
            let ended = child.wait_with_output().unwrap();
            let stderr = String::from_utf8(ended.stderr).unwrap();
            assert!(ended.status.success() && stderr.contains("Resuming from"), "{place}: {stderr}");
            compare(&sandbox, &run, &place);
        }
        assert!(interruptions >= rows.len(), "{device}: most came too late, {interruptions}");
    }
}

#[test]
fn ctrl_c_and_termination_keep_what_was_done() {
    let sandbox = Sandbox::new();
    for signal in ["-INT", "-TERM"] {
        let run = format!("run{signal}");
        let train =
            "train --model model.toml --data data --batch-size 1 --epochs 5000 --device cpu --json --out";
        let mut child = sandbox.command(&format!("{train} {run}"));
        let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_checkpoint(&sandbox, &run);
        // Signals are handled before the first checkpoint is made.
        std::thread::sleep(Duration::from_millis(50));
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal}: {stderr}");
        assert!(stderr.contains(&format!("shadegrad train --resume --out {run}")), "{stderr}");
        assert!(!sandbox.path(&run).join("result.json").exists());
        let steps = sandbox.json_lines(&format!("{run}/steps.jsonl")).len();
        let last = sandbox.list(&format!("{run}/checkpoints")).pop().unwrap();
        assert_eq!(last, format!("step-{steps:08}"));
        let stdout = String::from_utf8(output.stdout).unwrap();
        let last: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
        assert_eq!(last, serde_json::json!({ "event": "interrupted", "run": run, "steps": steps }));
    }
}

#[test]
fn a_second_ctrl_c_does_not_wait() {
    let sandbox = Sandbox::new();
    // A step takes seconds.
    let train = "train --device cpu --batch-size 20000 --out run";
    let child = sandbox.command(train).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_checkpoint(&sandbox, "run");
    for _ in 0..2 {
        send(&child, "-INT");
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(!stderr.contains("Interrupted after step"), "{stderr}");
    assert_eq!(sandbox.list("run/checkpoints"), ["step-00000000"]);
}
