//! `devices`.

use crate::sandbox::Sandbox;

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
fn a_device_is_found_by_its_number_and_by_part_of_its_name() {
    let sandbox = Sandbox::new();
    let list = sandbox.succeed("devices").stdout;
    let row = list.lines().find(|line| line.starts_with("0 ")).unwrap();
    let name = row.split_whitespace().nth(1).unwrap();
    for (device, out) in [("0", "a"), (name, "b"), (&name.to_uppercase(), "c")] {
        let outcome = sandbox.train(&format!("--max-steps 1 --device {device} --out {out}"));
        let first = outcome.stdout.lines().next().unwrap();
        assert!(first.starts_with(&format!("Device: {name}")) && first.ends_with("as asked"), "{first}");
    }
}
