//! The folder of IDX files that a data set usually comes in.

use std::fs;
use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::emnist::EmnistSplit;
use super::error::{DataError, IdxError};
use super::files::{self, FileNames, TEST, TRAIN};
use super::idx::{self, IdxImages};
use super::numbers::Numbers;
use super::targets::Targets;
use super::transpose::transpose;

/// The least number of classes: with one there is nothing to classify.
const MIN_CLASSES: usize = 2;

/// A training set and a test set. Both have the same shape and number of classes.
#[derive(Debug, Clone)]
pub struct TrainTest {
    /// To train on.
    pub train: Dataset,
    /// To evaluate on.
    pub test: Dataset,
}

/// How to interpret the files of a data set that differ from MNIST's. By default their names decide: those of EMNIST
/// say how its images are stored and what its labels count from ([`EmnistSplit`]).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadOptions {
    /// Whether to swap rows and columns of every image, because they are stored that way. `None`: for EMNIST only.
    pub transpose: Option<bool>,
    /// The label of the first class, which is subtracted from every label. `None`: 1 for the letters of EMNIST, else
    /// 0.
    pub first_label: Option<u8>,
    /// The columns of a CSV file that are targets: their names, or their numbers, counted from 1. None: the last column.
    pub target: Vec<String>,
    /// Of CIFAR-100, whether the 20 coarse labels are the classes instead of the 100 fine ones.
    pub coarse_labels: bool,
    /// What a set without a test set is split by ([`three_sets`](super::three_sets)); default 0.
    pub split_seed: u32,
    /// Of a folder of pictures: height and width of the images. `None`: by the rule of `PictureOptions`.
    pub size: Option<[usize; 2]>,
    /// Of a folder of pictures: 1 for grey, 3 for colours. `None`: likewise.
    pub channels: Option<usize>,
}

/// Reads the four IDX files of an MNIST-like data set (MNIST, Fashion-MNIST, KMNIST, EMNIST, ...).
///
/// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`; a dot may stand before `idx`, and `.gz` may follow. A plain file is preferred to a
/// compressed one of the same name, unless the plain one is damaged and the compressed one is intact; a warning says
/// so. Images are grey, of the shape `[rows, columns, 1]`, or, in files of four dimensions, `[rows, columns, channels]`; `idx4` may stand
/// for `idx3` in their names. The bytes of large plain files are mapped, not read: nobody may change them meanwhile.
///
/// In a folder without these, the files of one split of EMNIST are read: `emnist-letters-train-images-idx3-ubyte`,
/// `emnist-letters-test-labels-idx1-ubyte` and so on. Where there are several splits, `dir` names one as if it were a
/// folder within: `gzip/emnist-letters`. Their images are stored transposed, and the labels of the letters begin with
/// 1; both are undone.
///
/// The number of classes is the largest label of both sets + 1, and at least 2; MNIST gives 10. A data set whose last
/// class has no example needs [`Dataset::new`]. Where all labels are above 0, a warning says so.
///
/// Errors: [`DataError::Folder`], [`DataError::MissingFile`] with the names tried, [`DataError::SeveralSets`],
/// [`DataError::Idx`] for a defect of a file, [`DataError::LabelCount`], [`DataError::ShapeMismatch`] between training
/// and test images.
pub fn load_dir(dir: &Path) -> Result<TrainTest, DataError> {
    load_dir_with(dir, &LoadOptions::default())
}

/// [`load_dir`] for files that need options.
///
/// Errors: as [`load_dir`], and [`DataError::LabelBelowFirst`].
pub fn load_dir_with(dir: &Path, options: &LoadOptions) -> Result<TrainTest, DataError> {
    let folder = Folder::find(dir, options)?;
    let (train, test) = (folder.read(folder.train())?, folder.read(folder.test())?);
    warn(&folder, options, &train, &test);
    pair(train, test)
}

/// What a file is called in errors, and its content, plain or compressed by gzip.
pub type IdxFile<'a> = (&'a Path, &'a [u8]);

/// [`load_dir`] for files that are in memory: images and labels to train on, and those to test with.
///
/// Errors: as [`load_dir`], but for what is read from the disk.
pub fn sets_from_bytes(train: [IdxFile<'_>; 2], test: [IdxFile<'_>; 2]) -> Result<TrainTest, DataError> {
    pair(Labelled::from_bytes(train)?, Labelled::from_bytes(test)?)
}

