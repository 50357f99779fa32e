//! `train --resume`.

use std::fs;
use std::process::Stdio;

use shadegrad::Device;
use shadegrad::io::{Backup, ModelFile};

use crate::sandbox::{MODEL, Sandbox};

const TRAIN: &str = "train --model model.toml --data data --batch-size 4 --epochs 6 --checkpoint-steps 3";

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
    sandbox.fail(
        "train --resume --out whole",
        1,
        &["no intact checkpoint", "`manifest.toml` cannot be read"],
    );
}

#[test]
fn checkpoints_of_a_program_of_ones_own_are_judged_but_not_resumed() {
    let sandbox = Sandbox::new();
    let file = ModelFile::read(&sandbox.path("model.toml")).unwrap();
    let mut model = file.model.compile(&Device::cpu(), file.compile()).unwrap();
    let mut backup = Backup::of(&model, &file.training, &sandbox.path("backup")).unwrap();
    let saved = backup.save(&model.checkpoint().unwrap()).unwrap();
    sandbox.fail("train --resume --out backup", 1, &["another process is training"]);
    drop(backup);
    sandbox.fail("train --resume --out backup", 1, &["`backup` holds the checkpoints of another program"]);
    let name = saved.file_name().unwrap().to_str().unwrap();
    let name = format!("backup/checkpoints/{name}");
    sandbox.succeed(&format!("evaluate {name} --data data --device cpu"));
    sandbox.fail(&format!("evaluate {name} --device cpu"), 1, &["does not say which data it was trained on"]);
    sandbox.fail(
        "evaluate backup --data data --device cpu",
        1,
        &["holds the checkpoints of another program: give its last checkpoint"],
    );
}

#[test]
fn a_run_can_only_go_further() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --device cpu --out short --max-steps 25"));
    sandbox.succeed(&format!("{TRAIN} --device cpu --out whole"));
    sandbox.fail("train --resume --out short --epochs 5", 1, &["--epochs is 5", "began with 6"]);
    sandbox.fail("train --resume --out short --max-steps 20", 1, &["--max-steps is 20", "began with 25"]);
    sandbox.fail("train --resume --out whole --max-steps 99", 1, &["without a limit of steps"]);
    sandbox.fail("train --resume --out short --seed 3", 2, &["--seed", "cannot be used with"]);
    sandbox.fail("train --resume", 2, &["--out"]);
    sandbox.fail("train --resume --out data", 1, &["has no checkpoint", "--out DIR"]);
    sandbox.fail("train --resume --out nowhere", 1, &["nowhere"]);
    // Nothing is left to train, and the epoch that was cut short is told as before.
    let told = || {
        let mut epochs = sandbox.json_lines("short/history.jsonl");
        epochs.iter_mut().for_each(|epoch| drop(epoch.as_object_mut().unwrap().remove("seconds")));
        let result = sandbox.json("short/result.json");
        (epochs, fs::read(sandbox.path("short/weights.safetensors")).unwrap(), result["stopped"].clone())
    };
    let before = told();
    assert_eq!(before.0.len(), 3);
    let again = sandbox.succeed("train --resume --out short");
    assert!(again.stdout.contains("Epoch 3/3 - "), "{}", again.stdout);
    assert!(told() == before, "{:?} and {:?}", told().0, before.0);
    sandbox.succeed("train --resume --out short --max-steps 60");
    let [ours, theirs] =
        ["short", "whole"].map(|run| fs::read(sandbox.path(run).join("weights.safetensors")));
    assert!(ours.unwrap() == theirs.unwrap());
    let outcome = sandbox.succeed("train --resume --out whole --epochs 7");
    assert_eq!(sandbox.json_lines("whole/history.jsonl").len(), 7, "{outcome:?}");
}

/// The first checkpoint is the only one until the second is written: it is not rewritten, and one that a killed
/// process was replacing is brought back.
#[test]
fn the_only_checkpoint_is_never_missing() {
    let sandbox = Sandbox::new();
    let train = "train --model model.toml --data data --batch-size 4 --device cpu";
    sandbox.succeed(&format!("{train} --epochs 1 --out whole"));
    sandbox.succeed(&format!("{train} --epochs 1 --out run"));
    let [first, last] = ["step-00000000", "step-00000010"];
    fs::remove_dir_all(sandbox.path("run/checkpoints").join(last)).unwrap();
    let manifest = sandbox.path("run/checkpoints").join(first).join("manifest.toml");
    let written = || fs::metadata(&manifest).unwrap().modified().unwrap();
    let before = written();
    sandbox.succeed("train --resume --out run");
    assert_eq!(written(), before, "it was rewritten");
    // (where a killed process left them: the first, the last)
    let rows = [
        (".step-00000000.replaced", ".step-00000010.77.tmp"),
        (".step-00000000.replaced", ".step-00000010.replaced"),
        ("step-00000000", ".step-00000010.replaced"),
    ];
    for (first_left, last_left) in rows {
        let checkpoints = sandbox.path("run/checkpoints");
        fs::rename(checkpoints.join(first), checkpoints.join(first_left)).unwrap();
        fs::rename(checkpoints.join(last), checkpoints.join(last_left)).unwrap();
        let outcome = sandbox.succeed("train --resume --out run");
        let from = if last_left.ends_with("tmp") { first } else { last };
        assert!(outcome.stderr.contains(&format!("Resuming from run/checkpoints/{from}\n")), "{outcome:?}");
        assert_eq!(sandbox.list("run/checkpoints"), [first, last], "{first_left}, {last_left}");
        let [ours, theirs] =
            ["run", "whole"].map(|run| fs::read(sandbox.path(run).join("weights.safetensors")).unwrap());
        assert!(ours == theirs, "{first_left}, {last_left}");
    }
    // With both there, the new one counts and the old one is removed.
    copy(
        &sandbox.path("run/checkpoints").join(last),
        &sandbox.path("run/checkpoints/.step-00000010.replaced"),
    );
    sandbox.succeed("train --resume --out run");
    assert_eq!(sandbox.list("run/checkpoints"), [first, last]);
}

