//! How to read the files of a data set.

use anyhow::bail;

use super::args::DataSource;
use crate::data::LoadOptions;

/// `--transpose` and `--first-label`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct LayoutArgs {
    /// Swap rows and columns of the images of --data, which are stored that way. EMNIST is recognised by the names of
    /// its files and needs no flag; `--transpose=false` takes its images as they are
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    transpose: Option<bool>,
    /// The label of the first class in --data: 1 where labels count from 1. The default is 0, and 1 for the letters of
    /// EMNIST
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    first_label: Option<u8>,
}

impl LayoutArgs {
    /// The options for this data set: what the flags leave open is as the run had it, if there was one.
    pub fn options(&self, source: &DataSource, recorded: Option<LoadOptions>) -> anyhow::Result<LoadOptions> {
        let recorded = recorded.unwrap_or_default();
        match source {
            DataSource::Mnist if self.transpose.is_some() || self.first_label.is_some() => {
                bail!("--transpose and --first-label are for --data DIR; the embedded data set needs neither")
            }
            DataSource::Mnist => Ok(LoadOptions::default()),
            DataSource::Folder(_) => Ok(LoadOptions {
                transpose: self.transpose.or(recorded.transpose),
                first_label: self.first_label.or(recorded.first_label),
            }),
        }
    }

    /// The flags as words of a command.
    pub fn words(&self) -> Vec<String> {
        let transpose = self.transpose.map(|transpose| format!("--transpose={transpose}"));
        let first = self.first_label.map(|first| format!("--first-label={first}"));
        transpose.into_iter().chain(first).collect()
    }
}
