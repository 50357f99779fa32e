//! Where a view cannot be.

use std::io::{IsTerminal, stdin, stdout};

use anyhow::bail;

/// What to do instead.
const INSTEAD: &str = "leave --tui out for plain lines";

/// Refuses a view where it cannot be drawn or take keys.
///
/// # Errors
/// With several processes, and without a terminal that can move its cursor.
pub fn check(processes: usize) -> anyhow::Result<()> {
    if processes > 1 {
        bail!("--tui is for one process, but there are {processes}: {INSTEAD}");
    }
    for (name, is_terminal) in [("input", stdin().is_terminal()), ("output", stdout().is_terminal())] {
        if !is_terminal {
            bail!(
                "--tui needs a terminal, but standard {name} is not one: {INSTEAD}, or run it in a terminal"
            );
        }
    }
    let term = std::env::var("TERM").unwrap_or_default();
    if cfg!(unix) && (term.is_empty() || term == "dumb") {
        bail!(
            "--tui needs a terminal that can move its cursor, but TERM is `{term}`: {INSTEAD}, or set TERM to the \
             kind of terminal"
        );
    }
    Ok(())
}
