//! The first training on a machine: the driver has compiled nothing yet.

use std::fs;

use crate::sandbox::Sandbox;

/// The folder in which Mesa keeps what it compiled is a new one.
#[cfg(target_os = "linux")]
#[test]
fn two_devices_compile_side_by_side() {
    let sandbox = Sandbox::new();
    let cache = sandbox.path("shaders").display().to_string();
    let sandbox = sandbox.with("MESA_SHADER_CACHE_DIR", &cache).with("RUST_LOG", "shadegrad=debug");
    let train = "train --device software --limit 640 --max-steps 3 --out";
    let helped = sandbox.succeed(&format!("{train} cold")).stderr.lines().any(|line| {
        let count = line.split_once("warm_up] ").and_then(|(_, said)| said.split(' ').next()?.parse().ok());
        line.ends_with(" kernels were compiled on a second device") && count > Some(0)
    });
    assert!(helped, "one device compiled everything");
    sandbox.succeed(&format!("{train} warm"));
    let [cold, warm] =
        ["cold", "warm"].map(|run| fs::read(sandbox.path(run).join("weights.safetensors")).unwrap());
    assert!(cold == warm, "the weights differ");
}
