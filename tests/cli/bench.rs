//! `bench`, and `train --profile`, which prints the same table.

use serde_json::Value;

use crate::sandbox::{Outcome, Sandbox};

/// Steps of the small model's plan, on the CPU executor and on an adapter, and the other rows of the table.
const STEPS: [&str; 4] = ["input/gather", "conv2d/forward ", "dense/matmul", "update/rmsprop"];
const FUSED: [&str; 4] = ["input/gather", "conv2d/forward_pooled", "dense/forward", "update/rmsprop"];
const HEADINGS: [&str; 8] = ["Step", "Kernel", "Variant", "ms", "GFLOP/s", "GB/s", "Share", "Of best"];

fn contains(outcome: &Outcome, texts: &[&str]) {
    for text in texts {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 120), "{}", outcome.stdout);
}

#[test]
fn an_adapter_is_timed_as_a_table() {
    let outcome =
        Sandbox::new().succeed("bench --model model.toml --batch-size 8 --device software --repeats 3");
    contains(&outcome, &FUSED);
    contains(&outcome, &HEADINGS);
    contains(
        &outcome,
        &["Device: ", "medians of 3", "Best of this adapter: ", "gaps between steps", "encode"],
    );
    assert!(outcome.last_line().ends_with(" s for an epoch of 60,000"), "{}", outcome.last_line());
}

/// Twelve blocks whose values double: only by the batch's own statistics do they stay in range.
#[test]
fn what_only_training_does_is_timed_as_well() {
    let block = "[[layers]]\ntype = \"Conv2D\"\nfilters = 8\nkernel_size = 3\npadding = \"same\"\n\
                 kernel_initializer = { name = \"random_normal\", stddev = 100.0 }\n\
                 [[layers]]\ntype = \"BatchNormalization\"\n";
    let model = format!(
        "name = \"deep\"\ninput_shape = [8, 8, 3]\n[augmentation]\nrotation_range = 10\n{}[[layers]]\ntype = \"Dropout\"\n\
         rate = 0.2\n[[layers]]\ntype = \"GlobalAveragePooling2D\"\n[[layers]]\ntype = \"Dense\"\nunits = 3\n\
         activation = \"softmax\"\n",
        block.repeat(12)
    );
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("deep.toml"), model).unwrap();
    let outcome = sandbox.succeed("bench --model deep.toml --batch-size 8 --device software --repeats 2");
    contains(&outcome, &["batch_norm_forward", "dropout_forward", "augment_images"]);
}

#[test]
fn an_adapter_is_timed_as_json() {
    let args = "bench --model model.toml --batch-size 8 --device software --no-fuse --repeats 2 --json";
    let report: Value = serde_json::from_str(&Sandbox::new().succeed(args).stdout).unwrap();
    assert_eq!(
        (&report["model"], &report["batch_size"], &report["samples"]),
        (&"small".into(), &8.into(), &2.into())
    );
    let positive = |value: &Value| value.as_f64().is_some_and(|number| number > 0.0);
    for key in ["step_ms", "encode_ms", "submit_ms", "images_per_second", "epoch_seconds"] {
        assert!(positive(&report[key]), "{key}: {report}");
    }
    assert!(positive(&report["roofs"]["gflops"]) && positive(&report["roofs"]["gbps"]), "{report}");
    let steps = report["steps"].as_array().unwrap();
    for key in ["name", "kind", "variant", "ms", "flops", "bytes", "gflops", "gbps", "share", "of_roof"] {
        assert!(
            steps.iter().all(|step| step.get(key).is_some_and(|value| !value.is_null())),
            "{key}: {report}"
        );
    }
    // 8 images of 8x8, 6x6 positions of 4 channels, 9 multiply-adds and the bias; then images, kernel, bias and output.
    let conv = steps.iter().find(|step| step["name"] == "conv2d/forward").unwrap();
    assert_eq!(conv["flops"], 8 * 36 * 4 * 19);
    assert_eq!(conv["bytes"], 4 * (8 * 64 + 9 * 4 + 4 + 8 * 36 * 4));
    let shares: f64 = steps.iter().map(|step| step["share"].as_f64().unwrap()).sum();
    assert!(shares > 0.0 && shares <= 1.0 + 1e-9, "{shares}");
}

#[test]
fn the_cpu_executor_is_timed_without_roofs() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.succeed("bench --model model.toml --device cpu --repeats 4");
    contains(&outcome, &STEPS);
    contains(&outcome, &["Device: CPU executor, as requested", "medians of 4, by the host's clock", "twin"]);
    assert!(!outcome.stdout.contains("Best of this adapter"), "{}", outcome.stdout);
    let json = sandbox.succeed("bench --model model.toml --device cpu --repeats 1 --json").stdout;
    let report: Value = serde_json::from_str(&json).unwrap();
    assert!(report["roofs"].is_null() && report["steps"][0]["of_roof"].is_null(), "{report}");
}

#[test]
fn mistakes_are_named() {
    let sandbox = Sandbox::new();
    let rows: &[(&str, i32, &[&str])] = &[
        ("bench --repeats 0", 2, &["'--repeats <N>'", "a whole number, at least 1"]),
        ("bench --repeats many", 2, &["'--repeats <N>'"]),
        ("bench --batch-size 0", 2, &["'--batch-size <N>'", "from 1 to 65536"]),
        ("bench --data mnist", 2, &["unexpected argument '--data'"]),
        ("bench --model nonesuch.toml", 1, &["nonesuch.toml", "`tutorial`"]),
        ("bench --device nonesuch", 1, &["no device matches `nonesuch`"]),
    ];
    for (args, code, expected) in rows {
        sandbox.fail(args, *code, expected);
    }
}

#[test]
fn a_profiled_run_computes_the_same_bits() {
    let sandbox = Sandbox::new();
    for device in ["cpu", "software"] {
        let train = |flags: &str, out: &str| {
            sandbox
                .train(&format!("--device {device} --epochs 4 --batch-size 16 {flags} --out {device}-{out}"))
        };
        let file =
            |out: &str, name: &str| std::fs::read(sandbox.path(&format!("{device}-{out}/{name}"))).unwrap();
        train("", "plain");
        let profiled = train("--profile", "profiled");
        for name in ["weights.safetensors", "steps.jsonl"] {
            assert!(file("plain", name) == file("profiled", name), "{device}: {name} differs");
        }
        contains(&profiled, if device == "cpu" { &STEPS } else { &FUSED });
        contains(&profiled, &["for an epoch of 60,000\n\nRun: "]);
        assert!(profiled.last_line().starts_with("Test accuracy: "), "{}", profiled.last_line());
    }
    // The only batch is measured step by step, so none is left to be measured as a whole.
    contains(
        &sandbox.train("--device software --max-steps 1 --profile --out one"),
        &["medians of 1", "s for an epoch"],
    );
}
