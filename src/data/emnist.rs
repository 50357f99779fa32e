//! EMNIST, recognised by the names of its files.
//!
//! Its images are stored with rows and columns swapped, and the labels of the split `letters` count from 1.
//!
//! | split      | training images | test images | classes |
//! |------------|----------------:|------------:|---------|
//! | `byclass`  |         697,932 |     116,323 | 62: digits, capital letters, small letters |
//! | `bymerge`  |         697,932 |     116,323 | 47: the same, but small letters like their capitals count as these |
//! | `balanced` |         112,800 |      18,800 | 47: as `bymerge` |
//! | `letters`  |         124,800 |      20,800 | 26: letters, capital or small |
//! | `digits`   |         240,000 |      40,000 | 10: digits |
//! | `mnist`    |          60,000 |      10,000 | 10: digits |
//!
//! Source: Cohen, Afshar, Tapson, van Schaik, "EMNIST: an extension of MNIST to handwritten letters" (2017), and the
//! files `emnist-*-mapping.txt` of its distribution. TensorFlow Datasets and torchvision give the images as they are
//! stored.

use std::fmt;
use std::path::Path;

use super::files::FileNames;

/// One of the six data sets that EMNIST consists of.
#[derive(Debug, PartialEq, Eq)]
pub struct EmnistSplit {
    name: &'static str,
    pub(super) train: FileNames,
    pub(super) test: FileNames,
    /// Numbers of training and test images as distributed.
    counts: [usize; 2],
    first_label: u8,
    /// One character for each class.
    classes: &'static str,
}

macro_rules! split {
    ($name:literal, $counts:expr, $first_label:literal, $classes:expr) => {
        EmnistSplit {
            name: $name,
            train: FileNames {
                images: concat!("emnist-", $name, "-train-images-idx3-ubyte"),
                labels: concat!("emnist-", $name, "-train-labels-idx1-ubyte"),
            },
            test: FileNames {
                images: concat!("emnist-", $name, "-test-images-idx3-ubyte"),
                labels: concat!("emnist-", $name, "-test-labels-idx1-ubyte"),
            },
            counts: $counts,
            first_label: $first_label,
            classes: $classes,
        }
    };
}

const DIGITS: &str = "0123456789";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const MERGED: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt";
const ALL: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What the names of the files begin with, before the name of the split.
const PREFIX: &str = "emnist-";

static SPLITS: [EmnistSplit; 6] = [
    split!("byclass", [697_932, 116_323], 0, ALL),
    split!("bymerge", [697_932, 116_323], 0, MERGED),
    split!("balanced", [112_800, 18_800], 0, MERGED),
    split!("letters", [124_800, 20_800], 1, LETTERS),
    split!("digits", [240_000, 40_000], 0, DIGITS),
    split!("mnist", [60_000, 10_000], 0, DIGITS),
];

impl EmnistSplit {
    /// All six splits.
    pub fn all() -> &'static [EmnistSplit] {
        &SPLITS
    }

    /// `byclass`, `bymerge`, `balanced`, `letters`, `digits` or `mnist`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the names of its files begin with, such as `emnist-letters`.
    pub fn prefix(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// The label of the first class: 1 for `letters`, else 0.
    pub fn first_label(&self) -> u8 {
        self.first_label
    }

    /// What its classes are called, in order.
    pub fn class_names(&self) -> Vec<String> {
        self.classes.chars().map(String::from).collect()
    }

    /// The splits that a folder has files of.
    pub(super) fn all_in(dir: &Path) -> Vec<&'static EmnistSplit> {
        SPLITS.iter().filter(|split| split.train.any_in(dir) || split.test.any_in(dir)).collect()
    }

    /// The split of this [`prefix`](Self::prefix).
    pub(super) fn of_prefix(prefix: &str) -> Option<&'static EmnistSplit> {
        let name = prefix.strip_prefix(PREFIX)?;
        SPLITS.iter().find(|split| split.name == name)
    }

    /// The split with these numbers of training and test images, unless MNIST has the same.
    pub(super) fn of_counts(counts: [usize; 2]) -> Option<&'static EmnistSplit> {
        const MNIST: [usize; 2] = [60_000, 10_000];
        SPLITS.iter().find(|split| split.counts == counts && counts != MNIST)
    }
}

impl fmt::Display for EmnistSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EMNIST {}", self.name)
    }
}
