//! A machine without any driver.

use crate::sandbox::Sandbox;

/// Where the Vulkan loader looks for drivers, there is an empty file; other interfaces are not looked at.
pub fn machine_without_driver() -> Sandbox {
    let sandbox = Sandbox::new();
    let empty = sandbox.path("no-driver.json");
    std::fs::write(&empty, "").unwrap();
    let empty = empty.display().to_string();
    sandbox.with("VK_DRIVER_FILES", &empty).with("VK_ICD_FILENAMES", &empty).with("WGPU_BACKEND", "vulkan")
}

#[test]
fn training_falls_back_to_the_cpu_and_says_how_to_do_better() {
    let sandbox = machine_without_driver();
    let outcome = sandbox.train("--max-steps 2 --out out");
    let first = outcome.stdout.lines().next().unwrap();
    assert!(first.starts_with("Device: CPU executor: "), "{first}");
    assert!(first.contains("mesa-vulkan-drivers"), "{first}");
    assert_eq!(sandbox.json("out/result.json")["device"], "CPU executor");
    sandbox.succeed("evaluate out");
}

#[test]
fn the_list_of_devices_is_no_failure() {
    let outcome = machine_without_driver().succeed("devices");
    for text in ["CPU executor", "mesa-vulkan-drivers", "auto takes the CPU executor"] {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
}

#[test]
fn what_needs_an_adapter_says_how_to_get_one() {
    let sandbox = machine_without_driver();
    let rows = [
        "verify",
        "verify --json",
        "verify --device software",
        "train --device software",
        "train --device 0",
        "train --device lavapipe",
    ];
    for row in rows {
        sandbox.fail(row, 1, &["error: ", "apt-get install mesa-vulkan-drivers"]);
    }
}