/// If two processes create the same folder, the second leaves it to the first.
#[cfg(unix)]
#[test]
fn of_two_processes_that_make_one_folder_one_trains() {
    let sandbox = Sandbox::new();
    for round in 0..6 {
        let job = format!("{TRAIN} --device cpu --out same-{round}");
        let spawn = || sandbox.command(&job).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let both = [spawn(), spawn()].map(|child| child.wait_with_output().unwrap());
        let said = both.each_ref().map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
        let codes = both.map(|output| output.status.code());
        assert!(codes.contains(&Some(0)) && codes.contains(&Some(1)), "{codes:?}: {said:?}");
        assert!(sandbox.path(&format!("same-{round}/result.json")).exists(), "{said:?}");
    }
}

#[cfg(unix)]
#[test]
fn two_processes_do_not_train_into_one_folder() {
    let sandbox = Sandbox::new();
    let endless = format!("{TRAIN} --device cpu --out run").replace("--epochs 6", "--epochs 100000");
    let child = sandbox.command(&endless).stdout(Stdio::null()).spawn().unwrap();
    let child = KilledInTheEnd(child);
    let begun = std::time::Instant::now();
    while !sandbox.path("run/checkpoints/step-00000000").exists() {
        assert!(begun.elapsed().as_secs() < 60, "it does not begin");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let busy = ["`run` is the folder of a run that another process is training"];
    sandbox.fail("train --resume --out run", 1, &busy);
    sandbox.fail(&format!("{TRAIN} --device cpu --force --out run"), 1, &busy);
    drop(child);
    sandbox.succeed(&format!("{TRAIN} --device cpu --force --out run"));
}

/// A process that is killed with its test.
#[cfg(unix)]
struct KilledInTheEnd(std::process::Child);

#[cfg(unix)]
impl Drop for KilledInTheEnd {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// What keeps a run from being resumed is reported with the checkpoint that it would resume from.
#[test]
fn what_stands_in_the_way_is_told_with_the_checkpoint() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --device cpu --out run --max-steps 20"));
    let kept = "`run/checkpoints/step-00000020` is kept";
    let command = "shadegrad train --resume --out run --max-steps 30";
    fs::rename(sandbox.path("data"), sandbox.path("elsewhere")).unwrap();
    sandbox.fail("train --resume --out run --max-steps 30", 1, &["no longer exists", kept, command]);
    fs::rename(sandbox.path("elsewhere"), sandbox.path("data")).unwrap();
    let refused = "train --resume --out run --max-steps 30 --device nonesuch";
    sandbox.fail(refused, 1, &["nonesuch", kept]);
    assert!(!sandbox.run(refused).stderr.contains("resume with"), "that command is the one that was refused");
    fs::remove_file(sandbox.path("run/steps.jsonl")).unwrap();
    fs::create_dir(sandbox.path("run/steps.jsonl")).unwrap();
    sandbox.fail(
        "train --resume --out run --max-steps 30",
        1,
        &["`run/steps.jsonl` cannot be written", "it is a folder", kept],
    );
    fs::remove_dir(sandbox.path("run/steps.jsonl")).unwrap();
    sandbox.succeed("train --resume --out run --max-steps 30");
}

/// A link is found before anything is trained, and a copy made with hard links does not change.
#[cfg(unix)]
#[test]
fn what_shares_the_files_of_a_run_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --device cpu --out run --max-steps 20"));
    fs::create_dir(sandbox.path("copy")).unwrap();
    for file in ["steps.jsonl", "history.jsonl", "history.csv", "weights.safetensors", "model.toml"] {
        fs::hard_link(sandbox.path("run").join(file), sandbox.path("copy").join(file)).unwrap();
    }
    let copied = || -> Vec<_> {
        let names = sandbox.list("copy").into_iter();
        names.map(|name| fs::read(sandbox.path("copy").join(name)).unwrap()).collect()
    };
    let before = copied();
    for file in ["weights.safetensors", "history.csv", "steps.jsonl", "checkpoints"] {
        let (place, aside) = (sandbox.path("run").join(file), sandbox.path("aside"));
        fs::rename(&place, &aside).unwrap();
        std::os::unix::fs::symlink(&aside, &place).unwrap();
        let outcome = sandbox.run("train --resume --out run --max-steps 30");
        assert_eq!(outcome.code, 1, "{file}: {outcome:?}");
        let said = format!("`run/{file}` cannot be written: it is a symbolic link");
        assert!(outcome.stderr.contains(&said), "{file}: {outcome:?}");
        assert!(!outcome.stderr.contains("Epoch"), "{file}: it trained first: {outcome:?}");
        fs::remove_file(&place).unwrap();
        fs::rename(&aside, &place).unwrap();
    }
    sandbox.succeed("train --resume --out run --max-steps 30");
    assert!(copied() == before, "the copy has changed");
}

