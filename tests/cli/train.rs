//! `train`: what it prints and what its flags do.

use std::fs;
use std::process::Stdio;

use predicates::prelude::*;
use serde_json::Value;

use crate::sandbox::{MODEL, Sandbox};

/// What the last line of `train` and `evaluate` looks like.
pub const FIGURES: &str = r"^Test accuracy: [01]\.\d{4}  Test loss: \d+\.\d{4}$";

#[test]
fn without_a_terminal_results_and_epochs_go_to_stdout() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.train("--device cpu --epochs 2 --batch-size 16 --out out");
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(lines[0], "Device: CPU executor, as requested");
    assert_eq!(lines[1], "Model: \"small\"");
    assert!(outcome.stdout.contains("conv2d (Conv2D)"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("for 40 + 12 samples"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("\nRun: out\n"), "{}", outcome.stdout);
    let figures = predicate::str::is_match(FIGURES).unwrap();
    assert!(figures.eval(outcome.last_line()), "{}", outcome.last_line());

    let epochs: Vec<_> = outcome.stdout.lines().filter(|line| line.starts_with("Epoch ")).collect();
    let line = r"^Epoch \d/2 - 3 steps - [\d.]+s [\d.]+ms/step - loss: \d+\.\d{4} - accuracy: [01]\.\d{4}$";
    let line = predicate::str::is_match(line).unwrap();
    assert_eq!(epochs.len(), 2, "{}", outcome.stdout);
    assert!(epochs.iter().all(|text| line.eval(text)), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "", "no bar where there is no terminal");
}

#[test]
fn equal_seeds_give_equal_files_on_every_device() {
    let sandbox = Sandbox::new();
    for device in ["cpu", "software"] {
        let train = |seed: u32, out: &str| {
            sandbox.train(&format!("--device {device} --seed {seed} --epochs 3 --batch-size 16 --out {out}"));
            std::fs::read(sandbox.path(&format!("{out}/weights.safetensors"))).unwrap()
        };
        let [first, again, other] =
            [(5, "a"), (5, "b"), (6, "c")].map(|(seed, out)| train(seed, &format!("{device}-{out}")));
        assert_eq!(first, again, "{device}: the same seed");
        assert_ne!(first, other, "{device}: another seed");
    }
}

#[test]
fn streaming_is_said_and_changes_no_file() {
    let sandbox = Sandbox::new();
    // (device, flags, what the memory line says)
    let rows = [
        ("software", "", "for 40 + 12 samples"),
        ("software", "--stream", "for 40 (streamed) + 12 (streamed) samples"),
        ("cpu", "", "for 40 + 12 samples"),
        ("cpu", "--stream", "for 40 + 12 samples"),
    ];
    let run = |(device, flags, said): (&str, &str, &str), out: usize| {
        let args = format!("--device {device} {flags} --epochs 3 --batch-size 16 --out {out}");
        let stdout = sandbox.train(&args).stdout;
        let line = stdout.lines().find(|line| line.starts_with("Memory: ")).unwrap_or_default();
        assert!(line.ends_with(said), "{args}: {line}");
        sandbox.text(&format!("{out}/steps.jsonl"))
            + &sandbox.json(&format!("{out}/result.json"))["weights_sha256"].to_string()
    };
    for pair in rows.chunks(2).zip([0, 2]) {
        let ([plain, streamed], out) = pair else { unreachable!() };
        assert_eq!(run(*plain, out), run(*streamed, out + 1), "{}", plain.0);
    }
}

#[test]
fn without_shuffling_the_seed_decides_nothing_but_the_start() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --max-steps 1 --out start");
    let train = |flags: &str, out: &str| {
        let init = "--device cpu --init start/weights.safetensors --batch-size 7 --epochs 1";
        sandbox.train(&format!("{init} {flags} --out {out}"));
        std::fs::read(sandbox.path(&format!("{out}/weights.safetensors"))).unwrap()
    };
    assert_eq!(train("--no-shuffle --seed 1", "a"), train("--no-shuffle --seed 2", "b"));
    assert_ne!(train("--seed 1", "c"), train("--seed 2", "d"));
}

