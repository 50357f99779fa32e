//! The same bits as one process.

use std::fs;

use crate::launch::{Part, assert_told, end, launch, parts, succeed};
use crate::sandbox::{Sandbox, program};

/// Everything that depends on where a sample lies in its batch, on sums over it, or on what is decided after an epoch.
pub const MODEL: &str = r#"name = "all"
input_shape = [8, 8, 1]

[training]
epochs = 4
batch_size = 9
validation_split = 0.2
micro_batches = 4
early_stopping = { patience = 1, min_delta = 0.01, restore_best_weights = true }

[optimizer]
name = "adam"
global_clipnorm = 0.5
use_ema = true

[augmentation]
rotation_range = 10.0
noise_stddev = 0.05

[[layers]]
type = "Conv2D"
filters = 4
kernel_size = 3
activation = "relu"
kernel_regularizer = { l2 = 0.001 }

[[layers]]
type = "BatchNormalization"
momentum = 0.8

[[layers]]
type = "MaxPooling2D"

[[layers]]
type = "Flatten"

[[layers]]
type = "Dropout"
rate = 0.3

[[layers]]
type = "Dense"
units = 3
activation = "softmax"
"#;

/// A sandbox with that model.
pub fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("all.toml"), MODEL).unwrap();
    sandbox
}

/// The arguments of a run of that model.
pub fn train(device: &str, out: &str, more: &str) -> String {
    format!("train --model all.toml --data data --device {device} {more} --out {out}")
}

/// Fails where two runs left other bits.
pub fn assert_same(sandbox: &Sandbox, what: &str, run: &str, expected: &str) {
    for file in ["weights.safetensors", "steps.jsonl", "model.toml"] {
        let [ours, theirs] = [run, expected].map(|run| fs::read(sandbox.path(run).join(file)).unwrap());
        assert!(ours == theirs, "{what}: {run}/{file} is not {expected}/{file}");
    }
    let figures = |run: &str| {
        let result = sandbox.json(&format!("{run}/result.json"));
        let history = sandbox.json_lines(&format!("{run}/history.jsonl"));
        let losses: Vec<_> =
            history.iter().map(|epoch| (epoch["loss"].clone(), epoch["val_loss"].clone())).collect();
        (result["test_loss"].clone(), result["test_accuracy"].clone(), result["stopped"].clone(), losses)
    };
    assert_eq!(figures(run), figures(expected), "{what}");
}

#[test]
fn any_number_of_processes_gives_the_bits_of_one() {
    let sandbox = sandbox();
    for device in ["cpu", "software"] {
        let alone = format!("{device}-alone");
        sandbox.succeed(&train(device, &alone, ""));
        let mut one_line = None;
        for processes in [1, 2, 4] {
            let run = format!("{device}-{processes}");
            let outcome = succeed(&sandbox, processes, &train(device, &run, ""));
            let what = format!("{processes} processes on {device}");
            assert_same(&sandbox, &what, &run, &alone);
            // The first alone speaks.
            let line = outcome.last_line().to_owned();
            assert_eq!(outcome.stdout.matches("Test accuracy").count(), 1, "{what}: {outcome:?}");
            assert_eq!(*one_line.get_or_insert(line.clone()), line, "{what}");
        }
        // Its figures again, by several.
        for processes in [1, 3] {
            let outcome = succeed(&sandbox, processes, &format!("evaluate {alone} --device {device}"));
            assert_eq!(Some(outcome.last_line().to_owned()), one_line, "{processes} judge on {device}");
        }
    }
}

/// As many micro-batches as processes, and two devices in each process.
#[test]
fn processes_of_several_devices_give_the_bits_of_one() {
    let sandbox = sandbox();
    sandbox.succeed(&train("cpu", "alone", "--micro-batches 4"));
    succeed(&sandbox, 2, &train("cpu,cpu", "pairs", ""));
    assert_same(&sandbox, "two processes of two devices", "pairs", "alone");
    fs::write(sandbox.path("all.toml"), MODEL.replace("micro_batches = 4\n", "")).unwrap();
    sandbox.succeed(&train("cpu", "three", "--micro-batches 2"));
    succeed(&sandbox, 2, &train("cpu", "default", ""));
    assert_same(&sandbox, "as many micro-batches as processes", "default", "three");
}

/// Through the network of this machine, in place of its memory.
#[test]
fn over_tcp_the_bits_are_the_same() {
    let sandbox = sandbox();
    sandbox.succeed(&train("cpu", "alone", ""));
    let mut command = launch(&sandbox, 4, &train("cpu", "tcp", ""));
    command.env("OMPI_MCA_btl", "self,tcp").env("OMPI_MCA_pml", "ob1").env("MPIR_CVAR_NOLOCAL", "1");
    assert_eq!(end(command).code, 0);
    assert_same(&sandbox, "over TCP", "tcp", "alone");
}

#[test]
fn a_run_goes_on_with_another_number_of_processes() {
    let sandbox = sandbox();
    sandbox.succeed(&train("cpu", "alone", ""));
    // The processes of each part of it, and the step at which it ends.
    for (run, counts) in [("up", [1, 2, 4]), ("down", [4, 2, 1])] {
        succeed(&sandbox, counts[0], &train("cpu", run, "--max-steps 3"));
        succeed(&sandbox, counts[1], &format!("train --resume --out {run} --max-steps 6"));
        let model = sandbox.text("alone/model.toml");
        assert!(model.contains("micro_batches = 4"));
        succeed(&sandbox, counts[2], &format!("train --resume --out {run} --max-steps 1000"));
        for file in ["weights.safetensors", "steps.jsonl"] {
            let [ours, theirs] = [run, "alone"].map(|run| fs::read(sandbox.path(run).join(file)).unwrap());
            assert!(ours == theirs, "{counts:?}: other {file}");
        }
    }
}

/// The first alone has the folder of the run: another machine need not see it.
#[test]
fn other_processes_need_no_folder_of_the_run() {
    let sandbox = sandbox();
    sandbox.succeed(&train("cpu", "alone", ""));
    succeed(&sandbox, 2, &train("cpu", "run", "--max-steps 3"));
    let first = "train --resume --max-steps 1000 --out run";
    let other = "train --resume --max-steps 1000 --out nowhere";
    let both = [first, other].map(|args| Part { processes: 1, program: program(), variables: &[], args });
    let outcome = end(parts(&sandbox, &both));
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(!sandbox.path("nowhere").exists());
    for file in ["weights.safetensors", "steps.jsonl"] {
        let [ours, theirs] = ["run", "alone"].map(|run| fs::read(sandbox.path(run).join(file)).unwrap());
        assert!(ours == theirs, "other {file}");
    }
}

#[test]
fn bench_and_train_show_the_parts_of_a_step() {
    let sandbox = sandbox();
    for args in [
        "bench --model all.toml --device software --repeats 5",
        &train("cpu", "run", "--epochs 1 --early-stopping off --profile"),
    ] {
        let outcome = succeed(&sandbox, 2, args);
        for part in ["2 processes", "compute", "map", "exchange", "sum", "upload", "update", "step"] {
            assert!(outcome.stdout.contains(part), "{part}: {outcome:?}");
        }
    }
    assert_eq!(sandbox.json("run/profile.json")["processes"].as_array().map(Vec::len), Some(2));
    let refused = end(launch(&sandbox, 2, "bench --model all.toml --device cpu --tune"));
    assert_told("tuned parts", &refused, &["error: ", "--tune is for batches that are computed as a whole"]);
}
