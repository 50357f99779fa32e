//! The program `shadegrad`; see [`shadegrad::cli`].

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let started = Instant::now();
    keep_mesa_quiet();
    shadegrad::cli::main(started)
}

/// Keeps drivers of Mesa from printing lines that begin with `error:` though nothing is wrong.
fn keep_mesa_quiet() {
    if let Some(folder) = shadegrad::device::mesa_runtime_dir() {
        // SAFETY: this is the only thread so far, so nothing reads the environment meanwhile.
        unsafe { std::env::set_var("XDG_RUNTIME_DIR", folder) };
    }
}
