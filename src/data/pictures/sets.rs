//! The sets of a folder of pictures.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::cache::Told;
use super::error::PictureFolderError;
use super::folders::File;
use super::parts::set_name;
use crate::data::dataset::Dataset;
use crate::data::error::DataError;
use crate::data::numbers::Numbers;
use crate::data::split::three_sets;
use crate::data::targets::Targets;

/// Broken pictures that a warning names.
const NAMED: usize = 5;

/// The sets of a folder of pictures. All have the same shape and the names of the classes.
#[derive(Debug, Clone)]
pub struct PictureSets {
    /// To train on.
    pub train: Dataset,
    /// To evaluate while training; `None` where there are too few pictures for one.
    pub validation: Option<Dataset>,
    /// To evaluate on.
    pub test: Dataset,
    /// The files and folders that could not be read and are left out, and why.
    pub broken: Vec<(PathBuf, String)>,
    /// Whether the pictures had been decoded before.
    pub cached: bool,
    all: Dataset,
    given_test: bool,
}

impl PictureSets {
    /// The test set, where it has a folder of its own; else all pictures.
    pub(crate) fn one(self) -> Dataset {
        if self.given_test { self.test } else { self.all }
    }

    /// How many pictures are left out, the first of them by name; `None` where none is.
    pub fn warning(&self) -> Option<String> {
        let named = |(path, problem): &(PathBuf, String)| format!("{} {problem}", path.display());
        let named: Vec<String> = self.broken.iter().take(NAMED).map(named).collect();
        let more = match self.broken.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let all = self.train.len() + self.validation.as_ref().map_or(0, Dataset::len) + self.test.len();
        let text = || {
            let broken = self.broken.len();
            format!(
                "{broken} of {} files cannot be read and are left out: {}{more}",
                all + broken,
                named.join("; ")
            )
        };
        (!self.broken.is_empty()).then(text)
    }
}

/// What is wrong with a file, as a message tells it.
fn why(broken: &[(PathBuf, String)], path: &Path) -> String {
    let problem = broken.iter().find(|(broken, _)| broken == path);
    problem.map_or_else(String::new, |(path, problem)| format!("{} {problem}", path.display()))
}

/// Refuses classes of which every picture is broken.
pub(super) fn check_classes(
    root: &Path,
    classes: &[String],
    files: &[Vec<File>; 3],
    told: &Told,
    broken: &[(PathBuf, String)],
) -> Result<(), PictureFolderError> {
    for (label, class) in classes.iter().enumerate() {
        if told.counts.iter().all(|counts| counts[label] == 0) {
            let mut of_class = files.iter().flatten().filter(|file| file.label as usize == label);
            let first = of_class.next().map_or_else(String::new, |file| why(broken, &file.found.path));
            let broken = 1 + of_class.count();
            let (dir, class) = (root.to_owned(), class.clone());
            return Err(PictureFolderError::BrokenClass { dir, class, broken, first });
        }
    }
    Ok(())
}

/// Refuses a training and a test set of which every picture is broken; a validation set can be done without.
pub(super) fn check_sets(
    root: &Path,
    files: &[Vec<File>; 3],
    told: &Told,
    broken: &[(PathBuf, String)],
) -> Result<(), PictureFolderError> {
    for set in [0, 2] {
        if told.len(set) == 0 {
            let why = files[set]
                .first()
                .map_or_else(|| "there are too few".to_owned(), |file| why(broken, &file.found.path));
            return Err(PictureFolderError::EmptySet { dir: root.to_owned(), set: set_name(set), why });
        }
    }
    Ok(())
}

/// Parts of one data set: they share the pixels.
pub(super) fn sets(
    pixels: Numbers<u8>,
    told: &Told,
    classes: Vec<String>,
    broken: Vec<(PathBuf, String)>,
    [cached, given_test]: [bool; 2],
) -> Result<PictureSets, DataError> {
    let all = all(pixels, told, classes)?;
    let [train, validation] = [told.len(0), told.len(1)];
    let part = |range: Range<usize>| all.slice(range);
    Ok(PictureSets {
        train: part(0..train)?,
        validation: (validation > 0).then(|| part(train..train + validation)).transpose()?,
        test: part(train + validation..all.len())?,
        broken,
        cached,
        given_test,
        all,
    })
}

/// Sets that are split by this seed from the pictures that can be read: what was split off before had none. They are copied, for few
/// are left then.
pub(super) fn sets_anew(
    pixels: Numbers<u8>,
    told: &Told,
    classes: Vec<String>,
    broken: Vec<(PathBuf, String)>,
    cached: bool,
    seed: u64,
) -> Result<PictureSets, DataError> {
    let all = all(pixels, told, classes)?;
    let [train, validation, test] = three_sets(&all, seed)?;
    Ok(PictureSets { train, validation: Some(validation), test, broken, cached, all, given_test: false })
}

/// The pictures of all sets, one set after the other.
fn all(pixels: Numbers<u8>, told: &Told, classes: Vec<String>) -> Result<Dataset, DataError> {
    let labels = told.counts.iter().flat_map(|counts| {
        (0u32..).zip(counts).flat_map(|(label, &count)| std::iter::repeat_n(label, count))
    });
    let targets = Targets::classes(labels, classes.len())?;
    Dataset::from_parts(pixels, targets, told.shape)?.with_class_names(classes)
}
