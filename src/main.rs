//! The program `shadegrad`; see [`shadegrad::cli`].

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let started = Instant::now();
    keep_mesa_quiet();
    shadegrad::cli::main(started)
}

/// Mesa's device selection looks for a Wayland display; where XDG_RUNTIME_DIR is not set, as in containers, it
/// prints lines that begin with `error:` though nothing is wrong. Any folder without a display in it stops that.
fn keep_mesa_quiet() {
    if cfg!(target_os = "linux") && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: this is the only thread so far, so nothing reads the environment meanwhile.
        unsafe { std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir()) };
    }
}
