//! Processes that would not compute the same are refused by name of what differs, once.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::launch::{Part, assert_told, end, launch, parts};
use crate::same_bits::{sandbox, train};
use crate::sandbox::program;

/// The first process and another.
fn two<'a>(first: &'a str, other: &'a str) -> [Part<'a>; 2] {
    [first, other].map(|args| Part { processes: 1, program: program(), variables: &[], args })
}

#[test]
fn what_differs_is_named() {
    let sandbox = sandbox();
    let data = sandbox.path("other");
    fs::create_dir(&data).unwrap();
    for entry in fs::read_dir(sandbox.path("data")).unwrap().flatten() {
        fs::copy(entry.path(), data.join(entry.file_name())).unwrap();
    }
    // One pixel of one sample.
    let path = data.join("train-images-idx3-ubyte");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, bytes).unwrap();
    let first = train("cpu", "run", "");
    let with = |what: &str, by: &str| first.replace(what, by);
    let rows = [
        (with("--data data", "--data other"), "the processes differ in the data"),
        (with("--device cpu", "--device cpu --seed 3"), "the processes differ in the setting `seed`"),
        (with("--device cpu", "--device cpu --epochs 3"), "the processes differ in the model and training"),
        (with("--device cpu", "--device software"), "the processes differ in the kind of device"),
    ];
    for (index, (other, expected)) in rows.into_iter().enumerate() {
        let first = first.replace("--out run", &format!("--out run-{index}"));
        let outcome = end(parts(&sandbox, &two(&first, &other)));
        assert_told(&other, &outcome, &[expected, "error: "]);
        assert!(!sandbox.path(&format!("run-{index}/checkpoints")).exists(), "{other}: it has begun");
    }
    // What one process alone finds is told, too.
    let other = first.replace("--data data", "--data nowhere");
    assert_told(
        "no data",
        &end(parts(&sandbox, &two(&first, &other))),
        &["error: process 1: there is no folder or file `nowhere`"],
    );
}

#[test]
fn another_build_is_refused() {
    let sandbox = sandbox();
    let copy = sandbox.path("shadegrad-2");
    fs::copy(program(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    fs::OpenOptions::new().append(true).open(&copy).unwrap().write_all(b"\0").unwrap();
    let args = train("cpu", "run", "");
    let both = [program(), &copy].map(|program| Part { processes: 1, program, variables: &[], args: &args });
    let outcome = end(parts(&sandbox, &both));
    assert_told(
        "another build",
        &outcome,
        &["the processes differ in the program", "copy one build to all machines"],
    );
}

#[test]
fn devices_of_two_kinds_train_with_a_flag() {
    let sandbox = sandbox();
    let [first, other] = ["cpu", "software"].map(|device| train(device, "run", "--mixed-devices"));
    let outcome = end(parts(&sandbox, &two(&first, &other)));
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.last_line().starts_with("Test accuracy"), "{outcome:?}");
}

#[test]
fn numbers_of_processes_that_do_not_fit_are_refused() {
    let sandbox = sandbox();
    let outcome = end(launch(&sandbox, 3, &train("cpu", "run", "")));
    assert_told(
        "3 of 4",
        &outcome,
        &["`micro_batches` is 4, but must be the number of processes, 3", "with 1, 2 or 4 processes"],
    );
    let outcome = end(launch(&sandbox, 2, "crossval --model all.toml --data data --device cpu"));
    assert_told("crossval", &outcome, &["this command runs in one process"]);
    let outcome = end(launch(&sandbox, 2, "train --epochs x"));
    assert_told("usage", &outcome, &["invalid value 'x'"]);
    // A run that was begun with single batches is not resumed with others.
    sandbox.succeed("train --model model.toml --data data --device cpu --epochs 1 --out single");
    let outcome = end(launch(&sandbox, 2, "train --resume --out single --epochs 2"));
    assert_told("resumed", &outcome, &["`micro_batches` is 1"]);
}

/// With the `mpirun` of another MPI, each process would be alone.
#[test]
fn another_mpi_is_refused() {
    let Ok(other) = std::env::var("SHADEGRAD_OTHER_MPIRUN") else {
        println!("SHADEGRAD_OTHER_MPIRUN names no other MPI: nothing to refuse");
        return;
    };
    let sandbox = sandbox();
    let ours = launch(&sandbox, 2, &train("cpu", "run", ""));
    let mut theirs = Command::new(other);
    theirs.args(ours.get_args()).current_dir(sandbox.path(""));
    theirs.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let outcome = end(theirs);
    assert_told(
        "another MPI",
        &outcome,
        &["the program was built with another MPI than the one whose mpirun started it"],
    );
    assert!(!sandbox.path("run").exists());
}
