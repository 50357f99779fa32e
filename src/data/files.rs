//! The files of a data set in a folder, by their names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{DataError, IdxError};

/// Names of an image file and of its label file, without the `.gz` they may carry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileNames {
    pub(super) images: &'static str,
    pub(super) labels: &'static str,
}

/// The names of MNIST and of data sets modelled on it.
pub(super) const TRAIN: FileNames =
    FileNames { images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte" };
pub(super) const TEST: FileNames =
    FileNames { images: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte" };

impl FileNames {
    /// Whether either file is in the folder.
    pub(super) fn any_in(&self, dir: &Path) -> bool {
        [self.images, self.labels].iter().any(|name| !candidates(dir, name).is_empty())
    }
}

/// How a file may be called, the preferred name first: a dot may stand before `idx`, and `.gz` may follow. Images of several
/// channels have four dimensions, and may say so.
fn spellings(name: &str) -> Vec<String> {
    let of_name = |name: &str| {
        let dotted = name.replace("-idx", ".idx");
        [name.to_owned(), dotted.clone(), format!("{name}.gz"), format!("{dotted}.gz")]
    };
    let coloured = name.contains("-idx3").then(|| of_name(&name.replace("-idx3", "-idx4")));
    of_name(name).into_iter().chain(coloured.into_iter().flatten()).collect()
}

/// The folder beside others that a file of this name may be in: as pictures, MNIST's files may be kept apart by set.
fn folder_of(name: &str) -> Option<&'static str> {
    let sets = [(TRAIN, "train"), (TEST, "test")];
    sets.into_iter().find(|(names, _)| [names.images, names.labels].contains(&name)).map(|(_, folder)| folder)
}

/// The files that are there under one of the spellings of `name`, in the folder or in that of their set within it.
fn candidates(dir: &Path, name: &str) -> Vec<PathBuf> {
    let may_be_read = |path: &PathBuf| match fs::metadata(path) {
        // A widespread archive of MNIST has folders of these names beside the files.
        Ok(found) => !found.is_dir(),
        // Other errors are reported when the file is read.
        Err(cause) => !matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    };
    // One that cannot be entered may hold anything: it tells nothing of what is in it.
    let may_be_entered = |folder: &PathBuf| fs::read_dir(folder).is_ok();
    let of_set = folder_of(name).map(|folder| dir.join(folder)).filter(may_be_entered);
    let folders = [Some(dir.to_owned()), of_set];
    let in_folder = |dir: PathBuf| spellings(name).into_iter().map(move |name| dir.join(name));
    folders.into_iter().flatten().flat_map(in_folder).filter(may_be_read).collect()
}

/// Refuses a folder without a file of this name.
pub(super) fn check_there(dir: &Path, name: &str) -> Result<(), DataError> {
    if candidates(dir, name).is_empty() {
        return Err(DataError::MissingFile { dir: dir.to_owned(), tried: spellings(name) });
    }
    Ok(())
}

/// Reads the file of this name. Where there are several, plain and compressed, the first intact one is read, with a
/// warning about the damaged ones before it.
///
/// Errors: [`DataError::MissingFile`]; the defect of the preferred file where none is intact.
pub(super) fn read<T>(
    dir: &Path,
    name: &str,
    read: impl Fn(&Path) -> Result<T, IdxError>,
) -> Result<(PathBuf, T), DataError> {
    check_there(dir, name)?;
    let mut preferred = None;
    for file in candidates(dir, name) {
        match read(&file) {
            Ok(content) => {
                if let Some(defect) = preferred {
                    log::warn!("{defect}; {} is read in its place", file.display());
                }
                return Ok((file, content));
            }
            // The same data in another file would not fit either.
            Err(error @ IdxError::OutOfMemory { .. }) => return Err(error.into()),
            Err(error) => {
                preferred.get_or_insert(error);
            }
        }
    }
    let gone = || IdxError::Io { file: dir.join(name), cause: io::ErrorKind::NotFound.into() };
    Err(preferred.unwrap_or_else(gone).into())
}
