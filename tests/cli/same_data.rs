//! The data of a run: whether it is still the same, where it has moved to, and which it was.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::sandbox::{Outcome, Sandbox, outcome};

const TRAIN: &str = "train --model model.toml --device cpu --batch-size 4 --epochs 2";

/// Changes one byte at the end of a file.
fn touch_up(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

fn copy_folder(sandbox: &Sandbox, from: &str, to: &str) {
    fs::create_dir_all(sandbox.path(to)).unwrap();
    for name in sandbox.list(from) {
        fs::copy(sandbox.path(from).join(&name), sandbox.path(to).join(&name)).unwrap();
    }
}

/// The outcome of a line that is pasted into a shell.
fn paste(sandbox: &Sandbox, line: &str) -> Outcome {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line).current_dir(sandbox.path("")).env("XDG_RUNTIME_DIR", sandbox.path(""));
    outcome(line, shell)
}

/// The command at the end of a message, after these words.
fn suggested<'a>(said: &'a str, words: &str) -> &'a str {
    let at = said.find(words).unwrap_or_else(|| panic!("{words:?} is missing from {said:?}"));
    said[at + words.len()..].lines().next().unwrap().trim()
}

#[test]
fn a_run_goes_on_with_its_own_data_only() {
    // (the given set, the file that changes, the message)
    let rows = [
        ("--data data", "data/train-images-idx3-ubyte", "the training set in `"),
        ("--data data --validation-split 0.3", "data/train-labels-idx1-ubyte", "the validation set in `"),
        ("--data data --validation-data own", "own/t10k-images-idx3-ubyte", "the validation set in `"),
        ("--data data --limit 20", "data/train-images-idx3-ubyte", ""),
        ("--data data", "data/t10k-images-idx3-ubyte", "warning: the test set in `"),
    ];
    for (data, file, said) in rows {
        let sandbox = Sandbox::new();
        copy_folder(&sandbox, "data", "own");
        sandbox.succeed(&format!("{TRAIN} {data} --out out"));
        touch_up(&sandbox.path(file));
        let weights = fs::read(sandbox.path("out/weights.safetensors")).unwrap();
        let resume = "train --resume --out out --epochs 3";
        if said.is_empty() || said.starts_with("warning") {
            let outcome = sandbox.succeed(resume);
            assert_eq!(outcome.stderr.contains("warning"), !said.is_empty(), "{data}: {outcome:?}");
            assert!(outcome.stderr.contains(said), "{data}: {outcome:?}");
            continue;
        }
        sandbox.fail(resume, 1, &[said, "is not the one", "--accept-other-data", "is kept"]);
        assert!(fs::read(sandbox.path("out/weights.safetensors")).unwrap() == weights, "{data}");
        let refused = sandbox.run(resume).stderr;
        let command = suggested(&refused, "resume with the new data: ");
        let outcome = paste(&sandbox, command);
        assert!(outcome.code == 0 && outcome.stderr.contains("warning: "), "{data}: {outcome:?}");
        assert_eq!(sandbox.json_lines("out/history.jsonl").len(), 3, "{data}: {command}");
        // From then on it is the run's own.
        let outcome = sandbox.succeed("train --resume --out out --epochs 4");
        assert!(!outcome.stderr.contains("warning"), "{data}: {outcome:?}");
    }
}

#[test]
fn data_of_another_length_is_refused_for_good() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --data data --out out"));
    copy_folder(&sandbox, "data", "short");
    for file in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
        let (test, train) = (format!("data/t10k-{file}"), format!("short/train-{file}"));
        fs::copy(sandbox.path(&test), sandbox.path(&train)).unwrap();
    }
    for flags in ["", " --accept-other-data"] {
        let resume = format!("train --resume --out out --epochs 3 --data short{flags}");
        let outcome = sandbox.run(&resume);
        assert_eq!(outcome.code, 1, "{resume}: {outcome:?}");
        assert!(outcome.stderr.contains("an epoch of it has 3 steps, not 10"), "{resume}: {outcome:?}");
        assert!(!outcome.stderr.contains("--accept-other-data"), "{resume}: {outcome:?}");
    }
}

