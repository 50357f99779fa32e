//! `explain`.

use std::path::Path;

use crate::no_adapter::machine_without_driver;
use crate::sandbox::Sandbox;

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_tutorial_is_explained_without_a_device() {
    // Without a driver the CPU executor is chosen, and its plan is printed.
    let outcome = machine_without_driver().succeed("explain");
    let expected = [
        "Device: CPU executor",
        "Plan of model \"tutorial\" for batches of 64",
        "conv2d/forward",
        "rmsprop_update",
        "[64, 26, 26, 32]",
        "twin",
        "optimizer state",
        "FLOPs per batch",
        "Dispatches",
    ];
    for text in expected {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.lines().skip(1).all(|line| line.chars().count() <= 120));
    assert_eq!(outcome.stderr, "");
}

#[test]
fn model_and_batch_size_are_taken() {
    let sandbox = Sandbox::new();
    let text = sandbox.succeed("explain --model model.toml --batch-size 7 --device cpu").stdout;
    assert!(text.contains("\"small\" for batches of 7") && text.contains("[7, 6, 6, 4]"), "{text}");
}

#[test]
fn an_adapter_runs_it_fused_unless_told_otherwise() {
    let sandbox = Sandbox::new();
    let fused = sandbox.succeed("explain --device software").stdout;
    for text in [
        "Fused: 13 steps out of 28",
        "conv2d/forward + conv2d/relu + max_pooling2d/forward + conv2d/relu_backward\n    -> conv2d/forward_pooled",
        "conv2d_maxpool_forward",
        "dense_rmsprop_update",
        "are streamed to this adapter",
    ] {
        assert!(fused.contains(text), "{text:?} is missing from\n{fused}");
    }
    let plain = sandbox.succeed("explain --device software --no-fuse").stdout;
    assert!(plain.contains("28 steps") && !plain.contains("conv2d_maxpool"), "{plain}");
}

/// The file of each step, and what is compiled for one of them: a header, what its file imports, its file as it stands.
#[test]
fn shaders_are_named_and_printed() {
    let sandbox = Sandbox::new();
    let text = sandbox.succeed("explain --device software --no-fuse").stdout;
    let files: Vec<&str> = text.lines().filter_map(|line| line.trim_start().strip_prefix("file ")).collect();
    assert_eq!(files.len(), 28, "{text}");
    for file in files {
        assert!(repository(file.trim()).is_file(), "{file}");
    }
    let widest = text.lines().skip(1).map(|line| line.chars().count()).max();
    assert!(widest <= Some(120), "{widest:?} columns");
    let on_disk = std::fs::read_to_string(repository("shaders/loss/batch_metrics.wgsl")).unwrap();
    for step in ["loss/batch_metrics", "14"] {
        let shader = sandbox.succeed(&format!("explain --device software --no-fuse --shader {step}")).stdout;
        assert!(shader.starts_with("alias Real = "), "{shader}");
        assert!(
            shader.contains("const INVOCATIONS = 64u;") && shader.contains("struct BatchParams"),
            "{shader}"
        );
        assert!(shader.ends_with(&on_disk), "{shader}");
    }
    let asked = "explain --device software --shader";
    sandbox.fail(&format!("{asked} dense/matmull"), 1, &["13 steps", "did you mean `dense/matmul`?"]);
    sandbox.fail(&format!("{asked} 14"), 1, &["13 steps", "`14`"]);
    sandbox.fail("explain --device cpu --shader 1", 1, &["no shaders", "--device software"]);
}

#[test]
fn statistics_come_from_a_driver_that_tells_them() {
    let sandbox = Sandbox::new();
    sandbox.fail("explain --statistics --device cpu", 1, &["--statistics", "CPU executor", "--device"]);
    // No version of lavapipe tells; should one begin to, it has a row for each step.
    let asked = sandbox.run("explain --statistics --json --device software");
    if asked.code == 0 {
        let rows: Vec<serde_json::Value> = serde_json::from_str(&asked.stdout).unwrap();
        assert!(rows.len() == 13 && rows.iter().all(|row| row["figures"].is_object()), "{}", asked.stdout);
    } else {
        assert!(asked.stderr.contains("VK_KHR_pipeline_executable_properties"), "{}", asked.stderr);
    }
    sandbox.fail("explain --json", 2, &["--statistics"]);
}

