//! `verify`.

use crate::sandbox::Sandbox;

// One test, so that the second run finds the compiled shaders of the first. That every kernel passes is tested in
// tests/parity.rs.
#[test]
fn kernels_are_reported_as_text_and_as_json() {
    let sandbox = Sandbox::new();
    text_names_the_kernels(&sandbox);
    json_is_all_there_is_on_stdout(&sandbox);
}

fn text_names_the_kernels(sandbox: &Sandbox) {
    let outcome = sandbox.succeed("verify matmul_at_b rmsprop_update --device software");
    let headings = ["Kernel", "Variant", "Comparisons", "Largest error", "Bound", "Of bound", "Result"];
    for text in headings.iter().chain(&["matmul_at_b", "rmsprop_update", "pass"]) {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains("relu_forward"), "{}", outcome.stdout);
    assert!(outcome.last_line().starts_with("passed: "), "{}", outcome.last_line());
}

fn json_is_all_there_is_on_stdout(sandbox: &Sandbox) {
    let outcome = sandbox.succeed("verify --json matmul_at_b rmsprop_update");
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert!(report["device"].is_string());
    let rows = report["rows"].as_array().unwrap();
    assert!(rows.len() > 100, "{}", rows.len());
    for key in ["kind", "variant", "case", "checks", "output", "largest_error", "bound", "passed", "problem"]
    {
        assert!(rows[0].get(key).is_some(), "{key}");
    }
    assert!(rows.iter().all(|row| row["passed"] == true));
}

/// A changed copy of a shader is verified without a build.
#[test]
fn a_changed_shader_is_verified() {
    let sandbox = Sandbox::new();
    let original = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/activations/relu.wgsl");
    let text = std::fs::read_to_string(original).unwrap();
    let outcome = sandbox.succeed(&format!("verify --device software --shader {original}"));
    assert!(
        outcome.stdout.contains("relu_forward") && outcome.stdout.contains("relu_backward"),
        "{outcome:?}"
    );
    let changed = text.replace("x <= Real()", "x >= Real()");
    assert_ne!(text, changed);
    std::fs::write(sandbox.path("relu.wgsl"), changed).unwrap();
    let outcome = sandbox.run("verify --device software --shader relu.wgsl");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stdout.contains("FAIL relu_forward"), "{outcome:?}");
    std::fs::write(sandbox.path("relu.wgsl"), "fn main( {").unwrap();
    let outcome = sandbox.run("verify --device software --shader relu.wgsl");
    assert!(outcome.code == 1 && outcome.stdout.contains("expected"), "{outcome:?}");
    std::fs::write(sandbox.path("my.wgsl"), text).unwrap();
    sandbox.fail("verify --device software --shader my.wgsl", 1, &["my.wgsl", "no shader", "keeps its name"]);
    sandbox.fail("verify --device software --shader none.wgsl", 1, &["none.wgsl", "cannot be read"]);
    sandbox.fail("verify --device cpu --shader relu.wgsl", 1, &["runs no shaders"]);
    sandbox.fail("verify matmul --shader relu.wgsl", 2, &["--shader"]);
}

/// What is compared with nothing has not passed.
#[test]
fn kinds_that_only_a_twin_runs_are_told() {
    let sandbox = Sandbox::new();
    let why = "nothing to compare of bias_add: the CPU executor has no kernels of its own for that";
    sandbox.fail("verify --device cpu bias_add", 1, &[why, "shadegrad devices"]);
    let outcome = sandbox.succeed("verify --device cpu bias_add copy");
    assert!(outcome.stderr.contains(why), "{outcome:?}");
    assert!(outcome.last_line().starts_with("passed: "), "{outcome:?}");
}

#[test]
fn fast_rows_of_the_cpu_executor_are_compared_and_its_twins_are_not() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.succeed("verify --device cpu matmul maxpool_forward");
    for text in ["gemm", "blocks", "passed: "] {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
    sandbox.fail("verify --device reference", 1, &["cannot be verified", "--device cpu"]);
    sandbox.fail("verify --device cpu --trace model.toml", 1, &["an adapter"]);
    sandbox.fail("verify matmull", 2, &["matmull", "a similar value exists"]);
    sandbox.fail("verify --device nonesuch", 1, &["no device matches `nonesuch`", "0: "]);
}

#[test]
fn training_is_traced_step_by_step() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.succeed("verify --trace model.toml --steps 2 --device software");
    for text in ["conv2d/forward_pooled", "update/rmsprop", "Of bound"] {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
    assert!(outcome.last_line().starts_with("passed: 2 training steps on "), "{}", outcome.last_line());
    let outcome = sandbox.succeed("verify --trace model.toml --steps 1 --no-fuse --json");
    let steps: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let steps = steps.as_array().unwrap();
    assert!(steps.len() > 12 && steps.iter().all(|step| step["problem"].is_null()), "{steps:?}");
    sandbox.fail("verify --trace nonesuch.toml", 1, &["nonesuch.toml"]);
    sandbox.fail("verify matmul --trace model.toml", 2, &["cannot be used with"]);
}

/// Sums over the background of images, whose terms are alike: their roundings all go one way.
#[test]
fn moments_of_images_with_a_background_are_traced() {
    let sandbox = Sandbox::new();
    let layers = [
        "type = \"Conv2D\"\nfilters = 8\nkernel_size = 3\npadding = \"same\"",
        "type = \"BatchNormalization\"",
        "type = \"ReLU\"",
        "type = \"Conv2D\"\nfilters = 8\nkernel_size = 3\npadding = \"same\"\nuse_bias = false",
        "type = \"BatchNormalization\"",
        "type = \"Flatten\"",
        "type = \"Dense\"\nunits = 10\nactivation = \"softmax\"",
    ];
    let layers = layers.map(|layer| format!("\n[[layers]]\n{layer}\n")).concat();
    let model = format!("name = \"normalized\"\ninput_shape = [28, 28, 1]\n{layers}");
    std::fs::write(sandbox.path("normalized.toml"), model).unwrap();
    let outcome = sandbox.succeed("verify --trace normalized.toml --steps 2 --device software");
    assert!(outcome.last_line().starts_with("passed: 2 training steps on "), "{}", outcome.last_line());
}
