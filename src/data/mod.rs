//! Data sets: IDX files and the embedded MNIST, as bytes.
//!
//! [`load_dir`] reads the four files of a data set, `mnist` (with the feature `mnist-data`) those that the library
//! carries, [`idx`] a single file; [`Dataset::new`] takes images from anywhere else. Pixels and labels stay bytes
//! here: they become f32 when a batch is gathered. Every defect of a file is its own variant of [`IdxError`], every
//! way in which files do not fit together one of [`DataError`]. [`Picture`] turns pictures of any size into images for
//! a model.

mod augmentation;
pub mod batches;
mod dataset;
mod error;
pub mod folds;
pub mod idx;
#[cfg(feature = "mnist-data")]
mod mnist;
mod picture;
mod resample;
mod source;

pub use augmentation::{Augmentation, TRANSFORM, Transform};
pub(crate) use batches::pad_records;
pub use dataset::{Dataset, TrainTest, load_dir, load_set};
pub use error::{DataError, IdxError, Place};
#[cfg(feature = "mnist-data")]
pub use mnist::mnist;
pub use picture::Picture;
