//! Data sets: IDX files, the embedded MNIST, and numbers in memory.
//!
//! [`load_dir`] reads the four files of a data set, [`load_dir_with`] does so for files that need options, `mnist`
//! (with the feature `mnist-data`) returns the embedded data set, and [`idx`] reads single files; [`Dataset::new`] takes images
//! from anywhere else, and [`Dataset::from_parts`] numbers of other forms, with targets that need not be classes. Pixels stay
//! bytes here: they become f32 when a batch is gathered.
//! Every defect of a file is its own variant of [`IdxError`], every way in which files do not fit together one of
//! [`DataError`]. With the feature `pictures`, `load_pictures` reads a folder of pictures with a sub-folder for each class.
//! [`Picture`] turns pictures of any size into images for a model.

mod augmentation;
pub mod batches;
mod cifar;
mod class_names;
mod conform;
pub mod coverage;
mod csv;
mod dataset;
mod digest;
mod emnist;
mod error;
mod files;
mod fit;
mod folder;
pub mod folds;
mod form;
mod form_error;
pub mod idx;
mod load;
mod members;
#[cfg(feature = "mnist-data")]
mod mnist;
mod npy;
mod numbers;
mod picture;
#[cfg(feature = "pictures")]
mod pictures;
mod resample;
mod sample_names;
mod samples;
mod shape;
mod source;
mod split;
mod targets;
mod transpose;

pub use augmentation::{Augmentation, TRANSFORM, Transform};
pub(crate) use class_names::check_names;
#[cfg(feature = "cli")]
pub(crate) use csv::{CsvRows, Wanted};
pub use dataset::Dataset;
pub use digest::DataDigests;
pub(crate) use digest::sha256;
pub use emnist::EmnistSplit;
pub use error::{DataError, IdxError, Place};
pub use folder::{
    IdxFile, LoadOptions, TrainTest, load_dir, load_dir_with, load_set, load_set_with, load_test_with,
    sets_from_bytes, split_of,
};
pub use form::{DataForm, DataPart, Records};
pub use form_error::{Column, FormError};
pub use load::{DataKind, Loaded, kind_of, load, load_one, load_test};
#[cfg(feature = "mnist-data")]
pub use mnist::mnist;
#[cfg(feature = "cli")]
pub(crate) use npy::read_inputs;
pub use numbers::Numbers;
pub use picture::{Doubt, Drawing, Picture};
#[cfg(feature = "cli")]
pub(crate) use pictures::{Decoded, MOST_ASKED, decode, decode_file, is_picture, pictures_below};
#[cfg(feature = "pictures")]
pub use pictures::{
    PictureError, PictureFolder, PictureFolderError, PictureOptions, PictureSets, PictureSizes,
    is_picture_folder, load_pictures, read_picture,
};
pub(crate) use resample::{Plane, resample};
pub use samples::{SampleValue, Samples};
pub use shape::Shape;
pub use split::{is_litter, set_called, three_sets, three_ways};
pub use targets::{TargetKind, Targets};
pub use transpose::transpose;
