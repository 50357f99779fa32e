//! A device that fails: lost, without memory, without an answer. Every command ends with an error that says what
//! happened, where, and what to do; training resumes from its last checkpoint to the same bits.

use std::fs;

use crate::sandbox::{Outcome, Sandbox, program};

const TRAIN: &str = "train --model model.toml --data data --batch-size 4 --epochs 4 --device software";
const FAIL: &str = "SHADEGRAD_FAIL";
/// What the message of each kind of failure says.
const KINDS: [(&str, &str); 4] = [
    ("device-lost", "was lost: it was made to fail, for a test; everything that ran on it is lost"),
    ("lost-in-wait", "was lost: it was made to fail, for a test; everything that ran on it is lost"),
    ("timeout", "did not answer within 60 s; use a smaller batch size"),
    ("allocation", "no memory for buffer `"),
];

/// Runs the program with a planned failure.
fn failing(sandbox: &Sandbox, args: &str, failure: &str) -> Outcome {
    let mut command = sandbox.command(args);
    command.env(FAIL, failure);
    crate::sandbox::outcome(args, command)
}

/// The one line that says what went wrong.
fn error_line<'a>(what: &str, outcome: &'a Outcome) -> &'a str {
    assert_eq!(outcome.code, 1, "{what}: {outcome:?}");
    let mut lines = outcome.stderr.lines().filter(|line| line.starts_with("error: "));
    let line = lines.next().unwrap_or_else(|| panic!("{what}: no error: {outcome:?}"));
    assert_eq!(lines.next(), None, "{what}: {outcome:?}");
    assert_eq!(outcome.stderr.lines().last(), Some(line), "{what}: {outcome:?}");
    line
}

fn weights(sandbox: &Sandbox, run: &str) -> Vec<u8> {
    fs::read(sandbox.path(run).join("weights.safetensors")).unwrap()
}

#[test]
fn training_names_its_last_checkpoint_and_goes_on_from_it() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --checkpoint-steps 3 --out whole"));
    let expected = weights(&sandbox, "whole");
    // (kind, batch, the step of the checkpoint): epochs of ten steps, without validation; the last row is the test
    // set.
    let rows = [
        ("device-lost", 1, 0),
        ("device-lost", 14, 13),
        ("device-lost", 39, 36),
        ("device-lost", 41, 40),
        ("lost-in-wait", 14, 13),
        ("timeout", 8, 6),
        ("timeout", 42, 40),
    ];
    for (index, (kind, batch, least)) in rows.into_iter().enumerate() {
        let what = format!("{kind}@{batch}");
        let run = format!("run-{index}");
        let outcome = failing(&sandbox, &format!("{TRAIN} --checkpoint-steps 3 --out {run}"), &what);
        let line = error_line(&what, &outcome);
        let said = KINDS.iter().find(|(name, _)| *name == kind).unwrap().1;
        assert!(line.contains(said), "{what}: {line}");
        if batch <= 40 {
            assert!(line.contains("training stopped after step "), "{what}: {line}");
        }
        let last = sandbox.list(&format!("{run}/checkpoints")).pop().unwrap();
        let on_time: usize = last.trim_start_matches("step-").parse().unwrap();
        // Some batches are in flight, and their checkpoints are not made yet.
        assert!(on_time <= least && (on_time > 0 || least < 10), "{what}: {last}");
        let kept = format!(
            "`{run}/checkpoints/{last}` is kept: once this is fixed, resume with: {} train --resume --out {run}",
            program().display()
        );
        assert!(line.ends_with(&kept), "{what}: {line}");
        assert!(!sandbox.path(&format!("{run}/result.json")).exists(), "{what}");
        let command = line.rsplit_once("/shadegrad ").unwrap().1;
        sandbox.succeed(command);
        assert!(weights(&sandbox, &run) == expected, "{what}: other weights");
        for file in ["steps.jsonl", "history.csv"] {
            let lines = |run: &str| sandbox.text(&format!("{run}/{file}")).lines().count();
            assert_eq!(lines(&run), lines("whole"), "{what}: {file}");
        }
        let steps = |run: &str| sandbox.text(&format!("{run}/steps.jsonl"));
        assert_eq!(steps(&run), steps("whole"), "{what}");
    }
}

#[test]
fn without_checkpoints_training_says_where_it_was() {
    let sandbox = Sandbox::new();
    for (index, failure) in ["device-lost@14", "lost-in-wait@14", "timeout@14"].into_iter().enumerate() {
        let outcome = failing(&sandbox, &format!("{TRAIN} --no-checkpoints --out run-{index}"), failure);
        let line = error_line(failure, &outcome);
        assert!(line.starts_with("error: training stopped after step 1"), "{failure}: {line}");
        assert!(line.contains(", in epoch 2: llvmpipe"), "{failure}: {line}");
        assert!(line.ends_with("there is no checkpoint: start again"), "{failure}: {line}");
        assert!(!sandbox.path(&format!("run-{index}/checkpoints")).exists(), "{failure}");
    }
}

