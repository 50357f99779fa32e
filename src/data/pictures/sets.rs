//! The sets of a folder of pictures.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::cache::Told;
use super::error::PictureFolderError;
use super::folders::File;
use super::parts::set_name;
use super::survey::{PictureSizes, Survey};
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
    dir: PathBuf,
    all: Dataset,
    given_test: bool,
}

impl PictureSets {
    /// The test set, where it has a folder of its own; else all pictures.
    pub(crate) fn one(self) -> Dataset {
        if self.given_test { self.test } else { self.all }
    }

    /// Whether the test set has a folder of its own.
    #[cfg(feature = "cli")]
    pub(crate) fn has_test(&self) -> bool {
        self.given_test
    }

    /// How many pictures there are in all sets.
    #[cfg(feature = "cli")]
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The sizes of the pictures in their files, whose headers are read for it; `None` where none can be read.
    pub fn sizes(&self) -> Option<PictureSizes> {
        let paths: Vec<PathBuf> = self.all.sample_names()?.map(|name| self.dir.join(name)).collect();
        Survey::at(&paths).sizes()
    }

    /// How many pictures are left out, the first of them by name; `None` where none is.
    pub fn warning(&self) -> Option<String> {
        let named = |(path, problem): &(PathBuf, String)| format!("{} {problem}", path.display());
        let named: Vec<String> = self.broken.iter().take(NAMED).map(named).collect();
        let more = match self.broken.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let text = || {
            let broken = self.broken.len();
            format!(
                "{broken} of {} files cannot be read and are left out: {}{more}",
                self.all.len() + broken,
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

/// What became of the files of a folder.
pub(super) struct Read {
    /// As it was given.
    pub dir: PathBuf,
    pub pixels: Numbers<u8>,
    pub told: Told,
    /// The paths of the files that could be read, within the folder.
    pub names: Vec<String>,
    pub classes: Vec<String>,
    /// Files that are left out, and why.
    pub broken: Vec<(PathBuf, String)>,
    /// Whether the pictures had been decoded before.
    pub cached: bool,
}

/// Parts of one data set: they share the pixels. Whether the test set has a folder of its own, is given.
pub(super) fn sets(read: Read, given_test: bool) -> Result<PictureSets, DataError> {
    let [train, validation] = [read.told.len(0), read.told.len(1)];
    let (dir, cached) = (read.dir.clone(), read.cached);
    let (all, broken) = read.whole()?;
    let part = |range: Range<usize>| all.slice(range);
    Ok(PictureSets {
        train: part(0..train)?,
        validation: (validation > 0).then(|| part(train..train + validation)).transpose()?,
        test: part(train + validation..all.len())?,
        broken,
        cached,
        dir,
        given_test,
        all,
    })
}

/// Sets that are split by this seed from the pictures that can be read: what was split off before had none. They are copied, for few
/// are left then.
pub(super) fn sets_anew(read: Read, seed: u64) -> Result<PictureSets, DataError> {
    let (dir, cached) = (read.dir.clone(), read.cached);
    let (all, broken) = read.whole()?;
    let [train, validation, test] = three_sets(&all, seed)?;
    let validation = Some(validation);
    Ok(PictureSets { train, validation, test, broken, cached, dir, all, given_test: false })
}

impl Read {
    /// The pictures of all sets, one set after the other, and what is left out.
    fn whole(self) -> Result<(Dataset, Vec<(PathBuf, String)>), DataError> {
        let Read { pixels, told, names, classes, broken, .. } = self;
        let labels = told.counts.iter().flat_map(|counts| {
            (0u32..).zip(counts).flat_map(|(label, &count)| std::iter::repeat_n(label, count))
        });
        let targets = Targets::classes(labels, classes.len())?;
        let all = Dataset::from_parts(pixels, targets, told.shape)?;
        Ok((all.with_class_names(classes)?.with_sample_names(names)?, broken))
    }
}
