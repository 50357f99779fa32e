//! What standard output and standard error are connected to.

use std::fs::File;
use std::io::{self, IsTerminal};

use console::Term;
use indicatif::ProgressDrawTarget;

use super::output::is_silent;

/// Columns where no terminal tells how many it has.
pub const COLUMNS: usize = 80;

/// The columns of the terminal that standard output is; `None` where it is none, or where a terminal does not tell.
pub fn output_columns() -> Option<usize> {
    columns(&Term::stdout())
}

/// The same of standard error.
pub fn error_columns() -> Option<usize> {
    columns(&Term::stderr())
}

fn columns(term: &Term) -> Option<usize> {
    // Some terminals over a serial line tell 0.
    term.size_checked().map(|(_, columns)| usize::from(columns)).filter(|&columns| columns > 0)
}

/// Whether standard error is a terminal that a bar can be drawn on; a dumb terminal cannot go back in a line.
pub fn draws_bars() -> bool {
    !is_silent() && !ProgressDrawTarget::stderr().is_hidden()
}

/// What standard output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// A terminal.
    Terminal,
    /// A file: nobody sees it while it is written.
    File,
    /// A pipe and the like, whose reader may write to the terminal, as `tee` does.
    Other,
}

/// What standard output is.
pub fn sink() -> Sink {
    let stdout = io::stdout();
    if stdout.is_terminal() {
        return Sink::Terminal;
    }
    match duplicate(&stdout).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Sink::File,
        _ => Sink::Other,
    }
}

#[cfg(unix)]
fn duplicate(stdout: &io::Stdout) -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(stdout.as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn duplicate(stdout: &io::Stdout) -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(stdout.as_handle().try_clone_to_owned()?))
}
