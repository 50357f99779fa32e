//! Folders of pictures, and the decoders of pictures (feature `pictures`).
//!
//! [`load_pictures`] makes a data set of a folder with a sub-folder for each class. Its way: the files are found ([`walk`]), classes
//! and sets follow from the names of folders ([`folders`], [`parts`]), sizes from headers ([`survey`]); then pictures are
//! decoded, fitted and written some at a time ([`fill`]) into a file from which they are mapped ([`cache`]).

mod cache;
mod decode;
mod decoded;
mod error;
mod fill;
mod folder;
mod folders;
mod format;
mod jpeg;
mod limits;
mod memory;
mod others;
mod parts;
mod png;
mod sets;
mod survey;
mod walk;

use std::path::Path;
#[cfg(feature = "cli")]
use std::path::PathBuf;

use super::error::DataError;
use super::picture::Picture;

#[cfg(feature = "cli")]
pub(crate) use decode::decode;
pub(crate) use decode::decode_file;
pub(crate) use decoded::Decoded;
pub use error::{PictureError, PictureFolderError};
pub use folder::{PictureFolder, PictureOptions, load_pictures};
pub(crate) use folders::empty_classes;
pub use sets::PictureSets;
#[cfg(feature = "cli")]
pub(crate) use survey::MOST_ASKED;
pub use survey::PictureSizes;
#[cfg(feature = "cli")]
pub(crate) use walk::is_picture;

/// Whether there is a file with the name of a picture in a folder or below it.
pub fn is_picture_folder(dir: &Path) -> bool {
    walk::holds_picture(dir)
}

/// The files with names of pictures in a folder and below it, sorted by path, and the folders that cannot be read, and why.
#[cfg(feature = "cli")]
pub(crate) fn pictures_below(dir: &Path) -> (Vec<PathBuf>, Vec<(PathBuf, String)>) {
    let walked = walk::walk(dir);
    (walked.pictures.into_iter().map(|found| found.path).collect(), walked.unread)
}

/// Reads a picture: a PNG, JPEG, WebP or BMP file, turned upright by its EXIF tag.
///
/// ```no_run
/// use shadegrad::data::read_picture;
///
/// // As pictures in folders are read, for a model that was trained on them.
/// let image = read_picture("cat.jpg".as_ref())?.fitted([64, 64, 3])?;
/// # Ok::<(), shadegrad::data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::PictureFile`] with what is wrong with the file.
pub fn read_picture(file: &Path) -> Result<Picture, DataError> {
    let refused = |cause| DataError::PictureFile { file: file.to_owned(), cause };
    let Decoded { pixels, .. } = decode_file(file).map_err(refused)?;
    let ([height, width], rgba) = pixels.into_rgba();
    Picture::new(height, width, rgba)
}
