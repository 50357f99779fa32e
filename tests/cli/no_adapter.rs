//! A machine without any driver.

use crate::sandbox::Sandbox;

/// The Vulkan loader finds an empty file instead of drivers; other APIs are not searched.
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
    assert!(first.contains("install its driver"), "{first}");
    assert_eq!(sandbox.json("out/result.json")["device"], "CPU executor");
    sandbox.succeed("evaluate out");
}

#[test]
fn the_list_of_devices_is_no_failure() {
    let outcome = machine_without_driver().succeed("devices");
    for text in ["CPU executor", "mesa-vulkan-drivers", "--device auto takes the CPU executor"] {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_backend_that_cannot_be_used_here_is_named() {
    for (value, is) in
        [("gl", "is `gl`"), ("metal", "is `metal`"), ("", "is empty"), ("vulcan", "is `vulcan`")]
    {
        let sandbox = Sandbox::new().with("WGPU_BACKEND", value);
        let told = format!("the environment variable WGPU_BACKEND {is}");
        let [devices, train] = [
            sandbox.succeed("devices").stdout,
            sandbox.train("--max-steps 1 --out out").stdout.lines().next().unwrap().to_owned(),
        ];
        for text in [devices, train] {
            assert!(text.contains(&told) && text.contains("only vulkan can"), "{value}: {text}");
            assert!(!text.contains("apt-get"), "{value}: {text}");
        }
        for args in ["verify", "train --device software", "train --device 0", "bench --device llvmpipe"] {
            sandbox.fail(args, 1, &["error: ", &told]);
        }
        let stderr = sandbox.run("devices").stderr;
        assert_eq!(stderr, "", "{value}");
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
