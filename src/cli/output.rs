//! Standard output and standard error, whoever reads them.

use std::borrow::Cow;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

use crate::model::ModelFile;

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
        match writeln!(stdout, "{}", harmless(&text.to_string())).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            written => written.context("standard output cannot be written"),
        }
    }
}

/// Warns of a loss that a model's outputs do not suit, where a command plans a model and does not compile it: then the
/// library does.
pub fn warn_of_loss(file: &ModelFile) -> anyhow::Result<()> {
    if let Some(advice) = file.model.network()?.loss_advice(file.loss) {
        note(format_args!("warning: {advice}"));
    }
    Ok(())
}

/// Prints a line on standard error; that nobody reads it is no reason to stop.
pub fn note(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{}", harmless(&text.to_string()));
}

/// The name of a file as a terminal may show it: names may hold line breaks, and codes that move the cursor, colour what
/// follows or set the window's title. Such characters are written as in Rust, `\n` and `\u{1b}`.
pub fn shown(path: &Path) -> String {
    escaped(&path.display().to_string(), char::is_control).into_owned()
}

/// A text of one line or several without other control characters.
fn harmless(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character.is_control() && !matches!(character, '\n' | '\t'))
}

fn escaped(text: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_bad) {
        return Cow::Borrowed(text);
    }
    let mut made = String::with_capacity(text.len());
    for character in text.chars() {
        if is_bad(character) {
            made.extend(character.escape_default());
        } else {
            made.push(character);
        }
    }
    Cow::Owned(made)
}

/// Finds out whether files can be made in a folder that may not be there yet; nothing of that stays.
pub fn check_writable(dir: &Path) -> io::Result<()> {
    let dir = std::path::absolute(dir)?;
    let there = dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let probe = there.join(format!(".shadegrad-probe-{}", std::process::id()));
    fs::write(&probe, "")?;
    fs::remove_file(&probe)
}
