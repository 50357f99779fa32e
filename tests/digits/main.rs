//! Ten digits drawn for this test are recognised by the tutorial's model, after a short real training.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use shadegrad::Device;
use shadegrad::train::Model;

#[allow(dead_code, reason = "its main is not called here")]
#[path = "../../examples/use_model.rs"]
mod use_model;

fn shadegrad(args: &[&str]) -> String {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("shadegrad")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Image and label of each line of `predict --json`.
fn read(run: &str, device: &str, images: &str) -> Vec<(PathBuf, usize)> {
    let lines = shadegrad(&["predict", run, images, "--device", device, "--json"]);
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| (line["image"].as_str().unwrap().into(), line["label"].as_u64().unwrap() as usize))
        .collect()
}

#[test]
fn drawn_digits_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let run_name = run.to_str().unwrap();
    shadegrad(&["train", "--max-steps", "600", "--out", run_name]);
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/digits");
    let mut seen = Vec::new();
    for device in ["software", "cpu"] {
        let labels = read(run_name, device, digits.to_str().unwrap());
        assert_eq!(labels.len(), 10);
        // The name of a file begins with its digit.
        let truth = |path: &Path| path.file_name().unwrap().to_string_lossy()[..1].parse::<usize>().unwrap();
        let wrong: Vec<_> = labels.iter().filter(|(path, label)| truth(path) != *label).collect();
        assert!(wrong.len() <= 1, "{device}: {wrong:?}");
        seen.push(labels);
    }
    assert_eq!(seen[0], seen[1], "both executors read the same");

    // The same through the library, as the example shows it.
    assert_eq!(use_model::classify(&run).unwrap().0, 1);
    let image = vec![0; 2 * 28 * 28];
    let rows = Model::open(&run, &Device::cpu()).unwrap().predict(&image).unwrap();
    assert_eq!(rows.len(), 20);
    assert!((rows[..10].iter().sum::<f32>() - 1.0).abs() < 1e-5, "{rows:?}");
}
