//! However a run ends, it ends soon, says why, loses nothing, and goes on to the same bits.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::launch::{Part, SOON, assert_told, end, ended, launch, parts, process_of, succeed, wait_for};
use crate::same_bits::{assert_same, sandbox, train};
use crate::sandbox::{Sandbox, program};

/// Longer than it takes to kill a process.
const MORE: &str = "--epochs 80 --early-stopping off --checkpoint-steps 3";
/// Longer than mpirun takes to pass a Ctrl-C on: most of a second.
const LONG: &str = "--epochs 600 --early-stopping off --checkpoint-steps 3";

/// A model of two numbers.
const ROWS: &str = r#"name = "rows"
input_shape = [2]

[training]
epochs = 2
batch_size = 8
micro_batches = 2

[[layers]]
type = "Dense"
units = 4

[[layers]]
type = "Dense"
units = 2
activation = "softmax"
"#;

/// A run that is under way: two steps of it at least are logged.
fn under_way(sandbox: &Sandbox, run: &str, how_long: &str) -> std::process::Child {
    let mut command = launch(sandbox, 4, &train("cpu", run, how_long));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let log = sandbox.path(run).join("checkpoints/step-00000003");
    wait_for("a checkpoint", || log.exists().then_some(()));
    child
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

#[test]
fn a_process_that_is_killed_ends_all_and_the_run_goes_on() {
    let sandbox = sandbox();
    sandbox.succeed(&train("cpu", "whole", MORE));
    for rank in 0..4 {
        let run = format!("killed-{rank}");
        let child = under_way(&sandbox, &run, MORE);
        sleep(Duration::from_millis(40 * rank as u64));
        let process = wait_for("the process", || process_of(&run, rank));
        let begun = Instant::now();
        signal("-9", process);
        let outcome = ended(child, SOON);
        assert_ne!(outcome.code, 0, "{outcome:?}");
        // The first said it when it began: it may be the one that was killed.
        let go_on = format!("train --resume --out {run}");
        assert!(outcome.stderr.contains(&go_on), "{outcome:?}");
        let left = || (0..4).find_map(|rank| process_of(&run, rank));
        wait_for("the end of the others", || left().is_none().then_some(()));
        assert!(begun.elapsed() < SOON, "rank {rank}: {:?}", begun.elapsed());
        succeed(&sandbox, 2, &go_on);
        assert_same(&sandbox, &format!("rank {rank} was killed"), &run, "whole");
    }
}

#[test]
fn ctrl_c_stops_all_at_the_same_step() {
    let sandbox = sandbox();
    sandbox.succeed(&train("cpu", "whole", LONG));
    for (index, to_all) in [(0, false), (1, true)] {
        let run = format!("stopped-{index}");
        let child = under_way(&sandbox, &run, LONG);
        if to_all {
            // As where a terminal sends it to every process of a group.
            (0..4).filter_map(|rank| process_of(&run, rank)).for_each(|process| signal("-INT", process));
        }
        signal("-INT", child.id());
        let outcome = ended(child, SOON);
        assert!(outcome.stderr.contains("Interrupted after step"), "{index}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.matches("Interrupted after step").count(), 1, "{outcome:?}");
        succeed(&sandbox, 2, &format!("train --resume --out {run}"));
        assert_same(&sandbox, "Ctrl-C", &run, "whole");
    }
}

/// A folder that cannot be written any more, which the first process alone sees.
#[test]
fn what_the_first_cannot_write_ends_all() {
    let sandbox = sandbox();
    sandbox.succeed(&train("cpu", "whole", MORE));
    let child = under_way(&sandbox, "run", MORE);
    let (place, away) = (sandbox.path("run/checkpoints"), sandbox.path("away"));
    fs::rename(&place, &away).unwrap();
    fs::write(&place, "in the way").unwrap();
    let outcome = ended(child, SOON);
    assert_told("no room", &outcome, &["error: ", "cannot be written", "resume with"]);
    fs::remove_file(&place).unwrap();
    fs::rename(&away, &place).unwrap();
    succeed(&sandbox, 2, "train --resume --out run");
    assert_same(&sandbox, "what could not be written", "run", "whole");
}

/// A device that is lost in one process: the others stop, and its message is told.
#[test]
fn a_device_that_fails_ends_all() {
    let sandbox = sandbox();
    for failing in 0..2 {
        let args = train("software", &format!("run-{failing}"), "");
        let part = |rank: usize| Part {
            processes: 1,
            program: program(),
            variables: if rank == failing { &["SHADEGRAD_FAIL=device-lost@6"] } else { &[] },
            args: &args,
        };
        let outcome = end(parts(&sandbox, &[part(0), part(1)]));
        let of = if failing == 0 { "error: " } else { "error: process 1: " };
        assert_told("a lost device", &outcome, &[of, "training stopped after step", "resume with"]);
    }
}

/// Numbers that are not finite, in the samples of one process alone.
#[test]
fn a_number_that_is_not_finite_is_told_once() {
    let sandbox = sandbox();
    fs::write(sandbox.path("rows.toml"), ROWS).unwrap();
    // Of each batch of 8 the last sample, which the second process has, is beyond what a product can hold.
    let row = |at: usize| format!("{},{},{}\n", if at % 8 == 7 { "3e38" } else { "0.5" }, at % 3, at % 2);
    let rows: String = (0..64).map(row).collect();
    fs::write(sandbox.path("rows.csv"), format!("a,b,kind\n{rows}")).unwrap();
    let train = "train --model rows.toml --data rows.csv --target kind --no-shuffle --device cpu --out run";
    let outcome = end(launch(&sandbox, 2, train));
    assert_told("diverged", &outcome, &["error: ", "the loss of step 1 (epoch 1) is NaN"]);
    let outcome = sandbox.run(train.replace("--out run", "--out alone").as_str());
    assert_told("diverged alone", &outcome, &["error: ", "the loss of step 1 (epoch 1) is NaN"]);
}

/// One process hangs: the others do not wait for it for ever, and one of them says so.
#[test]
fn a_process_that_hangs_is_told_once() {
    let sandbox = sandbox();
    for hanging in [0, 3] {
        let run = format!("hangs-{hanging}");
        let child = under_way(&sandbox, &run, &format!("{LONG} --peer-timeout 2"));
        signal("-STOP", wait_for("the process", || process_of(&run, hanging)));
        // The first speaks after 2 s, where it hangs the second after 5 more.
        let outcome = ended(child, 2 * SOON);
        assert_told("a process hangs", &outcome, &["error: ", "for more than 2 s"]);
        assert!(outcome.stderr.contains(&format!("--resume --out {run} --peer-timeout 2")), "{outcome:?}");
    }
}
