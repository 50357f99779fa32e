//! Starting the program in several processes, and looking at them.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::{Outcome, Sandbox, program};

/// The longest that processes may go on once one of them is lost or a run was told to end.
pub const SOON: Duration = Duration::from_secs(10);
/// The longest that anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(300);

/// `mpirun` of the MPI that the program was built for.
fn mpirun() -> String {
    std::env::var("SHADEGRAD_MPIRUN").unwrap_or_else(|_| "mpirun".to_owned())
}

/// Some processes of a run with a program and arguments of their own.
pub struct Part<'a> {
    pub processes: usize,
    pub program: &'a Path,
    /// `NAME=value`, of these processes only.
    pub variables: &'a [&'a str],
    pub args: &'a str,
}

/// `mpirun` with these processes, not yet started.
pub fn parts(sandbox: &Sandbox, parts: &[Part<'_>]) -> Command {
    let mut command = Command::new(mpirun());
    command.current_dir(sandbox.path(""));
    for (name, value) in sandbox.command("").get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    // There may be fewer cores than processes.
    command.env("OMPI_MCA_rmaps_base_oversubscribe", "1");
    command.env("OMPI_MCA_btl_vader_single_copy_mechanism", "none");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            command.arg(":");
        }
        command.args(["-n", &part.processes.to_string(), "env"]).args(part.variables);
        command.arg(part.program).args(part.args.split_whitespace());
    }
    command
}

/// `mpirun` with so many processes of the program.
pub fn launch(sandbox: &Sandbox, processes: usize, args: &str) -> Command {
    parts(sandbox, &[Part { processes, program: program(), variables: &[], args }])
}

/// Runs a command to its end, but not for ever.
pub fn end(mut command: Command) -> Outcome {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    ended(command.spawn().expect("mpirun starts"), LONG)
}

/// Waits for a process; fails where it takes longer.
pub fn ended(child: Child, longest: Duration) -> Outcome {
    let (sender, receiver) = std::sync::mpsc::channel();
    let id = child.id();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(longest) else {
        let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        panic!("mpirun did not end within {longest:?}");
    };
    let Output { status, stdout, stderr } = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Outcome { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
}

/// Runs so many processes and expects success.
pub fn succeed(sandbox: &Sandbox, processes: usize, args: &str) -> Outcome {
    let outcome = end(launch(sandbox, processes, args));
    assert_eq!(outcome.code, 0, "{processes} of {args}: {outcome:?}");
    outcome
}

/// Expects a failure that each of these texts tells, once, and no panic.
pub fn assert_told(what: &str, outcome: &Outcome, texts: &[&str]) {
    assert_ne!(outcome.code, 0, "{what}: {outcome:?}");
    assert!(!outcome.stderr.contains("panicked"), "{what}: {}", outcome.stderr);
    for text in texts {
        assert_eq!(outcome.stderr.matches(text).count(), 1, "{what}: {text:?} in {}", outcome.stderr);
    }
}

/// The process number of a rank of the run in this folder, once it is there.
#[cfg(target_os = "linux")]
pub fn process_of(run: &str, rank: usize) -> Option<u32> {
    let wanted = ["OMPI_COMM_WORLD_RANK", "PMI_RANK"].map(|name| format!("{name}={rank}"));
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let read = |file: &str| fs::read(entry.path().join(file)).ok();
        let words = |bytes: Vec<u8>| -> Vec<String> {
            bytes.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
        };
        let line = words(read("cmdline")?);
        let is_ours = line.first().is_some_and(|name| name.contains("shadegrad"))
            && line.iter().any(|word| word == run);
        (is_ours && words(read("environ")?).iter().any(|word| wanted.contains(word))).then_some(id)
    })
}

/// Waits until something is there.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < LONG, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}