#[test]
fn what_cannot_be_lowered_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.fail("explain --batch-size 0", 2, &["--batch-size", "from 1 to 65536"]);
    sandbox.fail("explain --model nonesuch.toml", 1, &["nonesuch.toml", "`tutorial`"]);
    let wide = crate::sandbox::MODEL.replace("units = 3", "units = 20000");
    std::fs::write(sandbox.path("wide.toml"), wide).unwrap();
    sandbox.fail("explain --model wide.toml", 1, &["softmax", "limit of 30000", "fewer classes"]);
}

/// `--values` follows the numbers of one step.
#[test]
fn numbers_of_a_step_are_shown_as_shader_and_twin_make_them() {
    let sandbox = Sandbox::new();
    let asked = "explain --device software --no-fuse --batch-size 8 --values";
    let said = sandbox.succeed(&format!("{asked} conv2d/forward --sample 3")).stdout;
    for part in [
        "conv2d/forward (conv2d_forward, ",
        "Sample 3 of the batch is number ",
        "x [8, 28, 28, 1], read: 784 numbers of the sample, from 0 to 1\n",
        "kernel [3, 3, 1, 32], read: 288 numbers, from ",
        "y [8, 26, 26, 32], written: 21,632 numbers of the sample, from ",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
    // Eight numbers of the sample, each within what is allowed.
    let rows: Vec<Vec<&str>> = said
        .lines()
        .filter(|line| line.starts_with("y[3, "))
        .map(|line| line.split(']').nth(1).unwrap_or("").split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 8, "{said}");
    for row in rows {
        let [shader, twin, difference, allowed] = row[..] else { panic!("{row:?}") };
        let number = |text: &str| text.parse::<f64>().unwrap();
        assert!(number(difference) <= number(allowed) && number(allowed) < 1e-4, "{row:?}");
        assert!((number(shader) - number(twin)).abs() < 1e-4 && number(shader).abs() > 0.1, "{row:?}");
    }
    // By its number, a step whose data is bytes, and one that changes weights in place.
    let first = sandbox.succeed(&format!("{asked} 1")).stdout;
    assert!(first.contains("images [_, 784], read: bytes of the data set\n"), "{first}");
    let update = sandbox.succeed(&format!("{asked} update/rmsprop")).stdout;
    assert!(update.contains("parameter [347152], read and written: 347,152 numbers, from "), "{update}");
    sandbox.fail(&format!("{asked} conv2d/forward --sample 8"), 1, &["--sample is 8", "8 samples"]);
    // There are fewer samples than the batch has room for.
    let large = "explain --device software --batch-size 9000 --values update/rmsprop --sample 8999";
    sandbox.fail(large, 1, &["--sample is 8999", "8192 samples"]);
    sandbox.fail(&format!("{asked} conv2d/forwards"), 1, &["did you mean `conv2d/forward`"]);
    sandbox.fail("explain --device cpu --values 1", 1, &["no shaders", "--device software"]);
    sandbox.fail("explain --device software --sample 1", 2, &["--values"]);
}

/// What is summed over the batch is of no sample, and the first step has the first rate of the model's schedule.
#[test]
fn statistics_are_of_the_batch_and_rates_of_the_schedule() {
    let sandbox = Sandbox::new();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/mnist-deep.toml");
    let asked =
        format!("explain --device software --no-fuse --batch-size 8 --model {model} --sample 3 --values");
    let sums = sandbox.succeed(&format!("{asked} batch_normalization/sums.sum")).stdout;
    assert!(sums.contains("sum [32], written: 32 numbers, from "), "{sums}");
    let normalized = sandbox.succeed(&format!("{asked} batch_normalization/forward")).stdout;
    for part in ["x [5408, 32], read: 21,632 numbers of the sample", "mean [32], read: 32 numbers, from "] {
        assert!(normalized.contains(part), "{part}: {normalized}");
    }
    // The first step of Adam moves each weight by the rate, but where its gradient is nearly 0.
    let rate = 0.00016;
    let update = sandbox.succeed(&format!("{asked} update/adam")).stdout;
    let moves: Vec<f64> = update
        .lines()
        .filter(|line| line.starts_with("parameter["))
        .filter_map(|line| {
            let numbers: Vec<f64> =
                line.split(']').nth(1)?.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            Some((numbers.get(1)? - numbers.first()?).abs())
        })
        .collect();
    assert!(!moves.is_empty() && moves.iter().all(|moved| *moved < 1.01 * rate), "{update}");
    assert!(moves.iter().any(|moved| (moved - rate).abs() < 0.01 * rate), "{update}");
}