/// Every buffer of a run is refused once: the run ends with the buffer's name, or takes another way to the same bits.
#[test]
fn each_allocation_may_be_refused() {
    let sandbox = Sandbox::new();
    let train = TRAIN.replace("--epochs 4", "--epochs 2");
    sandbox.succeed(&format!("{train} --out whole"));
    let expected = weights(&sandbox, "whole");
    let [mut refused, mut went_on] = [0, 0];
    for buffer in (1..).step_by(3) {
        let what = format!("allocation@{buffer}");
        let outcome = failing(&sandbox, &format!("{train} --out run --force"), &what);
        if outcome.code == 0 {
            assert!(weights(&sandbox, "run") == expected, "{what}: other weights");
            went_on += 1;
            if !outcome.stderr.contains("is streamed: ") {
                // There are no more buffers.
                break;
            }
            continue;
        }
        let line = error_line(&what, &outcome);
        refused += 1;
        assert!(line.contains("no memory for buffer `"), "{what}: {line}");
        assert!(line.contains("try a smaller batch size"), "{what}: {line}");
        if sandbox.path("run/checkpoints").exists() {
            let go_on = format!("resume with: {} train --resume --out run", program().display());
            assert!(line.ends_with(&go_on), "{what}: {line}");
            sandbox.succeed("train --resume --out run");
            assert!(weights(&sandbox, "run") == expected, "{what}: other weights");
        }
    }
    assert!(refused > 10 && went_on > 0, "{refused} refused, {went_on} went on");
}

#[test]
fn other_commands_say_what_happened() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --epochs 1 --out run").replace("--epochs 4 ", ""));
    let digit = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/digits/2-pencil.jpg");
    let commands = [
        "evaluate run --device software".to_owned(),
        "evaluate run --device software --report".to_owned(),
        format!("predict run {} --device software", digit.display()),
        "report run --device software".to_owned(),
        "crossval --model model.toml --data data --folds 2 --epochs 1 --device software".to_owned(),
    ];
    for args in &commands {
        for (kind, said) in KINDS {
            let what = format!("{args} with {kind}@1");
            let outcome = failing(&sandbox, args, &format!("{kind}@1"));
            let line = error_line(&what, &outcome);
            assert!(line.contains("llvmpipe") && line.contains(said), "{what}: {line}");
        }
    }
    assert!(!sandbox.path("run/report.html").exists(), "a report of nothing");
    sandbox.succeed("evaluate run --device software");
}

#[test]
fn a_failure_that_cannot_be_is_refused() {
    let sandbox = Sandbox::new();
    for value in ["", "device-lost", "device-lost@0", "nonesuch@3"] {
        let outcome = failing(&sandbox, &format!("{TRAIN} --out run"), value);
        let line = error_line(value, &outcome);
        assert!(line.contains("`SHADEGRAD_FAIL` is ") && line.contains("unset it"), "{value}: {line}");
    }
    // A failure of the best device does not select another one.
    let outcome = failing(&sandbox, "train --model model.toml --data data --out run", "nonesuch@3");
    assert!(outcome.code == 1 && outcome.stderr.contains("`SHADEGRAD_FAIL` is "), "{outcome:?}");
    let outcome = failing(&sandbox, &format!("{TRAIN} --out run"), "timeout@1");
    assert!(outcome.stderr.contains("`SHADEGRAD_FAIL` is set: "), "{outcome:?}");
}

/// The computer's own memory may run out as well.
#[cfg(target_os = "linux")]
#[test]
fn a_model_that_the_computer_cannot_hold_is_refused() {
    const LIMIT: &str = "ulimit -v 800000 && exec \"$@\"";
    let sandbox = Sandbox::new();
    // (units of a layer, what does not fit): a layer of 14,000,000 has 2 GB of weights, one of 1,000,000 a fourteenth, and
    // training takes several times as much.
    let rows =
        [(14_000_000, "the weights, "), (1_000_000, "the buffers of the plan for batches of 4 samples, ")];
    for (units, what) in rows {
        let dense =
            format!("[[layers]]\ntype = \"Flatten\"\n\n[[layers]]\ntype = \"Dense\"\nunits = {units}\n");
        let model = crate::sandbox::MODEL.replacen("[[layers]]\ntype = \"Flatten\"\n", &dense, 1);
        fs::write(sandbox.path("large.toml"), model).unwrap();
        let args = "train --model large.toml --data data --batch-size 4 --device cpu --out run";
        let program = sandbox.command(args);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", LIMIT, "sh"]).arg(program.get_program()).args(program.get_args());
        command.current_dir(program.get_current_dir().unwrap());
        let outcome = crate::sandbox::outcome(args, command);
        let line = error_line(args, &outcome);
        assert!(line.contains(&format!("there is no memory for {what}")), "{args}: {line}");
        assert!(line.contains("make the layers or the batch size smaller"), "{args}: {line}");
    }
}
