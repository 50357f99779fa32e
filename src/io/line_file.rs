//! The files of a run that grow line by line.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::run::{RunError, write_own};
use crate::files;

/// The files that grow while a run trains.
#[derive(Debug)]
pub struct RunLogs {
    /// One line per step.
    pub steps: LineFile,
    /// One line per epoch.
    pub history: LineFile,
}

impl RunLogs {
    /// Writes all lines so far to the files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn flush(&mut self) -> Result<(), RunError> {
        self.steps.flush()?;
        self.history.flush()
    }

    /// Syncs all lines so far to the disk.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn sync(&mut self) -> Result<(), RunError> {
        self.steps.sync()?;
        self.history.sync()
    }
}

/// A file of JSON lines.
#[derive(Debug)]
pub struct LineFile {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl LineFile {
    pub(super) fn create(path: PathBuf) -> Result<Self, RunError> {
        let made = match File::create_new(&path) {
            // An empty file is renamed into its place: one of an earlier run may be shared by hard links.
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                write_own(&path, b"").and_then(|()| File::options().write(true).open(&path))
            }
            made => made,
        };
        let file = made.map_err(|cause| RunError::write(&path, cause))?;
        Ok(LineFile { path, writer: BufWriter::new(file) })
    }

    /// Opens a file at the end of its first `lines` lines, and drops the rest.
    pub(super) fn cut(path: PathBuf, lines: usize) -> Result<Self, RunError> {
        let fail = |cause| RunError::write(&path, cause);
        let text = match files::read(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text.map_err(fail)?,
        };
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let ends: Vec<usize> = ends.take(lines).collect();
        if ends.len() < lines {
            log::warn!(
                "`{}` has {} lines, but the checkpoint was made after {lines}: those in between are missing",
                path.display(),
                ends.len()
            );
        }
        // A new file, because the old one may be shared by hard links.
        let kept = &text[..ends.last().copied().unwrap_or(0)];
        let opened = write_own(&path, kept).and_then(|()| File::options().append(true).open(&path));
        let file = opened.map_err(fail)?;
        Ok(LineFile { path, writer: BufWriter::new(file) })
    }

    /// Appends a value as one line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, value: &impl Serialize) -> Result<(), RunError> {
        let json = serde_json::to_vec(value).map_err(io::Error::from);
        let pushed = json.and_then(|mut line| {
            line.push(b'\n');
            self.writer.write_all(&line)
        });
        pushed.map_err(|cause| RunError::write(&self.path, cause))
    }

    fn flush(&mut self) -> Result<(), RunError> {
        self.writer.flush().map_err(|cause| RunError::write(&self.path, cause))
    }

    fn sync(&mut self) -> Result<(), RunError> {
        self.flush()?;
        self.writer.get_ref().sync_data().map_err(|cause| RunError::write(&self.path, cause))
    }
}
