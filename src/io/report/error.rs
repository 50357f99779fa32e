//! Why a page cannot be made.

use crate::error::Error;
use crate::message::debug_is_message;

/// Why a page cannot be made.
#[derive(thiserror::Error)]
pub enum ReportError {
    /// A log of the run is damaged.
    #[error("`{path}`, line {line}: {problem}; remove the file to have a report without it")]
    Log {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of the run cannot be read.
    #[error("`{path}` cannot be read: {cause}")]
    Read {
        /// The file.
        path: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// Curves cannot be drawn.
    #[error("the plot `{plot}` cannot be drawn: {problem}")]
    Plot {
        /// Its name.
        plot: &'static str,
        /// What the plotting library said.
        problem: String,
    },
    /// A picture cannot be made.
    #[error("a picture for the report cannot be made: {problem}")]
    Image {
        /// What the image library said.
        problem: String,
    },
    /// The library failed on something of the run.
    #[error(transparent)]
    Run(#[from] Error),
}

debug_is_message!(ReportError);