/// Reads one set of images and labels from a folder: the test set of a data set ([`load_dir`]), or, in a folder without
/// one, the training set.
///
/// Errors: as [`load_dir`]; [`DataError::MissingFile`] names the test set's files.
pub fn load_set(dir: &Path) -> Result<Dataset, DataError> {
    load_set_with(dir, &LoadOptions::default())
}

/// [`load_set`] for files that need options.
///
/// Errors: as [`load_set`], and [`DataError::LabelBelowFirst`].
pub fn load_set_with(dir: &Path, options: &LoadOptions) -> Result<Dataset, DataError> {
    let folder = Folder::find(dir, options)?;
    let there = |names: &FileNames| files::check_there(&folder.dir, names.images).is_ok();
    let (train, test) = (folder.train(), folder.test());
    let set = folder.read(if !there(test) && there(train) { train } else { test })?;
    let classes = (usize::from(set.max_label()) + 1).max(MIN_CLASSES);
    set.into_dataset(classes)
}

/// Reads only the test set of a data set ([`load_dir`]); the other files need not exist. The number of classes is the
/// largest label + 1, and at least 2. This is fewer than in the whole data set if the last classes have no example
/// here.
///
/// Errors: as [`load_dir_with`].
pub fn load_test_with(dir: &Path, options: &LoadOptions) -> Result<Dataset, DataError> {
    let folder = Folder::find(dir, options)?;
    let set = folder.read(folder.test())?;
    let classes = (usize::from(set.max_label()) + 1).max(MIN_CLASSES);
    set.into_dataset(classes)
}

/// The split of EMNIST that [`load_dir`] would read; `None` where the files have other names, or there are none.
pub fn split_of(dir: &Path) -> Option<&'static EmnistSplit> {
    Folder::find(dir, &LoadOptions::default()).ok()?.split
}

/// Where the files of a data set are, and how to interpret them.
struct Folder {
    dir: PathBuf,
    split: Option<&'static EmnistSplit>,
    transpose: bool,
    first_label: u8,
}

impl Folder {
    fn find(dir: &Path, options: &LoadOptions) -> Result<Self, DataError> {
        let (dir, split) = match Folder::named_split(dir) {
            Some((parent, split)) => (parent, Some(split)),
            None => (dir, Folder::only_split(dir)?),
        };
        Ok(Folder {
            dir: dir.to_owned(),
            split,
            transpose: options.transpose.unwrap_or(split.is_some()),
            first_label: options.first_label.unwrap_or(split.map_or(0, EmnistSplit::first_label)),
        })
    }

    /// `folder/emnist-letters` where that is not itself a folder.
    fn named_split(dir: &Path) -> Option<(&Path, &'static EmnistSplit)> {
        let split = EmnistSplit::of_prefix(dir.file_name()?.to_str()?)?;
        let parent = match dir.parent()? {
            here if here.as_os_str().is_empty() => Path::new("."),
            parent => parent,
        };
        let there = split.train.any_in(parent) || split.test.any_in(parent);
        (!dir.exists() && there).then_some((parent, split))
    }

    /// The only split in a folder without files named like those of MNIST.
    fn only_split(dir: &Path) -> Result<Option<&'static EmnistSplit>, DataError> {
        fs::read_dir(dir).map_err(|cause| DataError::Folder { dir: dir.to_owned(), cause })?;
        if TRAIN.any_in(dir) || TEST.any_in(dir) {
            return Ok(None);
        }
        match EmnistSplit::all_in(dir)[..] {
            [] => Ok(None),
            [split] => Ok(Some(split)),
            ref several => Err(DataError::SeveralSets {
                dir: dir.to_owned(),
                found: several.iter().map(|split| split.prefix()).collect(),
            }),
        }
    }

    fn train(&self) -> &'static FileNames {
        self.split.map_or(&TRAIN, |split| &split.train)
    }

    fn test(&self) -> &'static FileNames {
        self.split.map_or(&TEST, |split| &split.test)
    }

    fn read(&self, names: &FileNames) -> Result<Labelled, DataError> {
        // The label file is small: whether it is missing is known before much is read.
        files::check_there(&self.dir, names.images)?;
        let (labels_file, mut labels) = files::read(&self.dir, names.labels, |file| idx::read_labels(file))?;
        let (images_file, images) = files::read(&self.dir, names.images, |file| match self.transpose {
            true => idx::read_images(file).map(Images::transposed),
            false => Images::mapped(file),
        })?;
        let first_label = self.first_label;
        if let Some(index) = labels.iter().position(|&label| label < first_label) {
            let label = labels[index];
            return Err(DataError::LabelBelowFirst { file: labels_file, index, label, first_label });
        }
        labels.iter_mut().for_each(|label| *label -= first_label);
        Ok(Labelled { images_file, images, labels_file, labels })
    }
}

