//! `train --resume`.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::sandbox::Sandbox;

const TRAIN: &str = "train --model model.toml --data data --batch-size 4 --epochs 6 --checkpoint-steps 3";

/// Waits until a run has a checkpoint that is not its first.
fn wait_for_checkpoint(sandbox: &Sandbox, run: &str) {
    for _ in 0..2000 {
        let names = fs::read_dir(sandbox.path(run).join("checkpoints"));
        let begun = |name: String| name.starts_with("step-") && name != "step-00000000";
        if names.is_ok_and(|mut names| {
            names.any(|name| begun(name.unwrap().file_name().to_string_lossy().into_owned()))
        }) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{run} got no checkpoint");
}

fn killed_after(sandbox: &Sandbox, device: &str, run: &str, wait: Duration) {
    let mut child = sandbox
        .command(&format!("{TRAIN} --device {device} --out {run}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_checkpoint(sandbox, run);
    std::thread::sleep(wait);
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_killed_run_ends_as_one_that_was_not() {
    for device in ["cpu", "software"] {
        let sandbox = Sandbox::new();
        sandbox.succeed(&format!("{TRAIN} --device {device} --out whole"));
        for millis in [0, 3, 11, 40] {
            let run = format!("killed-{millis}");
            killed_after(&sandbox, device, &run, Duration::from_millis(millis));
            let outcome = sandbox.succeed(&format!("train --resume --out {run}"));
            assert!(outcome.stderr.contains("Going on from"), "{}", outcome.stderr);
            for file in ["weights.safetensors", "steps.jsonl", "model.toml"] {
                let [ours, theirs] =
                    [&run, "whole"].map(|run| fs::read(sandbox.path(run).join(file)).unwrap());
                assert!(ours == theirs, "{device}, killed after {millis} ms: {file} differs");
            }
            let epochs = |run: &str| sandbox.json_lines(&format!("{run}/history.jsonl")).len();
            assert_eq!(epochs(&run), epochs("whole"), "{device}, {millis}");
        }
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_done() {
    let sandbox = Sandbox::new();
    let long = "train --model model.toml --data data --batch-size 1 --epochs 5000 --device cpu --out run";
    let child = sandbox.command(long).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_checkpoint(&sandbox, "run");
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("shadegrad train --resume --out run"), "{stderr}");
    assert!(!sandbox.path("run/result.json").exists());
    let steps = sandbox.json_lines("run/steps.jsonl").len();
    let last = sandbox.list("run/checkpoints").pop().unwrap();
    assert_eq!(last, format!("step-{steps:08}"));
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_is_used() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --device cpu --out whole"));
    let weights = sandbox.path("whole/weights.safetensors");
    let expected = fs::read(&weights).unwrap();
    let names = sandbox.list("whole/checkpoints");
    assert!(names.len() >= 3, "{names:?}");
    let [before, last] = [&names[names.len() - 2], &names[names.len() - 1]];
    for file in ["state.toml", "weights.safetensors", "optimizer.safetensors", "manifest.toml", "model.toml"]
    {
        let path = sandbox.path("whole/checkpoints").join(last).join(file);
        let Ok(mut bytes) = fs::read(&path) else { panic!("{file} is missing") };
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        let outcome = sandbox.succeed("train --resume --out whole");
        assert!(outcome.stderr.contains(&format!("{last}` is not used")), "{file}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(&format!("checkpoints/{before}")), "{file}: {}", outcome.stderr);
        assert!(fs::read(&weights).unwrap() == expected, "{file}");
        assert!(fs::read(&path).is_ok(), "the run wrote its last checkpoint anew");
    }
    for name in sandbox.list("whole/checkpoints") {
        fs::remove_file(sandbox.path("whole/checkpoints").join(name).join("manifest.toml")).unwrap();
    }
    sandbox.fail("train --resume --out whole", 1, &["no whole checkpoint", "`manifest.toml` cannot be read"]);
}

#[test]
fn a_run_can_only_go_further() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --device cpu --out short --max-steps 25"));
    sandbox.succeed(&format!("{TRAIN} --device cpu --out whole"));
    sandbox.fail("train --resume --out short --epochs 5", 1, &["--epochs is 5", "begun with 6"]);
    sandbox.fail("train --resume --out short --max-steps 20", 1, &["--max-steps is 20", "begun with 25"]);
    sandbox.fail("train --resume --out whole --max-steps 99", 1, &["without a bound"]);
    sandbox.fail("train --resume --out short --seed 3", 2, &["--seed", "cannot be used with"]);
    sandbox.fail("train --resume", 2, &["--out"]);
    sandbox.fail("train --resume --out data", 1, &["has no checkpoint", "--out DIR"]);
    sandbox.fail("train --resume --out nowhere", 1, &["nowhere"]);
    sandbox.succeed("train --resume --out short --max-steps 60");
    let [ours, theirs] =
        ["short", "whole"].map(|run| fs::read(sandbox.path(run).join("weights.safetensors")));
    assert!(ours.unwrap() == theirs.unwrap());
    let outcome = sandbox.succeed("train --resume --out whole --epochs 7");
    assert_eq!(sandbox.json_lines("whole/history.jsonl").len(), 7, "{outcome:?}");
}

#[test]
fn another_device_must_be_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --device software --out run --max-steps 20"));
    let elsewhere =
        Sandbox::new().with("VK_ICD_FILENAMES", "/nonexistent").with("VK_DRIVER_FILES", "/nonexistent");
    let copied = elsewhere.path("run");
    copy(&sandbox.path("run"), &copied);
    // The data set lies elsewhere, too: it is named by its whole path.
    elsewhere.fail("train --resume --out run", 1, &["was trained on", "which is not here", "--device"]);
    let outcome = elsewhere.succeed("train --resume --out run --device cpu");
    assert!(outcome.stderr.contains("results will differ"), "{}", outcome.stderr);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
