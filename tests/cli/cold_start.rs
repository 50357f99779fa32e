//! The first training on a machine with lavapipe, which has compiled nothing yet.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use crate::sandbox::{Sandbox, outcome};

/// The result of training with an empty shader cache of Mesa.
struct Cold {
    /// Kernels that a second device compiled.
    helped: usize,
    weights: Vec<u8>,
    /// Files in the folder afterwards.
    compiled: usize,
}

fn train(cores: &[usize]) -> Cold {
    let cores = cores.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let sandbox = Sandbox::new();
    let cache = sandbox.path("compiled").display().to_string();
    let sandbox = sandbox.with("MESA_SHADER_CACHE_DIR", &cache).with("RUST_LOG", "shadegrad=debug");
    let train = sandbox.command("train --device software --limit 640 --max-steps 3 --out run");
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", &cores]).arg(train.get_program()).args(train.get_args());
    pinned.current_dir(sandbox.path("")).env("RUST_LOG_STYLE", "never");
    for (name, value) in train.get_envs() {
        match value {
            Some(value) => pinned.env(name, value),
            None => pinned.env_remove(name),
        };
    }
    let outcome = outcome(&cores, pinned);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let helped = outcome.stderr.lines().filter_map(|line| {
        let said = line.strip_suffix(" kernels were compiled on a second device")?;
        said.rsplit(' ').next()?.parse::<usize>().ok()
    });
    Cold {
        helped: helped.sum(),
        weights: fs::read(sandbox.path("run/weights.safetensors")).unwrap(),
        compiled: files(Path::new(&cache)),
    }
}

fn files(folder: &Path) -> usize {
    let count = |path: &Path| if path.is_dir() { files(path) } else { 1 };
    fs::read_dir(folder).unwrap().map(|entry| count(&entry.unwrap().path())).sum()
}

/// The processor cores that this process may use.
fn cores() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    let number = |text: &str| text.trim().parse::<usize>().unwrap();
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => number(first)..=number(last),
        None => number(part)..=number(part),
    };
    list.split(',').flat_map(range).collect()
}

#[test]
fn a_second_device_compiles_for_the_first_where_there_are_two_cores() {
    let cores = cores();
    let one = train(&cores[..1]);
    assert_eq!(one.helped, 0, "two devices on one core");
    // A quota may leave less than the allowed cores.
    if available_parallelism().unwrap().get() > 1 {
        let two = train(&cores[..2]);
        assert!(two.helped > 0, "one device compiled everything");
        assert!(two.weights == one.weights, "the weights differ");
        // A kernel that both devices cached under different names, so that neither finds the other's, would be there
        // twice.
        assert_eq!(two.compiled, one.compiled, "files of compiled kernels");
    }
}