#[test]
fn the_same_data_in_other_files_is_the_same() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --data data --out out"));
    for name in sandbox.list("data") {
        let path = sandbox.path("data").join(&name);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&fs::read(&path).unwrap()).unwrap();
        fs::write(sandbox.path("data").join(format!("{name}.gz")), encoder.finish().unwrap()).unwrap();
        fs::remove_file(path).unwrap();
    }
    for args in ["train --resume --out out --epochs 3", "evaluate out --device cpu"] {
        let outcome = sandbox.succeed(args);
        assert!(!outcome.stderr.contains("warning"), "{args}: {outcome:?}");
    }
}

/// Makes a checkpoint look like one from before data was recorded.
fn forget_data(checkpoint: &Path) {
    let state = checkpoint.join("state.toml");
    let text = fs::read_to_string(&state).unwrap();
    let mut table: toml::Table = text.parse().unwrap();
    let settings = table["settings"].as_table_mut().unwrap();
    settings.remove("data_digests").expect("a checkpoint knows its data");
    let text = toml::to_string(&table).unwrap();
    fs::write(&state, &text).unwrap();
    let manifest = checkpoint.join("manifest.toml");
    let mut table: toml::Table = fs::read_to_string(&manifest).unwrap().parse().unwrap();
    let sum: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    table["sha256"].as_table_mut().unwrap().insert("state.toml".to_owned(), sum.into());
    fs::write(&manifest, toml::to_string(&table).unwrap()).unwrap();
}

#[test]
fn a_checkpoint_from_before_goes_on_with_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --data data --out out"));
    for name in sandbox.list("out/checkpoints") {
        forget_data(&sandbox.path("out/checkpoints").join(name));
    }
    let outcome = sandbox.succeed("train --resume --out out --epochs 3");
    assert!(
        outcome.stderr.contains("warning: this run is of a version that did not record its data"),
        "{outcome:?}"
    );
    let outcome = sandbox.succeed("train --resume --out out --epochs 4");
    assert!(!outcome.stderr.contains("warning"), "{outcome:?}");
}

#[test]
fn data_that_has_moved_is_named_anew() {
    let sandbox = Sandbox::new();
    copy_folder(&sandbox, "data", "own set");
    fs::rename(sandbox.path("own set"), sandbox.path("own")).unwrap();
    sandbox.succeed(&format!("{TRAIN} --data data --validation-data own --out whole"));
    sandbox.succeed("train --resume --out whole --epochs 4");
    sandbox.succeed(&format!("{TRAIN} --data data --validation-data own --out half"));
    fs::rename(sandbox.path("half"), sandbox.path("a half")).unwrap();
    for (from, to) in [("data", "it's moved"), ("own", "own set")] {
        fs::rename(sandbox.path(from), sandbox.path(to)).unwrap();
    }
    let program = crate::sandbox::program().display();
    let resume = format!("'{program}' train --resume --out 'a half' --epochs 4");
    let first = paste(&sandbox, &resume);
    assert_eq!(first.code, 1, "{first:?}");
    // Each message names the missing flag; pasted with the new place, the command works.
    let command = suggested(&first.stderr, "where it is now: ").replace(" DIR", " \"it's moved\"");
    let second = paste(&sandbox, &command);
    assert_eq!(second.code, 1, "{command}: {second:?}");
    let command = suggested(&second.stderr, "where it is now: ").replace(" DIR", " 'own set'");
    assert!(command.contains("--data") && command.contains("--epochs 4"), "{command}");
    let third = paste(&sandbox, &command);
    assert_eq!(third.code, 0, "{command}: {third:?}");
    let weights = |run: &str| fs::read(sandbox.path(run).join("weights.safetensors")).unwrap();
    assert!(weights("whole") == weights("a half"), "{command}");
    // The new places are recorded.
    sandbox.json("a half/result.json")["data"]
        .as_str()
        .unwrap()
        .ends_with("it's moved")
        .then_some(())
        .unwrap();
    let last = paste(&sandbox, &format!("'{program}' train --resume --out 'a half' --epochs 5"));
    assert_eq!(last.code, 0, "{last:?}");

    for command in ["evaluate", "report"] {
        let failed = sandbox.run(&format!("{command} whole"));
        let again = suggested(&failed.stderr, "where it is now: ").replace(" DIR", " \"it's moved\"");
        let outcome = paste(&sandbox, &again);
        assert!(outcome.code == 0 && !outcome.stderr.contains("warning"), "{again}: {outcome:?}");
    }
}

