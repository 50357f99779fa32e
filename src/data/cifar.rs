//! CIFAR-10 and CIFAR-100 in their binary form.
//!
//! | data set  | training files                            | test file        | record                                  |
//! |-----------|-------------------------------------------|------------------|-----------------------------------------|
//! | CIFAR-10  | `data_batch_1.bin` to `data_batch_5.bin`  | `test_batch.bin` | label, image                            |
//! | CIFAR-100 | `train.bin`                               | `test.bin`       | coarse label, fine label, image         |
//!
//! A label is a byte; an image is 32 by 32 pixels, first all red values, then the green, then the blue ones, row by row.
//! Source: Krizhevsky, "Learning multiple layers of features from tiny images" (2009), and the data set's page.

use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::error::DataError;
use super::folder::LoadOptions;
use super::form_error::FormError;
use super::source::Source;
use super::targets::Targets;
use crate::files;

const SIDE: usize = 32;
const CHANNELS: usize = 3;
const PIXELS: usize = SIDE * SIDE;

/// One of the two data sets.
struct Kind {
    name: &'static str,
    /// The folder in its archive.
    folder: &'static str,
    train: &'static [&'static str],
    test: &'static str,
    /// For each label of a record, how many classes there are and the file with their names.
    labels: &'static [(usize, &'static str)],
}

static KINDS: [Kind; 2] = [
    Kind {
        name: "CIFAR-10",
        folder: "cifar-10-batches-bin",
        train: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
        ],
        test: "test_batch.bin",
        labels: &[(10, "batches.meta.txt")],
    },
    Kind {
        name: "CIFAR-100",
        folder: "cifar-100-binary",
        train: &["train.bin"],
        test: "test.bin",
        labels: &[(20, "coarse_label_names.txt"), (100, "fine_label_names.txt")],
    },
];

/// Where the files of one of them are.
pub(super) struct Cifar {
    dir: PathBuf,
    kind: &'static Kind,
}

impl Cifar {
    /// Those in the folder, or in the folder of the archive within it; `None` where there are none.
    ///
    /// Errors: [`DataError::SeveralSets`].
    pub(super) fn find(dir: &Path) -> Result<Option<Self>, DataError> {
        let in_folder = |dir: PathBuf, kind: &'static Kind| {
            let there = kind.train.iter().chain([&kind.test]).any(|name| file(&dir, name).is_some());
            there.then_some(Cifar { dir, kind })
        };
        let here = KINDS.iter().filter_map(|kind| in_folder(dir.to_owned(), kind));
        let within = KINDS.iter().filter_map(|kind| in_folder(dir.join(kind.folder), kind));
        let mut found: Vec<Cifar> = here.collect();
        if found.is_empty() {
            found = within.collect();
        }
        if found.len() > 1 {
            let found = found.iter().map(|one| one.kind.folder.to_owned()).collect();
            return Err(DataError::SeveralSets { dir: dir.to_owned(), found });
        }
        Ok(found.pop())
    }

    /// Whether it is CIFAR-100.
    pub(super) fn is_100(&self) -> bool {
        self.kind.labels.len() > 1
    }

    /// Training set and test set.
    pub(super) fn read(&self, options: &LoadOptions) -> Result<[Dataset; 2], DataError> {
        Ok([self.set(self.kind.train, options)?, self.test(options)?])
    }

    /// The test set alone.
    pub(super) fn test(&self, options: &LoadOptions) -> Result<Dataset, DataError> {
        self.set(&[self.kind.test], options)
    }

    fn set(&self, names: &[&str], options: &LoadOptions) -> Result<Dataset, DataError> {
        // The last label is the finest.
        let labels = self.kind.labels;
        let which = if options.coarse_labels { 0 } else { labels.len() - 1 };
        let (classes, names_file) = labels[which];
        let size = labels.len() + PIXELS * CHANNELS;
        let (mut images, mut all) = (Vec::new(), Vec::new());
        for name in names {
            let path = self.there(name)?;
            let bytes = Source::open(&path)?.rest()?;
            if bytes.is_empty() || !bytes.len().is_multiple_of(size) {
                let (set, found) = (self.kind.name, bytes.len());
                return Err(FormError::Records { file: path, set, size, found }.into());
            }
            let room = bytes.len() / size * PIXELS * CHANNELS;
            images
                .try_reserve_exact(room)
                .map_err(|_| FormError::OutOfMemory { file: path.clone(), expected: room as u64 })?;
            for (index, record) in bytes.chunks_exact(size).enumerate() {
                let (of_record, planes) = record.split_at(labels.len());
                let label = of_record[which];
                if usize::from(label) >= classes {
                    let (last, found) = (classes as u32 - 1, label.to_string());
                    return Err(FormError::Label { file: path, index, first: 0, last, found }.into());
                }
                all.push(label);
                images.extend((0..PIXELS).flat_map(|at| (0..CHANNELS).map(move |c| planes[c * PIXELS + at])));
            }
        }
        let set = Dataset::from_parts(images, Targets::classes(all, classes)?, [SIDE, SIDE, CHANNELS])?;
        set.with_class_names(self.class_names(names_file, classes)?)
    }

    fn there(&self, name: &str) -> Result<PathBuf, DataError> {
        let tried = || vec![name.to_owned(), format!("{name}.gz")];
        file(&self.dir, name).ok_or_else(|| DataError::MissingFile { dir: self.dir.clone(), tried: tried() })
    }

    /// The lines of the file with the names; no names without it.
    fn class_names(&self, name: &str, classes: usize) -> Result<Vec<String>, DataError> {
        let path = self.dir.join(name);
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let text = files::read_text(&path).map_err(|cause| FormError::Io { file: path.clone(), cause })?;
        let names: Vec<String> =
            text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        match names.len() {
            found if found != classes => {
                Err(FormError::ClassNames { file: path, expected: classes, found }.into())
            }
            _ => Ok(names),
        }
    }
}

/// The file of this name, plain or compressed.
fn file(dir: &Path, name: &str) -> Option<PathBuf> {
    [dir.join(name), dir.join(format!("{name}.gz"))].into_iter().find(|path| path.is_file())
}
