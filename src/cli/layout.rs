//! How to read the files of a data set.

use std::path::Path;

use anyhow::bail;

use super::args::DataSource;
use super::path_text::quoted;
use crate::data::{DataKind, LoadOptions, MOST_ASKED, kind_of};

/// `--transpose`, `--first-label`, `--target`, `--coarse-labels`, `--split-seed`, `--size` and `--channels`.
#[derive(Debug, Clone, clap::Args)]
pub struct LayoutArgs {
    /// Swap rows and columns of the images in --data, for IDX files that store them that way. Files of EMNIST are
    /// recognised by their names, and swapped without this flag; `--transpose=false` keeps their images as they are
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    transpose: Option<bool>,
    /// The label of the first class in --data, such as 1 if labels count from 1. The default is 0, but 1 for the
    /// letters of EMNIST
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    first_label: Option<u8>,
    /// The column of a table that is the target, by its name or its number, counted from 1; several columns are
    /// numbers to predict. The default is the last column
    #[arg(long, value_name = "NAME|NUMBER,...", value_delimiter = ',')]
    target: Vec<String>,
    /// Use the 20 coarse labels of CIFAR-100 as classes
    #[arg(long)]
    coarse_labels: bool,
    /// The seed of the split of a data set without a test set: 80 % training, 10 % validation, 10 % test. The default
    /// is 0, whatever --seed is
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    split_seed: Option<u32>,
    /// Height and width in pixels that pictures are scaled to, such as 64 or 64x96, up to 4096
    ///
    /// The default is the pictures' own size if they all have the same one of at most 128; else a square with the
    /// median of their shorter sides, rounded down to a multiple of 32, from 32 to 128.
    #[arg(long, value_name = "N|HxW", value_parser = size)]
    size: Option<[usize; 2]>,
    /// Channels of the images that pictures become: 1 (grey) or 3 (colours); by default 1 if all pictures are grey,
    /// else 3
    #[arg(long, value_name = "1|3", value_parser = channels)]
    channels: Option<usize>,
}

impl LayoutArgs {
    /// The options for this data set: what the flags leave open is as the run had it, if there was one.
    pub fn options(&self, source: &DataSource, recorded: Option<LoadOptions>) -> anyhow::Result<LoadOptions> {
        let recorded = recorded.unwrap_or_default();
        match source {
            DataSource::Mnist if self.transpose.is_some() || self.first_label.is_some() => {
                bail!("--transpose and --first-label are for --data DIR; the embedded data set needs neither")
            }
            DataSource::Mnist if !self.words().is_empty() => {
                bail!("{} is for --data DIR; the embedded data set needs none", self.words().join(" "))
            }
            DataSource::Mnist => Ok(LoadOptions::default()),
            DataSource::Folder(path) => {
                self.check(path)?;
                Ok(LoadOptions {
                    transpose: self.transpose.or(recorded.transpose),
                    first_label: self.first_label.or(recorded.first_label),
                    target: if self.target.is_empty() { recorded.target } else { self.target.clone() },
                    coarse_labels: self.coarse_labels || recorded.coarse_labels,
                    split_seed: self.split_seed.unwrap_or(recorded.split_seed),
                    size: self.size.or(recorded.size),
                    channels: self.channels.or(recorded.channels),
                })
            }
        }
    }

    /// Refuses flags that the files have no use for.
    fn check(&self, path: &Path) -> anyhow::Result<()> {
        // What is wrong with the files is said when they are read.
        let Ok(kind) = kind_of(path) else { return Ok(()) };
        let is_cifar = matches!(kind, DataKind::Cifar10 | DataKind::Cifar100);
        let of_pictures = kind == DataKind::Pictures;
        let rows = [
            (self.transpose.is_some() && kind != DataKind::Idx, "--transpose", "IDX files"),
            (self.first_label.is_some() && is_cifar, "--first-label", "IDX files, tables and NumPy arrays"),
            (!self.target.is_empty() && kind != DataKind::Csv, "--target", "tables"),
            (self.coarse_labels && kind != DataKind::Cifar100, "--coarse-labels", "CIFAR-100"),
            (
                self.first_label.is_some() && of_pictures,
                "--first-label",
                "IDX files, tables and NumPy arrays",
            ),
            (self.size.is_some() && !of_pictures, "--size", "pictures"),
            (self.channels.is_some() && !of_pictures, "--channels", "pictures"),
            (
                self.split_seed.is_some() && (is_cifar || kind == DataKind::Idx),
                "--split-seed",
                "pictures, tables and NumPy arrays",
            ),
        ];
        match rows.iter().find(|(unused, ..)| *unused) {
            Some((_, flag, what)) => {
                bail!("{flag} is for {what}, but `{}` holds {kind} files; leave it out", path.display())
            }
            None => Ok(()),
        }
    }

    /// The flags as words of a command.
    pub fn words(&self) -> Vec<String> {
        let transpose = self.transpose.map(|transpose| format!("--transpose={transpose}"));
        let first = self.first_label.map(|first| format!("--first-label={first}"));
        let target = (!self.target.is_empty()).then(|| {
            let columns = self.target.join(",");
            format!("--target={}", quoted(columns.as_ref()))
        });
        let coarse = self.coarse_labels.then(|| "--coarse-labels".to_owned());
        let split = self.split_seed.map(|seed| format!("--split-seed={seed}"));
        let size = self.size.map(|[height, width]| format!("--size={height}x{width}"));
        let channels = self.channels.map(|channels| format!("--channels={channels}"));
        [transpose, first, target, coarse, split, size, channels].into_iter().flatten().collect()
    }
}

/// One side of a square, or height and width.
fn size(text: &str) -> Result<[usize; 2], String> {
    let (height, width) = text.split_once('x').unwrap_or((text, text));
    let side = |text: &str| text.parse().ok().filter(|side| (1..=MOST_ASKED).contains(side));
    let sides = side(height).zip(side(width)).map(|(height, width)| [height, width]);
    sides.ok_or_else(|| {
        format!("it must be a size such as 64, or height and width such as 64x96, of at most {MOST_ASKED}")
    })
}

fn channels(text: &str) -> Result<usize, String> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err("it must be 1 (grey) or 3 (red, green, blue)".to_owned()),
    }
}
