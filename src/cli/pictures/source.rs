//! Where pictures come from.

use std::path::PathBuf;

use crate::cli::output::shown;
use crate::cli::path_text::to_text;

/// Standard input.
pub(super) const STDIN: &str = "-";

/// Where a picture comes from, as results name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl std::fmt::Display for Source {
    /// In a form that is safe on a terminal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Stdin => f.write_str(STDIN),
            Source::File(path) => shown(path).fmt(f),
        }
    }
}

impl Source {
    /// The name as it was given.
    pub fn name(&self) -> String {
        match self {
            Source::Stdin => STDIN.to_owned(),
            Source::File(path) => path.display().to_string(),
        }
    }

    /// The name as it is written into files: a URL if it is not Unicode.
    pub fn recorded(&self) -> String {
        match self {
            Source::Stdin => STDIN.to_owned(),
            Source::File(path) => to_text(path),
        }
    }
}