/// Warns of files that seem to need other options.
fn warn(folder: &Folder, options: &LoadOptions, train: &Labelled, test: &Labelled) {
    let smallest = train.labels.iter().chain(&test.labels).min().copied();
    if let (Some(smallest @ 1..), None) = (smallest, options.first_label) {
        let largest = train.max_label().max(test.max_label());
        log::warn!(
            "the labels of {} and of its test set run from {smallest} to {largest}: no image is of a class below {smallest}; \
             if the first class is labelled {smallest}, set `first_label` to {smallest}",
            train.labels_file.display()
        );
    }
    let split = EmnistSplit::of_counts([train.images.count, test.images.count]);
    if let (Some(split), None, None) = (split, folder.split, options.transpose) {
        log::warn!(
            "{} and its test set have as many images as {split}, whose images are stored with rows and columns \
             swapped; if they are that data set, set `transpose`, or give the files their original names, `{}-...`",
            train.images_file.display(),
            split.prefix()
        );
    }
}

/// The contents of an image file.
pub(super) struct Images {
    count: usize,
    /// `[h, w, c]` of one image.
    shape: [usize; 3],
    pixels: Numbers<u8>,
}

impl From<IdxImages> for Images {
    fn from(images: IdxImages) -> Self {
        let IdxImages { count, rows, cols, channels, pixels } = images;
        Images { count, shape: [rows, cols, channels], pixels: pixels.into() }
    }
}

impl Images {
    fn mapped(file: &Path) -> Result<Self, IdxError> {
        let ([count, rows, cols, channels], pixels) = idx::mapped_images(file)?;
        Ok(Images { count, shape: [rows, cols, channels], pixels })
    }

    /// With rows and columns swapped.
    fn transposed(mut images: IdxImages) -> Self {
        transpose(&mut images.pixels, [images.rows, images.cols, images.channels]);
        (images.rows, images.cols) = (images.cols, images.rows);
        images.into()
    }
}

/// The contents of an image file and of its label file, with their names for messages.
pub(super) struct Labelled {
    pub(super) images_file: PathBuf,
    pub(super) images: Images,
    pub(super) labels_file: PathBuf,
    pub(super) labels: Vec<u8>,
}

impl Labelled {
    /// A set from the contents of its two files; errors name them.
    pub(super) fn from_bytes(
        [(images_file, images), (labels_file, labels)]: [IdxFile<'_>; 2],
    ) -> Result<Self, DataError> {
        Ok(Labelled {
            images: idx::images_from_bytes(images_file, images)?.into(),
            labels: idx::labels_from_bytes(labels_file, labels)?,
            images_file: images_file.to_owned(),
            labels_file: labels_file.to_owned(),
        })
    }

    fn max_label(&self) -> u8 {
        self.labels.iter().copied().max().unwrap_or(0)
    }

    fn into_dataset(self, classes: usize) -> Result<Dataset, DataError> {
        if self.images.count != self.labels.len() {
            return Err(DataError::LabelCount {
                images_file: self.images_file,
                labels_file: self.labels_file,
                images: self.images.count,
                labels: self.labels.len(),
            });
        }
        Dataset::from_parts(self.images.pixels, Targets::classes(self.labels, classes)?, self.images.shape)
    }
}

/// Makes data sets of the files, after checking that they fit together.
pub(super) fn pair(train: Labelled, test: Labelled) -> Result<TrainTest, DataError> {
    if train.images.shape != test.images.shape {
        return Err(DataError::ShapeMismatch {
            train: train.images.shape.into(),
            test: test.images.shape.into(),
            train_file: train.images_file,
            test_file: test.images_file,
        });
    }
    let largest = train.max_label().max(test.max_label());
    let classes = (usize::from(largest) + 1).max(MIN_CLASSES);
    Ok(TrainTest { train: train.into_dataset(classes)?, test: test.into_dataset(classes)? })
}