#[test]
fn weights_of_half_precision_are_a_beginning_like_others() {
    use safetensors::tensor::{Dtype, SafeTensors, TensorView};

    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --max-steps 1 --out start");
    let bytes = std::fs::read(sandbox.path("start/weights.safetensors")).unwrap();
    let start = SafeTensors::deserialize(&bytes).unwrap();
    let narrow = |view: &TensorView<'_>| -> Vec<half::f16> {
        let (values, _) = view.data().as_chunks();
        values.iter().map(|&value| half::f16::from_f32(f32::from_le_bytes(value))).collect()
    };
    let write = |name: &str, dtype: Dtype, bytes_of: fn(half::f16) -> Vec<u8>| {
        let tensors = start.tensors();
        let narrowed: Vec<(&str, Vec<usize>, Vec<u8>)> = tensors
            .iter()
            .map(|(name, view)| {
                (name.as_str(), view.shape().to_vec(), narrow(view).into_iter().flat_map(bytes_of).collect())
            })
            .collect();
        let views = narrowed
            .iter()
            .map(|(name, shape, bytes)| (*name, TensorView::new(dtype, shape.clone(), bytes).unwrap()));
        std::fs::write(sandbox.path(name), safetensors::serialize(views, None).unwrap()).unwrap();
    };
    write("half", Dtype::F16, |value| value.to_le_bytes().to_vec());
    write("single", Dtype::F32, |value| value.to_f32().to_le_bytes().to_vec());
    write("double", Dtype::F64, |value| value.to_f64().to_le_bytes().to_vec());
    let trained = |init: &str| {
        sandbox.train(&format!("--device cpu --epochs 1 --init {init} --out from-{init}"));
        std::fs::read(sandbox.path(&format!("from-{init}/weights.safetensors"))).unwrap()
    };
    assert_eq!(trained("half"), trained("single"));
    assert!(
        sandbox.path("half").metadata().unwrap().len() < sandbox.path("single").metadata().unwrap().len()
    );
    let refused = ["weight file `double`", "is of type F64", "convert it to F32"];
    sandbox.fail("train --model model.toml --data data --init double", 1, &refused);
    // As the weights of a run, too.
    std::fs::copy(sandbox.path("half"), sandbox.path("start/weights.safetensors")).unwrap();
    sandbox.succeed("evaluate start --device cpu");
}

#[test]
fn flags_speak_over_the_model_file() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --max-steps 1 --optimizer rmsprop --learning-rate 0.02 --out a");
    assert!(
        sandbox.text("a/model.toml").contains("learning_rate = 0.02"),
        "{}",
        sandbox.text("a/model.toml")
    );
    // The file's own settings are kept when its optimizer is named by a flag.
    let (top, layers) = MODEL.split_once("[[layers]]").unwrap();
    let text = format!("{top}[optimizer]\nname = \"rmsprop\"\nrho = 0.5\n\n[[layers]]{layers}");
    std::fs::write(sandbox.path("rho.toml"), text).unwrap();
    sandbox
        .succeed("train --model rho.toml --data data --device cpu --max-steps 1 --optimizer rmsprop --out b");
    assert!(sandbox.text("b/model.toml").contains("rho = 0.5"), "{}", sandbox.text("b/model.toml"));
}

#[test]
fn a_bound_on_steps_holds_whatever_the_epochs() {
    let sandbox = Sandbox::new();
    // (flags, steps, epochs started); 40 samples are 3 steps of 16.
    let rows = [
        ("--max-steps 1", 1, 1),
        ("--max-steps 3", 3, 1),
        ("--max-steps 4", 4, 2),
        ("--max-steps 100 --epochs 2", 6, 2),
        ("--max-steps 2 --epochs 18446744073709551615", 2, 1),
    ];
    for (index, (flags, steps, epochs)) in rows.into_iter().enumerate() {
        sandbox.train(&format!("--device cpu --batch-size 16 {flags} --out {index}"));
        let result = sandbox.json(&format!("{index}/result.json"));
        assert_eq!((&result["steps"], &result["epochs"]), (&steps.into(), &epochs.into()), "{flags}");
        assert_eq!(sandbox.json_lines(&format!("{index}/steps.jsonl")).len(), steps, "{flags}");
        assert_eq!(sandbox.json_lines(&format!("{index}/history.jsonl")).len(), epochs, "{flags}");
        assert!(sandbox.path(&format!("{index}/weights.safetensors")).exists(), "{flags}");
    }
}