#[test]
fn what_cannot_be_said_to_a_run_that_goes_on_is_told() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --data data --out out"));
    let resume = "train --resume --out out --epochs 3";
    sandbox.fail(&format!("{resume} --validation-data data"), 1, &["this run began without it"]);
    sandbox.fail(&format!("{resume} --data nowhere"), 1, &["there is no folder or file `nowhere`"]);
    sandbox.fail(&format!("{resume} --data mnist"), 1, &["[28, 28, 1]"]);
    sandbox.fail(&format!("{TRAIN} --data data --accept-other-data"), 2, &["--resume"]);
}

#[test]
fn judging_says_where_the_test_set_is_another() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --data data --out out"));
    copy_folder(&sandbox, "data", "other");
    touch_up(&sandbox.path("other/t10k-images-idx3-ubyte"));
    for command in ["evaluate out", "report out --force --out page.html"] {
        let outcome = sandbox.succeed(&format!("{command} --data other"));
        assert!(outcome.stderr.contains("note: this is not the test set"), "{command}: {outcome:?}");
        let outcome = sandbox.succeed(&format!("{command} --data data"));
        assert!(!outcome.stderr.contains("test set"), "{command}: {outcome:?}");
    }
    touch_up(&sandbox.path("data/t10k-images-idx3-ubyte"));
    for command in ["evaluate out", "report out --force --out page.html"] {
        let outcome = sandbox.succeed(command);
        assert!(outcome.stderr.contains("warning: the test set in `"), "{command}: {outcome:?}");
    }
    sandbox.fail("crossval --model out/model.toml --data data --folds 1", 2, &["--folds"]);
    sandbox.succeed(&format!("{TRAIN} --data data --validation-split 0.2 --out split"));
    fs::remove_file(sandbox.path("split/result.json")).unwrap();
    let crossval =
        |run| format!("crossval --model {run}/model.toml --data data --folds 2 --epochs 1 --device cpu");
    for run in ["out", "split"] {
        let outcome = sandbox.succeed(&crossval(run));
        assert!(!outcome.stderr.contains("training set"), "{run}: {outcome:?}");
    }
    // The first image is changed: the last ones are held out for validation.
    let images = sandbox.path("data/train-images-idx3-ubyte");
    let mut bytes = fs::read(&images).unwrap();
    bytes[16] ^= 1;
    fs::write(&images, bytes).unwrap();
    for run in ["out", "split"] {
        let outcome = sandbox.succeed(&crossval(run));
        let said = format!("not the training set of the run in `{run}`");
        assert!(outcome.stderr.contains(&said), "{run}: {outcome:?}");
    }
}

#[test]
fn test_files_are_enough_to_judge_by() {
    let sandbox = Sandbox::new();
    let figures = sandbox.succeed(&format!("{TRAIN} --data data --out out")).last_line().to_owned();
    copy_folder(&sandbox, "data", "test only");
    fs::rename(sandbox.path("test only"), sandbox.path("tests")).unwrap();
    for name in sandbox.list("tests").iter().filter(|name| name.starts_with("train")) {
        fs::remove_file(sandbox.path("tests").join(name)).unwrap();
    }
    let outcome = sandbox.succeed("evaluate out --device cpu --data tests");
    assert_eq!((outcome.last_line(), outcome.stderr.as_str()), (figures.as_str(), ""));
    sandbox.succeed("report out --device cpu --data tests --out page.html");
    let json = sandbox.succeed("evaluate out --device cpu --data tests --json").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let named = Path::new(json["data"].as_str().unwrap());
    assert_eq!(named, sandbox.path("tests").canonicalize().unwrap());
    assert_eq!(json["test_samples"], 12);
    sandbox.fail("train --data tests --model model.toml", 1, &["train-images-idx3-ubyte"]);
    // The training set is not a test set.
    for name in sandbox.list("tests") {
        fs::remove_file(sandbox.path("tests").join(&name)).unwrap();
        let train = name.replace("t10k", "train");
        fs::copy(sandbox.path("data").join(&train), sandbox.path("tests").join(&train)).unwrap();
    }
    sandbox.fail("evaluate out --device cpu --data tests", 1, &["t10k-images-idx3-ubyte"]);
}

