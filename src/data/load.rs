//! Data sets in files of any form that is read: which form it is, is told by the names of the files.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use super::cifar::Cifar;
use super::csv;
use super::dataset::Dataset;
use super::emnist::EmnistSplit;
use super::error::DataError;
use super::files::{TEST, TRAIN};
use super::folder::{LoadOptions, TrainTest, load_dir_with, load_set_with, load_test_with, split_of};
use super::form_error::{FormError, shortened};
use super::npy::{self, Part};
#[cfg(feature = "pictures")]
use super::pictures::{PictureSets, empty_classes, is_picture_folder, load_pictures};
use super::split::{is_litter, three_sets};
use super::targets::TargetKind;

/// The form of the files of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataKind {
    /// Images and labels in IDX files: MNIST and those modelled on it.
    Idx,
    /// CIFAR-10 in binary form.
    Cifar10,
    /// CIFAR-100 in binary form.
    Cifar100,
    /// Arrays of NumPy.
    NumPy,
    /// Lines of numbers.
    Csv,
    /// Pictures, with a sub-folder for each class.
    #[cfg(feature = "pictures")]
    Pictures,
}

impl fmt::Display for DataKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DataKind::Idx => "IDX",
            DataKind::Cifar10 => "CIFAR-10",
            DataKind::Cifar100 => "CIFAR-100",
            DataKind::NumPy => "NumPy",
            DataKind::Csv => "CSV",
            #[cfg(feature = "pictures")]
            DataKind::Pictures => "picture",
        })
    }
}

/// A data set as its files hold it. All parts have the same shape, kind of targets and number of classes; classes that have
/// names have them in each part ([`Dataset::class_names`]).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// The form of the files.
    pub kind: DataKind,
    /// To train on.
    pub train: Dataset,
    /// To evaluate after each epoch, where the files hold such a set.
    pub validation: Option<Dataset>,
    /// To evaluate at the end.
    pub test: Dataset,
    /// What was made of the files, where their names do not say it: a line for people.
    pub said: Option<String>,
}

impl Loaded {
    /// Two sets of IDX files.
    pub(crate) fn pair(TrainTest { train, test }: TrainTest) -> Self {
        Loaded { kind: DataKind::Idx, train, validation: None, test, said: None }
    }

    /// The sets of a folder of pictures.
    #[cfg(feature = "pictures")]
    pub(crate) fn pictures(sets: PictureSets) -> Self {
        let PictureSets { train, validation, test, .. } = sets;
        Loaded { kind: DataKind::Pictures, train, validation, test, said: None }
    }
}

/// Reads the data set in a folder or a file, whatever its form.
///
/// | form | known by | read |
/// |---|---|---|
/// | IDX | `train-images-idx3-ubyte` and the like | as [`load_dir_with`] |
/// | CIFAR | `data_batch_1.bin`, `train.bin`, or the folder of the archive, `cifar-10-batches-bin` or `cifar-100-binary` | images `[32, 32, 3]`, with the names of the classes |
/// | NumPy | `x_train.npy` | bytes or f32 of the arrays' shape; whole numbers as classes |
/// | CSV | a file `NAME.csv`, or `train.csv` in a folder | rows of numbers, [`LoadOptions::target`] apart |
/// | pictures (feature `pictures`) | a picture in the folder or below it | as `load_pictures`, in memory |
///
/// The first form in this order that a folder has files of is read. NumPy and CSV may come with a validation set (`x_val.npy`,
/// `validation.csv`). If they come without a test set, the training set is split by [`three_sets`](super::three_sets) and
/// [`LoadOptions::split_seed`].
///
/// # Errors
/// [`DataError::NoKind`] with what was looked for, and those of each form: a defect of a file with its place.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded, DataError> {
    match Found::at(path)? {
        Found::Idx => load_dir_with(path, options).map(Loaded::pair),
        Found::Cifar(cifar) => {
            let [train, test] = cifar.read(options)?;
            let which = if options.coarse_labels { ", coarse labels" } else { "" };
            let kind = of_cifar(&cifar);
            let said = Some(format!("{kind}, {} classes{which}", train.classes()));
            Ok(Loaded { kind, train, validation: None, test, said })
        }
        Found::Parts(parts) => parts.load(options),
        #[cfg(feature = "pictures")]
        Found::Pictures => load_pictures(path, &options.into()).map(Loaded::pictures),
    }
}