#[test]
fn divergence_is_loud_and_the_files_stay_json() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.train("--device cpu --learning-rate 3e38 --epochs 5 --out out --allow-nan");
    assert!(outcome.stderr.contains("training has diverged"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("smaller --learning-rate"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches("has diverged").count(), 1, "said once");
    assert!(sandbox.json_lines("out/steps.jsonl").iter().any(|step| step["loss"].is_null()));
    assert!(sandbox.json("out/result.json")["test_loss"].is_null());
    // The one before the first step: later weights are not finite.
    assert_eq!(sandbox.list("out/checkpoints"), ["step-00000000"]);
    assert_eq!(sandbox.json("out/result.json")["checkpoints_written"], 1);
    sandbox.fail("evaluate out --device cpu", 1, &["weights.safetensors", "must be finite"]);
    // Once allowed, it stays allowed when the run is resumed.
    sandbox.succeed("train --resume --epochs 6 --out out");
    assert_eq!(sandbox.json_lines("out/history.jsonl").len(), 6);
}

#[test]
fn divergence_ends_training_and_names_the_last_checkpoint() {
    let sandbox = Sandbox::new();
    for device in ["cpu", "software"] {
        let train = "train --model model.toml --data data --batch-size 4 --epochs 5";
        let diverges = format!("{train} --learning-rate 3e38 --device {device} --out {device}");
        let said = [
            "training has diverged: the loss of step 2 (epoch 1) is NaN",
            "weight `conv2d.kernel`[0, 0, 0, 0] is",
        ];
        let advice = [
            "checkpoint before it is",
            "checkpoints/step-00000000",
            "a smaller --learning-rate",
            "--allow-nan",
        ];
        sandbox.fail(&diverges, 1, &[&said[..], &advice].concat());
        assert!(!sandbox.path(&format!("{device}/result.json")).exists());
        let steps = sandbox.json_lines(&format!("{device}/steps.jsonl"));
        assert_eq!(steps.len(), 2, "the log ends with the step that it was: {steps:?}");
        assert!(steps[1]["loss"].is_null(), "{steps:?}");
        // Resuming from that checkpoint gives the same result.
        sandbox.fail(&format!("train --resume --out {device}"), 1, &said);
        assert_eq!(sandbox.json_lines(&format!("{device}/steps.jsonl")), steps);
    }
}

#[test]
fn the_tutorial_is_the_default_and_evaluates_to_the_same_figures() {
    let sandbox = Sandbox::new();
    for device in ["cpu", "software"] {
        let trained = sandbox.succeed(&format!("train --max-steps 3 --device {device} --out {device}"));
        assert!(trained.stdout.contains("Model: \"tutorial\""), "{}", trained.stdout);
        assert!(trained.stdout.contains("for 60,000 + 10,000 samples"), "{}", trained.stdout);
        let steps = sandbox.json_lines(&format!("{device}/steps.jsonl"));
        let first = steps[0]["loss"].as_f64().unwrap();
        assert!((2.0..2.7).contains(&first), "near ln 10 at the start: {first}");
        let judged = sandbox.succeed(&format!("evaluate {device} --device {device}"));
        assert_eq!(judged.last_line(), trained.last_line(), "{device}");
    }
}

#[test]
fn devices_begin_alike() {
    // Initial weights and shuffles are the same bits everywhere: the first losses differ only by rounding.
    let sandbox = Sandbox::new();
    let first = |device: &str| {
        sandbox.train(&format!("--device {device} --max-steps 1 --out {device}"));
        sandbox.json_lines(&format!("{device}/steps.jsonl"))[0]["loss"].as_f64().unwrap()
    };
    let [cpu, software, index] = ["cpu", "software", "0"].map(first);
    assert!((cpu - software).abs() < 1e-5 * cpu, "{cpu} {software}");
    assert!((cpu - index).abs() < 1e-5 * cpu, "{cpu} {index}");
}

#[test]
fn a_reader_that_leaves_stops_no_training() {
    let sandbox = Sandbox::new();
    let args = "train --model model.toml --data data --device cpu --out out";
    let mut child = sandbox.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Both pipes are closed before much is written, as `2>&1 | head -0` would.
    drop((child.stdout.take(), child.stderr.take()));
    assert!(child.wait().unwrap().success());
    assert!(sandbox.path("out/result.json").exists());
}

#[test]
fn help_names_every_flag() {
    let sandbox = Sandbox::new();
    let help = sandbox.succeed("train --help").stdout.replace(" [<", " <");
    for flag in [
        "--model",
        "--data",
        "--epochs",
        "--batch-size",
        "--seed",
        "--optimizer",
        "--learning-rate",
        "--no-shuffle",
        "--max-steps",
        "--init",
        "--device",
        "--out",
        "--force",
        "--profile",
        "--stream",
        "--schedule",
        "--limit",
        "--validation-split",
        "--validation-data",
        "--until-loss",
        "--until-accuracy",
        "--early-stopping",
        "--reduce-lr-on-plateau",
        "--report",
        "--top-k",
    ] {
        assert!(help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")), "{flag}");
    }
    let version = sandbox.succeed("--version").stdout;
    assert_eq!(version.trim(), concat!("shadegrad ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn quiet_training_prints_results_only() {
    let sandbox = Sandbox::new();
    let quiet = sandbox.train("--device cpu --max-steps 2 --quiet --out quiet");
    let lines: Vec<&str> = quiet.stdout.lines().collect();
    assert!(
        lines.len() == 2 && lines[0] == "Run: quiet" && lines[1].starts_with("Test accuracy: "),
        "{quiet:?}"
    );
    assert_eq!(quiet.stderr, "");
}

#[test]
fn machines_get_a_line_for_each_epoch_and_one_for_the_result() {
    let sandbox = Sandbox::new();
    let events = |args: &str| -> Vec<serde_json::Value> {
        let outcome = sandbox.succeed(args);
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let train = "train --model model.toml --data data --device cpu --validation-split 0.2 --json --out run";
    let lines = events(&format!("{train} --epochs 3"));
    let [epochs @ .., result] = lines.as_slice() else { panic!("{lines:?}") };
    let with_event = |mut line: serde_json::Value, event: &str| {
        line["event"] = event.into();
        line
    };
    let history = sandbox.json_lines("run/history.jsonl");
    assert_eq!(epochs, history.into_iter().map(|line| with_event(line, "epoch")).collect::<Vec<_>>());
    let mut expected = with_event(sandbox.json("run/result.json"), "result");
    expected["run"] = "run".into();
    assert_eq!(*result, expected);
    // A resumed run reports only its own epochs.
    let lines = events("train --resume --out run --epochs 4 --json");
    let told =
        |line: &serde_json::Value| (line["event"].as_str().unwrap().to_owned(), line["epoch"].as_u64());
    assert_eq!(
        lines.iter().map(told).collect::<Vec<_>>(),
        [("epoch".into(), Some(4)), ("result".into(), None)]
    );
    // Nothing else but warnings.
    let diverging = sandbox.succeed(&format!("{train} --force --epochs 2 --learning-rate 3e38 --allow-nan"));
    assert!(diverging.stderr.lines().all(|line| line.starts_with("warning: ")), "{}", diverging.stderr);
    let second: serde_json::Value = serde_json::from_str(diverging.stdout.lines().nth(1).unwrap()).unwrap();
    assert!(second["loss"].is_null() && second["event"] == "epoch", "{second}");
}

#[test]
fn a_batch_larger_than_the_training_set_takes_the_memory_of_the_set() {
    let sandbox = Sandbox::new();
    for device in ["cpu", "software"] {
        let train = |batch: usize, out: &str| {
            sandbox.train(&format!(
                "--device {device} --epochs 2 --batch-size {batch} --limit 9 --out {device}-{out}"
            ))
        };
        let (whole, more) = (train(9, "whole"), train(65_536, "more"));
        assert!(more.stdout.contains(" for batches of 9, "), "{device}: {}", more.stdout);
        let bytes =
            |out: &str| fs::read(sandbox.path(&format!("{device}-{out}/weights.safetensors"))).unwrap();
        assert!(bytes("whole") == bytes("more"), "{device}");
        assert_eq!(whole.last_line(), more.last_line(), "{device}");
        let results = ["whole", "more"].map(|out| sandbox.json(&format!("{device}-{out}/result.json")));
        assert_eq!(results[0]["test_loss"], results[1]["test_loss"], "{device}");
        assert_eq!([&results[0]["batch_size"], &results[1]["batch_size"]], [9, 65_536], "{device}");
        assert_eq!([&results[0]["capacity"], &results[1]["capacity"]], [&Value::Null, &9.into()], "{device}");
        // Evaluated again, the metrics are the run's own, also when it is resumed.
        let judged = |out: &str| {
            let args = format!("evaluate {device}-{out} --device {device} --json");
            serde_json::from_str::<Value>(&sandbox.succeed(&args).stdout).unwrap()["test_loss"].clone()
        };
        assert_eq!(judged("more"), results[1]["test_loss"], "{device}");
        sandbox.succeed(&format!("train --resume --out {device}-more --epochs 3"));
        sandbox.train(&format!("--device {device} --epochs 3 --batch-size 9 --limit 9 --out {device}-long"));
        assert!(bytes("more") == bytes("long"), "{device}: resumed");
    }
}