#[test]
fn a_checkpoint_stands_for_a_run_that_has_not_ended() {
    let sandbox = Sandbox::new();
    let figures = sandbox.succeed(&format!("{TRAIN} --data data --out out")).last_line().to_owned();
    let picture = sandbox.path("digit.png");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/digits/2-pencil.jpg"), &picture).unwrap();
    for file in ["weights.safetensors", "result.json"] {
        fs::remove_file(sandbox.path("out").join(file)).unwrap();
    }
    let last = format!("out/checkpoints/{}", sandbox.list("out/checkpoints").pop().unwrap());
    for command in ["evaluate out", "predict out digit.png", "export out model.onnx", "report out"] {
        sandbox.fail(command, 1, &["has no weights.safetensors", &format!("in its place: `{last}`")]);
    }
    // Data, batch size and kernels are those of the run, and so are the metrics.
    assert_eq!(sandbox.succeed(&format!("evaluate {last} --device cpu")).last_line(), figures);
    sandbox.succeed(&format!("predict {last} digit.png --device cpu"));
    sandbox.succeed(&format!("export {last} model.onnx"));
    sandbox.fail(&format!("report {last} --device cpu"), 1, &["is a checkpoint", "--out FILE.html"]);
    sandbox.succeed(&format!("report {last} --device cpu --out page.html"));
    let text = fs::read_to_string(sandbox.path(&last).join("state.toml")).unwrap();
    fs::write(sandbox.path(&last).join("state.toml"), &text[..text.len() / 2]).unwrap();
    let outcome = sandbox.run(&format!("evaluate {last} --device cpu"));
    assert!(outcome.code == 1 && outcome.stderr.contains("is not the record of a checkpoint"), "{outcome:?}");
    // A damaged checkpoint is not offered.
    let names = sandbox.list("out/checkpoints");
    let before = format!("in its place: `out/checkpoints/{}`", names[names.len() - 2]);
    sandbox.fail("evaluate out", 1, &[before.as_str()]);
}

#[test]
fn a_run_without_a_result_is_judged_on_its_own_data() {
    let sandbox = Sandbox::new();
    let figures = sandbox.succeed(&format!("{TRAIN} --data data --out out")).last_line().to_owned();
    fs::remove_file(sandbox.path("out/result.json")).unwrap();
    assert_eq!(sandbox.succeed("evaluate out --device cpu").last_line(), figures);
    // A saved model does not record its data.
    fs::create_dir(sandbox.path("saved")).unwrap();
    for file in ["model.toml", "weights.safetensors"] {
        fs::copy(sandbox.path("out").join(file), sandbox.path("saved").join(file)).unwrap();
    }
    for command in ["evaluate", "report"] {
        let failed = sandbox.run(&format!("{command} saved"));
        assert_eq!(failed.code, 1, "{command}: {failed:?}");
        assert!(failed.stderr.contains("does not say which data it was trained on"), "{command}: {failed:?}");
        let again = suggested(&failed.stderr, "name it: ").split(" DIR").next().unwrap();
        let outcome = paste(&sandbox, &format!("{again} data"));
        assert_eq!(outcome.code, 0, "{again}: {outcome:?}");
    }
}

#[test]
fn a_page_of_another_test_set_says_so() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --data data --out out"));
    copy_folder(&sandbox, "data", "other");
    touch_up(&sandbox.path("other/t10k-images-idx3-ubyte"));
    for (data, is_other) in [("data", false), ("other", true)] {
        sandbox.succeed(&format!("report out --data {data} --out {data}.html"));
        let page = sandbox.text(&format!("{data}.html"));
        let place = sandbox.path(data).canonicalize().unwrap();
        assert!(page.contains(&format!("Evaluated on 12 test images of {}", place.display())), "{data}");
        assert_eq!(page.contains("not the test set that the run was evaluated on"), is_other, "{data}");
        assert_eq!(page.contains("<dt>Test loss</dt>"), !is_other, "the loss is the run's, {data}");
        let json = sandbox.succeed(&format!("evaluate out --data {data} --json --device cpu")).stdout;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["other_test_set"], is_other, "{data}");
    }
}

/// A suggested command keeps every flag that was given.
#[test]
fn judging_again_is_judging_the_same_way() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --data data --out out"));
    fs::rename(sandbox.path("data"), sandbox.path("moved")).unwrap();
    let failed = paste(
        &sandbox,
        &format!("'{}' report out --out 'my page.html' --device cpu", crate::sandbox::program().display()),
    );
    let again = suggested(&failed.stderr, "where it is now: ").replace(" DIR", " moved");
    assert_eq!(paste(&sandbox, &again).code, 0, "{again}");
    assert!(sandbox.path("my page.html").exists() && again.contains("--device cpu"), "{again}");
}
