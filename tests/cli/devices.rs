//! `devices`.

use crate::sandbox::Sandbox;
#[cfg(target_os = "linux")]
use crate::twins::twin_adapters;

#[test]
fn every_device_is_listed_with_its_limits_and_the_choice_of_auto() {
    let outcome = Sandbox::new().succeed("devices");
    let headings = [
        "Device",
        "Name",
        "Kind",
        "Backend",
        "Driver",
        "Largest buffer",
        "Storage binding",
        "Workgroup memory",
        "Invocations",
        "Groups per dim.",
        "Subgroup",
        "Timestamps",
    ];
    for text in headings.iter().chain(&["CPU executor", "software", "--device auto takes "]) {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.lines().any(|line| line.starts_with("0 ")), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn devices_are_told_as_json() {
    let outcome = Sandbox::new().succeed("devices --json");
    let found: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let first = &found["adapters"][0];
    for text in ["name", "kind", "backend", "driver"] {
        assert!(first[text].as_str().is_some_and(|value| !value.is_empty()), "{text}: {found}");
    }
    assert_eq!(first["index"], 0);
    assert!(first["max_buffer_size"].as_u64() >= Some(1 << 20), "{found}");
    assert!(found["cpu_threads"].as_u64() >= Some(1) && found["auto"].is_string(), "{found}");
}

#[test]
fn a_device_is_found_by_its_number_and_by_part_of_its_name() {
    let sandbox = Sandbox::new();
    let list = sandbox.succeed("devices").stdout;
    let row = list.lines().find(|line| line.starts_with("0 ")).unwrap();
    let name = row.split_whitespace().nth(1).unwrap();
    for (device, out) in [("0", "a"), (name, "b"), (&name.to_uppercase(), "c")] {
        let outcome = sandbox.train(&format!("--max-steps 1 --device {device} --out {out}"));
        let first = outcome.stdout.lines().next().unwrap();
        assert!(first.starts_with(&format!("Device: {name}")) && first.ends_with("as requested"), "{first}");
    }
}

/// A software adapter shows what a GPU would run, and computes it.
#[test]
fn kernels_of_hardware_are_chosen_on_demand() {
    let sandbox = Sandbox::new();
    let explained = sandbox.succeed("explain --device hardware:software").stdout;
    assert!(
        explained.contains("with the kernels of hardware") && explained.contains("workgroup"),
        "{explained}"
    );
    assert!(!explained.contains("block"), "{explained}");
    sandbox.train("--max-steps 1 --device hardware:software --out run");
    let outcome = sandbox.run("explain --device hardware:cpu");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("hardware:cpu"), "{outcome:?}");
}

/// None of those that need subgroups, or integers of 64 bits.
#[test]
fn kernels_of_browsers_are_chosen_on_demand() {
    let sandbox = Sandbox::new();
    let kernels = |device: &str| sandbox.succeed(&format!("explain --device {device}")).stdout;
    assert!(kernels("software").contains("block"));
    let of_web = kernels("web:software");
    assert!(of_web.contains("with the kernels of browsers") && !of_web.contains("block"), "{of_web}");
    assert_eq!(
        kernels("web:auto").lines().skip(1).collect::<Vec<_>>(),
        of_web.lines().skip(1).collect::<Vec<_>>()
    );
    // They are recorded, and gone on with.
    sandbox.train("--max-steps 1 --device web:software --out run");
    let chosen = sandbox.json("run/result.json")["kernels"].to_string();
    assert!(!chosen.contains("block"), "{chosen}");
    sandbox.succeed("train --resume --max-steps 2 --out run");
    assert_eq!(sandbox.json("run/result.json")["kernels"].to_string(), chosen);
    let outcome = sandbox.run("explain --device web:cpu");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("web:cpu"), "{outcome:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn of_several_adapters_of_a_name_none_is_taken_silently() {
    let sandbox = twin_adapters();
    let list = sandbox.succeed("devices").stdout;
    assert!(list.contains("--device auto takes CPU executor: no hardware GPU was found"), "{list}");
    sandbox.train("--device cpu --max-steps 1 --out run");
    let refused = ["`llvmpipe` fits several devices: 0: llvmpipe", ", 1: llvmpipe", "such as 0 (--device 0)"];
    for command in [
        "train --model model.toml --data data --out a",
        "crossval --model model.toml --data data --out b",
        "evaluate run",
        "report run",
        "predict run picture.png",
        "bench --model model.toml",
        "verify",
        "explain --model model.toml",
    ] {
        sandbox.fail(&format!("{command} --device llvmpipe"), 1, &refused);
    }
    // A run is resumed on the first of them, with a note.
    sandbox.train("--device 1 --max-steps 1 --out twin");
    let outcome = sandbox.succeed("train --resume --out twin --max-steps 2");
    assert!(outcome.stderr.contains("note: devices [0, 1] are all llvmpipe"), "{}", outcome.stderr);
    // A number selects one of them, and the line says which.
    for number in ["0", "1"] {
        let outcome = sandbox.train(&format!("--device {number} --max-steps 1 --out out-{number}"));
        let first = outcome.stdout.lines().next().unwrap();
        assert!(first.ends_with(&format!(", number {number}), as requested")), "{first}");
    }
}

/// What twins began goes on with twins, to the same bits; fast rows say that they give others.
#[test]
fn a_run_of_twins_is_resumed_by_twins() {
    let sandbox = Sandbox::new();
    let weights = |run: &str| std::fs::read(sandbox.path(run).join("weights.safetensors")).unwrap();
    sandbox.train("--device reference --threads 1 --max-steps 4 --out whole");
    for run in ["again", "fast"] {
        sandbox.train(&format!("--device reference --max-steps 2 --out {run}"));
    }
    let again = sandbox.succeed("train --resume --out again --max-steps 4");
    assert!(again.stdout.contains("Device: CPU executor, twins only, as before"), "{}", again.stdout);
    assert!(!again.stderr.contains("last bits"), "{}", again.stderr);
    assert!(weights("again") == weights("whole"), "the twins gave other bits");
    let fast = sandbox.succeed("train --resume --out fast --max-steps 4 --device cpu");
    assert!(fast.stderr.contains("--device reference gives the same bits"), "{}", fast.stderr);
    assert!(weights("fast") != weights("whole"), "no fast row ran");
}