#[test]
fn another_device_must_be_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --device software --out run --max-steps 20"));
    let elsewhere =
        Sandbox::new().with("VK_ICD_FILENAMES", "/nonexistent").with("VK_DRIVER_FILES", "/nonexistent");
    let copied = elsewhere.path("run");
    copy(&sandbox.path("run"), &copied);
    // The data set is elsewhere, too: it is recorded by its absolute path.
    elsewhere.fail("train --resume --out run", 1, &["was trained on", "which was not found", "--device"]);
    let outcome = elsewhere.succeed("train --resume --out run --device cpu");
    assert!(outcome.stderr.contains("results will differ"), "{}", outcome.stderr);
}

#[test]
fn what_tells_of_a_run_before_it_went_on_is_removed() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --device cpu --out run --profile"));
    sandbox.succeed("report run --device cpu");
    // Nothing is left to do: everything stays.
    sandbox.succeed("train --resume --out run");
    assert!(sandbox.path("run/profile.json").exists() && sandbox.path("run/report.html").exists());
    // Unfinished files of a killed process, and files of others.
    let left = [".weights.safetensors.77.tmp", ".probe-77", "..probe-77.77.tmp"];
    let others = [".model.toml", "notes.txt", ".weights.safetensors.tmp"];
    for name in left.iter().chain(&others) {
        fs::write(sandbox.path("run").join(name), "").unwrap();
    }
    sandbox.succeed("train --resume --out run --epochs 7");
    assert!(!sandbox.path("run/profile.json").exists() && !sandbox.path("run/report.html").exists());
    assert!(left.iter().all(|name| !sandbox.path("run").join(name).exists()), "{:?}", sandbox.list("run"));
    assert!(others.iter().all(|name| sandbox.path("run").join(name).exists()), "{:?}", sandbox.list("run"));
    sandbox.succeed("train --resume --out run --epochs 8 --profile");
    assert!(sandbox.path("run/profile.json").exists());
    let gap =
        sandbox.text("run/steps.jsonl").lines().take(30).map(|line| format!("{line}\n")).collect::<String>();
    fs::write(sandbox.path("run/steps.jsonl"), gap).unwrap();
    let outcome = sandbox.succeed("train --resume --out run --epochs 9");
    assert!(outcome.stderr.contains("steps.jsonl` has 30 lines"), "{}", outcome.stderr);
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

/// The averages of the weights are in the checkpoint; the run ends with them.
#[test]
fn averages_of_weights_go_on() {
    let sandbox = Sandbox::new();
    let table = "[optimizer]\nname = \"adam\"\nuse_ema = true\nema_momentum = 0.9\n\n[[layers]]";
    fs::write(sandbox.path("averaged.toml"), MODEL.replacen("[[layers]]", table, 1)).unwrap();
    let plain = MODEL.replacen("[[layers]]", "[optimizer]\nname = \"adam\"\n\n[[layers]]", 1);
    fs::write(sandbox.path("plain.toml"), plain).unwrap();
    let text = |run: &str| fs::read(sandbox.path(run).join("weights.safetensors")).unwrap();
    for device in ["cpu", "software"] {
        let train = |model: &str, run: &str, flags: &str| {
            let args = TRAIN.replace("model.toml", model);
            sandbox.succeed(&format!("{args} --device {device} --out {device}-{run} {flags}"));
        };
        train("averaged.toml", "whole", "");
        train("averaged.toml", "parts", "--max-steps 25");
        let ended = text(&format!("{device}-parts"));
        sandbox.succeed(&format!("train --resume --out {device}-parts --max-steps 60"));
        assert!(text(&format!("{device}-parts")) == text(&format!("{device}-whole")), "{device}");
        assert!(ended != text(&format!("{device}-whole")), "{device}");
        // Training is the same without them: only the end is not.
        train("plain.toml", "plain", "");
        let [averaged, plain] =
            ["whole", "plain"].map(|run| sandbox.text(&format!("{device}-{run}/steps.jsonl")));
        assert_eq!(averaged, plain, "{device}");
        assert!(text(&format!("{device}-plain")) != text(&format!("{device}-whole")), "{device}");
    }
    let explained = sandbox.succeed("explain --model averaged.toml --device cpu").stdout;
    assert!(explained.contains("update/moving_average"), "{explained}");
}
