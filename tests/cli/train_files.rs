//! `train`: the folder that it writes.

use std::fs;
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::sandbox::{Sandbox, TEST, TRAIN};

const FILES: [&str; 7] = [
    "checkpoints",
    "history.csv",
    "history.jsonl",
    "model.toml",
    "result.json",
    "steps.jsonl",
    "weights.safetensors",
];

#[test]
fn every_file_holds_what_is_promised() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --epochs 2 --batch-size 16 --seed 9 --out out");
    assert_eq!(sandbox.list("out"), FILES);

    let steps = sandbox.json_lines("out/steps.jsonl");
    let numbers = |key: &str| steps.iter().map(|step| step[key].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers("step"), [1, 2, 3, 4, 5, 6]);
    assert_eq!(numbers("epoch"), [1, 1, 1, 2, 2, 2]);
    assert_eq!(numbers("n"), [16, 16, 8, 16, 16, 8], "the last, shorter batch is trained too");
    assert!(numbers("correct").iter().zip(numbers("n")).all(|(&correct, n)| correct <= n));

    let history = sandbox.json_lines("out/history.jsonl");
    for (epoch, row) in history.iter().enumerate() {
        let of_epoch = &steps[epoch * 3..][..3];
        let n = |step: &serde_json::Value| step["n"].as_f64().unwrap();
        let loss: f64 = of_epoch.iter().map(|step| step["loss"].as_f64().unwrap() * n(step)).sum();
        let correct: f64 = of_epoch.iter().map(|step| step["correct"].as_f64().unwrap()).sum();
        assert_eq!(row["epoch"], epoch + 1);
        // Losses are written as f32 prints them: within half a unit of the last place, about 6e-8.
        assert!((row["loss"].as_f64().unwrap() - loss / TRAIN as f64).abs() < 1e-6, "{row}");
        assert_eq!(row["accuracy"].as_f64().unwrap(), correct / TRAIN as f64);
        assert!(row["val_loss"].is_null() && row["val_accuracy"].is_null(), "{row}");
        assert!(row["seconds"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(history.len(), 2);
}

#[test]
fn the_result_says_what_came_out_and_how_to_repeat_it() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.train("--device cpu --epochs 2 --batch-size 16 --seed 9 --no-shuffle --out out");
    let result = sandbox.json("out/result.json");
    let rows = [
        ("epochs", 2.into()),
        ("steps", 6.into()),
        ("seed", 9.into()),
        ("batch_size", 16.into()),
        ("shuffle", false.into()),
        ("max_steps", serde_json::Value::Null),
        ("init", serde_json::Value::Null),
        ("train_samples", TRAIN.into()),
        ("test_samples", TEST.into()),
        ("device", "CPU executor".into()),
        ("data", sandbox.path("data").canonicalize().unwrap().display().to_string().into()),
    ];
    for (key, expected) in rows {
        assert_eq!(result[key], expected, "{key}");
    }
    assert_eq!(result["versions"]["shadegrad"], env!("CARGO_PKG_VERSION"));
    let sha256: String = Sha256::digest(fs::read(sandbox.path("out/weights.safetensors")).unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(result["weights_sha256"], sha256);
    let figure = |key: &str| result[key].as_f64().unwrap();
    let line =
        format!("Test accuracy: {:.4}  Test loss: {:.4}", figure("test_accuracy"), figure("test_loss"));
    assert_eq!(outcome.last_line(), line);
    assert!(figure("seconds") > 0.0);
}

#[test]
fn the_result_says_when_training_was_under_way_and_how_long_the_test_took() {
    let sandbox = Sandbox::new();
    for device in ["cpu", "software"] {
        let begun = Instant::now();
        sandbox.train(&format!("--device {device} --epochs 2 --batch-size 16 --out {device}"));
        let whole = begun.elapsed().as_secs_f64();
        let result = sandbox.json(&format!("{device}/result.json"));
        let [first, test] =
            ["seconds_to_first_step", "test_seconds"].map(|key| result[key].as_f64().unwrap_or(f64::NAN));
        assert!(first > 0.0 && test > 0.0 && first + test < whole, "{device}: {first} + {test} of {whole}");
    }
}

#[test]
fn a_gpu_run_records_its_kernels() {
    let sandbox = Sandbox::new();
    sandbox.train("--device software --max-steps 1 --out out");
    let result = sandbox.json("out/result.json");
    for step in ["input/gather", "conv2d/forward_pooled", "loss/softmax_cross_entropy", "update/rmsprop"] {
        assert!(result["kernels"][step].is_string(), "{step}: {result}");
    }
    sandbox.train("--device software --max-steps 1 --no-fuse --out plain");
    let result = sandbox.json("plain/result.json");
    for step in ["conv2d/forward", "max_pooling2d/forward", "dense/backward_kernel"] {
        assert!(result["kernels"][step].is_string(), "{step}: {result}");
    }
}

#[test]
fn weights_have_the_names_and_shapes_of_keras() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --max-steps 1 --out out");
    let bytes = fs::read(sandbox.path("out/weights.safetensors")).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    // 8x8, convolved to 6x6x4, pooled to 3x3x4.
    let rows = [
        ("conv2d.kernel", vec![3, 3, 1, 4]),
        ("conv2d.bias", vec![4]),
        ("dense.kernel", vec![36, 3]),
        ("dense.bias", vec![3]),
    ];
    for (name, shape) in &rows {
        assert_eq!(header.info(name).unwrap().shape, *shape, "{name}");
    }
    assert_eq!(header.tensors().len(), rows.len());
    let metadata = header.metadata().clone().unwrap();
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["shadegrad"]);
    let about: serde_json::Value = serde_json::from_str(&metadata["shadegrad"]).unwrap();
    assert_eq!(about["model"], "small");
}

