//! Standard output and standard error, whoever reads them.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;

/// Standard output. When its reader leaves (`| head`) the rest goes nowhere, and what a command does beside printing
/// is still done.
#[derive(Debug, Default)]
pub struct Output {
    closed: bool,
    quiet: bool,
    aside: bool,
}

impl Output {
    /// From now on only results are printed.
    pub fn quiet(&mut self) {
        self.quiet = true;
    }

    /// From now on lines go to standard error: standard output is for a file.
    pub fn step_aside(&mut self) {
        self.aside = true;
    }

    /// Prints one line or several.
    pub fn line(&mut self, text: impl std::fmt::Display) -> anyhow::Result<()> {
        if self.quiet { Ok(()) } else { self.result(text) }
    }

    /// Prints what the command is for, as [`line`](Self::line) does, even when quiet.
    pub fn result(&mut self, text: impl std::fmt::Display) -> anyhow::Result<()> {
        if self.aside {
            note(text);
            return Ok(());
        }
        if self.closed {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            written => written.context("standard output cannot be written"),
        }
    }
}

/// Prints a line on standard error; that nobody reads it is no reason to stop.
pub fn note(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
