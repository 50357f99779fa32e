//! Standard output and standard error, even if nobody reads them.

use std::borrow::Cow;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;

use crate::io::ModelFile;

/// Whether this process says nothing: one of several of a run, of which the first speaks.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Whether only warnings and errors go to standard error.
static SPARING: AtomicBool = AtomicBool::new(false);

/// From now on standard error has no [`remark`]s.
pub fn spare_remarks() {
    SPARING.store(true, Ordering::Relaxed);
}

/// From now on this process says nothing.
pub fn silence() {
    SILENT.store(true, Ordering::Relaxed);
}

/// Whether this process says nothing.
pub fn is_silent() -> bool {
    SILENT.load(Ordering::Relaxed)
}

/// Standard output. When its reader leaves (`| head`), further lines are dropped, and whatever else a command does is
/// still done.
#[derive(Debug, Default)]
pub struct Output {
    closed: bool,
    quiet: bool,
    aside: bool,
}

impl Output {
    /// From now on only results are printed, and warnings.
    pub fn quiet(&mut self) {
        self.quiet = true;
        spare_remarks();
    }

    /// From now on lines go to standard error, because standard output carries a file.
    pub fn step_aside(&mut self) {
        self.aside = true;
    }

    /// Whether nobody reads what is printed any more.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Prints one line or several.
    pub fn line(&mut self, text: impl std::fmt::Display) -> anyhow::Result<()> {
        if self.quiet { Ok(()) } else { self.result(text) }
    }

    /// Prints a result like [`line`](Self::line), but also when quiet.
    pub fn result(&mut self, text: impl std::fmt::Display) -> anyhow::Result<()> {
        if self.aside {
            note(text);
            return Ok(());
        }
        if self.closed || is_silent() {
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

/// Warns of a loss that does not suit the model's outputs, in commands that plan a model without compiling it; when
/// compiling, the library warns.
pub fn warn_of_loss(file: &ModelFile) -> anyhow::Result<()> {
    if let Some(advice) = file.model.network()?.loss_advice(file.loss) {
        note(format_args!("warning: {advice}"));
    }
    Ok(())
}

/// Prints a line on standard error; a failure to do so is ignored.
pub fn note(text: impl std::fmt::Display) {
    if is_silent() {
        return;
    }
    let text = text.to_string();
    let line = harmless(&text);
    if !keep(&line) {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Prints a line on standard error that says what is done, unless only results are asked for.
pub fn remark(text: impl std::fmt::Display) {
    if !SPARING.load(Ordering::Relaxed) {
        note(text);
    }
}

/// Lines of standard error that wait while a view has the terminal.
struct Held {
    lines: Vec<String>,
    tell: Box<dyn Fn(&str) + Send>,
}

static HELD: Mutex<Option<Held>> = Mutex::new(None);

fn held() -> MutexGuard<'static, Option<Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on lines of standard error are kept, each also told to `tell`.
pub fn hold(tell: impl Fn(&str) + Send + 'static) {
    *held() = Some(Held { lines: Vec::new(), tell: Box::new(tell) });
}

/// Keeps a line of standard error, if lines are kept.
pub fn keep(line: &str) -> bool {
    let mut held = held();
    let Some(held) = held.as_mut() else { return false };
    held.lines.push(line.to_owned());
    (held.tell)(line);
    true
}

/// Prints the lines that were kept; from now on none are.
pub fn release() {
    let kept = held().take();
    for line in kept.map_or(Vec::new(), |held| held.lines) {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// The name of a file in a form that is safe on a terminal: names may hold line breaks, and codes that move the
/// cursor, change colours or set the window's title. Such characters are written as in Rust, `\n` and `\u{1b}`.
pub fn shown(path: &Path) -> String {
    escaped(&path.display().to_string(), char::is_control).into_owned()
}

/// A text of one or several lines without other control characters.
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

/// Checks that files can be created in a folder that may not exist yet; leaves nothing behind.
pub fn check_writable(dir: &Path) -> io::Result<()> {
    let dir = std::path::absolute(dir)?;
    let there = dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let probe = there.join(format!(".shadegrad-probe-{}", std::process::id()));
    fs::write(&probe, "")?;
    fs::remove_file(&probe)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn lines_wait_while_they_are_held() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = Arc::clone(&told);
        hold(move |line| telling.lock().unwrap().push(line.to_owned()));
        note("a \u{1b}[2J line");
        assert!(keep("another"));
        release();
        assert!(!keep("no more"));
        let told = told.lock().unwrap();
        assert!(told.contains(&"a \\u{1b}[2J line".to_owned()), "{told:?}");
        assert!(told.contains(&"another".to_owned()) && !told.contains(&"no more".to_owned()), "{told:?}");
    }
}