/// Reads only the test set of a data set ([`load`]); of IDX files and CIFAR the others need not exist.
///
/// # Errors
/// As [`load`].
pub fn load_test(path: &Path, options: &LoadOptions) -> Result<Dataset, DataError> {
    match Found::at(path)? {
        Found::Idx => load_test_with(path, options),
        Found::Cifar(cifar) => cifar.test(options),
        Found::Parts(parts) if parts.train.is_none() => parts.one(options),
        Found::Parts(parts) => Ok(parts.load(options)?.test),
        #[cfg(feature = "pictures")]
        Found::Pictures => Ok(load_pictures(path, &options.into())?.test),
    }
}

/// Reads one set, whole: the test set of a folder, or, where it has none, the training set; or the file.
///
/// # Errors
/// As [`load`].
pub fn load_one(path: &Path, options: &LoadOptions) -> Result<Dataset, DataError> {
    match Found::at(path)? {
        Found::Idx => load_set_with(path, options),
        Found::Cifar(cifar) => cifar.test(options),
        Found::Parts(parts) => parts.one(options),
        #[cfg(feature = "pictures")]
        Found::Pictures => Ok(load_pictures(path, &options.into())?.one()),
    }
}

/// The form of the files that [`load`] would read.
///
/// # Errors
/// As [`load`], where there is none, or several.
pub fn kind_of(path: &Path) -> Result<DataKind, DataError> {
    Ok(match Found::at(path)? {
        Found::Idx => DataKind::Idx,
        Found::Cifar(cifar) => of_cifar(&cifar),
        Found::Parts(parts) => parts.kind,
        #[cfg(feature = "pictures")]
        Found::Pictures => DataKind::Pictures,
    })
}

/// Refuses to train on one class: there is nothing to tell apart. Only words as classes can be so few.
fn check_classes(sets: &[Dataset], file: &Path) -> Result<(), DataError> {
    match sets.first() {
        Some(set) if set.target() == TargetKind::Classes && set.classes() < 2 => {
            let found = set.class_names().first().map_or(String::new(), |name| shortened(name));
            Err(FormError::OneClass { file: file.to_owned(), found }.into())
        }
        _ => Ok(()),
    }
}

fn of_cifar(cifar: &Cifar) -> DataKind {
    if cifar.is_100() { DataKind::Cifar100 } else { DataKind::Cifar10 }
}

/// What is at a path.
enum Found {
    Idx,
    Cifar(Cifar),
    Parts(Parts),
    #[cfg(feature = "pictures")]
    Pictures,
}

impl Found {
    fn at(path: &Path) -> Result<Self, DataError> {
        if path.is_file() {
            return match csv::is_name(path) {
                true => Ok(Found::Parts(Parts::of_file(path))),
                false => Err(DataError::NoKind { path: path.to_owned(), is_file: true }),
            };
        }
        if !path.exists() && split_of(path).is_some() {
            return Ok(Found::Idx);
        }
        fs::read_dir(path).map_err(|cause| DataError::Folder { dir: path.to_owned(), cause })?;
        let found = Found::files(path)?;
        #[cfg(feature = "pictures")]
        if found.is_none() && is_picture_folder(path) {
            return Ok(Found::Pictures);
        }
        found.ok_or_else(|| Found::none(path))
    }

    /// The files in a folder itself.
    fn files(dir: &Path) -> Result<Option<Self>, DataError> {
        if TRAIN.any_in(dir) || TEST.any_in(dir) || !EmnistSplit::all_in(dir).is_empty() {
            return Ok(Some(Found::Idx));
        }
        if let Some(cifar) = Cifar::find(dir)? {
            return Ok(Some(Found::Cifar(cifar)));
        }
        let parts = [Parts::of_arrays(dir), Parts::of_tables(dir)];
        let parts = parts.into_iter().find(|parts| parts.train.is_some() || parts.test.is_some());
        Ok(parts.map(Found::Parts))
    }

    /// What is wrong with a folder of nothing that is read.
    fn none(dir: &Path) -> DataError {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let entries: Vec<_> =
            entries.filter(|entry| !is_litter(&entry.file_name().to_string_lossy())).collect();
        if entries.is_empty() {
            return DataError::EmptyFolder { dir: dir.to_owned() };
        }
        // A folder of folders is one of classes, unless what is looked for is further down.
        #[cfg(feature = "pictures")]
        if !entries.iter().any(|entry| !matches!(Found::files(&entry.path()), Ok(None)))
            && let Some(error) = empty_classes(dir)
        {
            return error.into();
        }
        DataError::NoKind { path: dir.to_owned(), is_file: false }
    }
}