#[test]
fn runs_without_out_are_numbered() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("runs/small-2")).unwrap();
    for expected in ["runs/small-1", "runs/small-3"] {
        let outcome = sandbox.train("--device cpu --max-steps 1");
        assert!(outcome.stdout.contains(&format!("\nRun: {expected}\n")), "{}", outcome.stdout);
        assert_eq!(sandbox.list(expected), FILES);
    }
    assert_eq!(sandbox.list("runs/small-2"), [""; 0], "not ours");
}

#[test]
fn runs_at_the_same_time_get_different_folders() {
    let sandbox = Sandbox::new();
    let start = || {
        let mut command = sandbox.command("train --model model.toml --data data --device cpu --max-steps 1");
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(sandbox.list("runs"), ["small-1", "small-2", "small-3", "small-4"]);
}

#[test]
fn a_folder_in_use_is_replaced_only_by_force_and_only_the_run() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --seed 1 --max-steps 9 --out out");
    fs::write(sandbox.path("out/notes.txt"), "mine").unwrap();
    let before = sandbox.text("out/steps.jsonl");
    let again = "train --model model.toml --data data --device cpu --seed 2 --max-steps 1 --out out";
    sandbox.fail(again, 1, &["`out` is not empty", "--out", "--force"]);
    assert_eq!(sandbox.text("out/steps.jsonl"), before);

    let elsewhere = again.replace("--device cpu", "--device nonesuch");
    sandbox.fail(&format!("{elsewhere} --force"), 1, &["no device matches `nonesuch`"]);
    assert_eq!(sandbox.text("out/steps.jsonl"), before, "kept until training begins");

    sandbox.succeed(&format!("{again} --force"));
    assert_eq!(sandbox.json("out/result.json")["seed"], 2);
    assert_eq!(sandbox.json_lines("out/steps.jsonl").len(), 1);
    assert_eq!(sandbox.text("out/notes.txt"), "mine");
    // An empty folder does not need `--force`.
    fs::create_dir(sandbox.path("empty")).unwrap();
    sandbox.train("--device cpu --max-steps 1 --out empty");
}

#[test]
fn what_fails_before_training_leaves_no_folder() {
    let sandbox = Sandbox::new();
    let rows = [
        "--model nonesuch.toml --data data",
        "--model model.toml --data nonesuch",
        "--model tutorial --data data",
        "--model model.toml --data data --device nonesuch",
        "--model model.toml --data data --init nonesuch",
    ];
    for row in rows {
        sandbox.fail(&format!("train {row}"), 1, &["error: "]);
        sandbox.fail(&format!("train {row} --out deep/inside"), 1, &["error: "]);
        assert!(!sandbox.path("runs").exists() && !sandbox.path("deep").exists(), "{row}");
    }
}

#[test]
fn figures_of_two_runs_are_not_mixed_for_tensorboard() {
    let sandbox = Sandbox::new();
    let train =
        |flags: &str| format!("train --model model.toml --data data --device cpu --epochs 1 --out {flags}");
    let events = || -> usize {
        let sizes = sandbox
            .list("logs/run")
            .into_iter()
            .map(|name| fs::metadata(sandbox.path("logs/run").join(name)).unwrap().len() as usize);
        sizes.sum()
    };
    sandbox.succeed(&train("run --tensorboard logs"));
    let once = events();
    sandbox.succeed(&train("run --force"));
    assert_eq!(events(), once, "a run without the flag leaves them alone");
    let refused = ["`logs/run` holds the metrics of another run", "--tensorboard DIR"];
    sandbox.fail(&train("elsewhere/run --tensorboard logs"), 1, &refused);
    sandbox.fail(&train("elsewhere/run --force --tensorboard logs"), 1, &refused);
    assert_eq!(events(), once);
    assert!(!sandbox.path("elsewhere").exists());
    sandbox.succeed(&train("run --force --tensorboard logs"));
    // Of the first file only the header is left.
    assert!(events() < once + once / 2, "{} and {once} bytes", events());
    sandbox.succeed("train --resume --out run --epochs 2 --tensorboard logs");
    let outcome = sandbox.succeed("train --resume --out run --epochs 3");
    assert!(outcome.stderr.contains("to continue them: --tensorboard "), "{outcome:?}");
    // Another run with the same name does not take them for its own, whether it replaces one or is resumed.
    sandbox.succeed(&train("elsewhere/run"));
    let kept = events();
    sandbox.fail(&train("elsewhere/run --force --tensorboard logs"), 1, &refused);
    sandbox.fail("train --resume --out elsewhere/run --epochs 2 --tensorboard logs", 1, &refused);
    assert_eq!(events(), kept);
}