/// The parts that a folder of arrays or tables has; each is the file or the folder it is in.
struct Parts {
    kind: DataKind,
    train: Option<PathBuf>,
    validation: Option<PathBuf>,
    test: Option<PathBuf>,
}

impl Parts {
    fn of_file(path: &Path) -> Self {
        Parts { kind: DataKind::Csv, train: Some(path.to_owned()), validation: None, test: None }
    }

    fn of_arrays(dir: &Path) -> Self {
        let [train, validation, test] =
            Part::ALL.map(|part| npy::is_there(dir, part).then(|| dir.to_owned()));
        Parts { kind: DataKind::NumPy, train, validation, test }
    }

    fn of_tables(dir: &Path) -> Self {
        let file = |name: &str| Some(dir.join(name)).filter(|path| path.is_file());
        let [train, validation, test] = [csv::TRAIN, csv::VALIDATION, csv::TEST].map(file);
        Parts { kind: DataKind::Csv, train, validation, test }
    }

    /// The sets of these parts, the first of which decides what the others are held to.
    fn read(
        &self,
        parts: &[(Part, &PathBuf)],
        options: &LoadOptions,
    ) -> Result<(Vec<Dataset>, Option<String>), DataError> {
        if self.kind == DataKind::NumPy {
            let Some((_, dir)) = parts.first() else { return Err(DataError::Empty) };
            let parts: Vec<Part> = parts.iter().map(|(part, _)| *part).collect();
            return Ok((npy::read(dir, &parts, options)?, None));
        }
        let files: Vec<PathBuf> = parts.iter().map(|&(_, file)| file.clone()).collect();
        let (sets, said) = csv::read(&files, options)?;
        Ok((sets, Some(said)))
    }

    fn load(&self, options: &LoadOptions) -> Result<Loaded, DataError> {
        let all = [&self.train, &self.validation, &self.test];
        let there: Vec<_> =
            Part::ALL.into_iter().zip(all).filter_map(|(part, path)| Some((part, path.as_ref()?))).collect();
        let missing = |part: Part| {
            let (_, dir) = there[0];
            let dir = if dir.is_dir() { dir } else { dir.parent().unwrap_or(dir) };
            DataError::MissingFile { dir: dir.to_owned(), tried: vec![self.file_of(part)] }
        };
        if self.train.is_none() {
            return Err(missing(Part::Train));
        }
        if self.test.is_none() && self.validation.is_some() {
            return Err(missing(Part::Test));
        }
        let (mut sets, said) = self.read(&there, options)?;
        check_classes(&sets, there[0].1)?;
        let (last, first) = (sets.pop(), sets.first().cloned());
        let kind = self.kind;
        match (first, last) {
            (Some(train), Some(test)) => {
                let validation = sets.get(1).cloned();
                Ok(Loaded { kind, train, validation, test, said })
            }
            (None, Some(whole)) => {
                let [train, validation, test] = three_sets(&whole, options.split_seed.into())?;
                let split = format!(
                    "{} samples without a test set, split into {} to train on, {} to validate with and {} to test on, by seed {}",
                    whole.len(),
                    train.len(),
                    validation.len(),
                    test.len(),
                    options.split_seed
                );
                let said = said.map_or_else(|| split.clone(), |said| format!("{said}; {split}"));
                Ok(Loaded { kind, train, validation: Some(validation), test, said: Some(said) })
            }
            _ => Err(DataError::Empty),
        }
    }

    /// The test set, or else the training set.
    fn one(&self, options: &LoadOptions) -> Result<Dataset, DataError> {
        let part = match (&self.test, &self.train) {
            (Some(test), _) => (Part::Test, test),
            (None, Some(train)) => (Part::Train, train),
            (None, None) => return Err(DataError::Empty),
        };
        self.read(&[part], options)?.0.pop().ok_or(DataError::Empty)
    }

    fn file_of(&self, part: Part) -> String {
        match (self.kind, part) {
            (DataKind::NumPy, part) => npy::file_name('x', part),
            (_, Part::Train) => csv::TRAIN.to_owned(),
            (_, Part::Validation) => csv::VALIDATION.to_owned(),
            (_, Part::Test) => csv::TEST.to_owned(),
        }
    }
}
