//! What can be wrong with a picture, and with a folder of them.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::message::debug_is_message;

/// Why a picture cannot be read. The message does not name the picture: the name goes before it, `a.png: is empty`.
#[derive(Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say what each field is")]
pub enum PictureError {
    /// The operating system refused: no such file, no permission, a failing disk.
    #[error("cannot be read: {cause}")]
    Io { cause: io::Error },

    /// A folder, a pipe or a device.
    #[error("is {found}; give a PNG, JPEG, WebP or BMP file, a folder of them, or `-` for standard input")]
    NotAFile { found: &'static str },

    /// A known format that is not read.
    #[error("is {what}; convert it to PNG or JPEG first")]
    OtherFormat { what: &'static str },

    /// No bytes.
    #[error("is empty; give a PNG, JPEG, WebP or BMP file")]
    Empty,

    /// No known format.
    #[error("is neither PNG nor JPEG, WebP or BMP; convert it first")]
    Unknown,

    /// What its format does not allow, or an early end.
    #[error("is damaged or incomplete: {problem}")]
    Damaged { problem: String },

    /// A side that is too long.
    #[error(
        "{width} x {height} pixels: a side of more than {most}; cut out the part that is meant, or make the picture \
         smaller"
    )]
    Side { height: u64, width: u64, most: u64 },

    /// Too many pixels.
    #[error("{width} x {height} pixels are more than {most}; make the picture smaller")]
    Pixels { height: u64, width: u64, most: u64 },

    /// No memory for its pixels.
    #[error("there is no memory for its {bytes} bytes")]
    Memory { bytes: u64 },

    /// Decoding takes more memory than its size allows.
    #[error(
        "takes {} MiB to decode, and {pixels} pixels may take {}{} make the picture smaller",
        bytes >> 20,
        most >> 20,
        if *several_scans { " in several scans (progressive); save it in one, or" } else { ";" }
    )]
    Costly { bytes: u64, pixels: u64, most: u64, several_scans: bool },

    /// So many passes over the picture take too long.
    #[error("has more than {most} scans (progressive); save it again")]
    Scans { most: usize },

    /// Much beside the pixels.
    #[error("has chunks of more than {mebibytes} MiB beside its pixels; save it without metadata")]
    Chunks { mebibytes: usize },
}

debug_is_message!(PictureError);

impl PictureError {
    /// Something in its bytes is wrong.
    pub(super) fn damaged(problem: impl std::fmt::Display) -> Self {
        PictureError::Damaged { problem: problem.to_string() }
    }
}

impl From<io::Error> for PictureError {
    /// An error of reading, or of what was read.
    fn from(cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => PictureError::damaged(cause),
            _ => PictureError::Io { cause },
        }
    }
}

/// Why a folder of pictures is no data set.
#[derive(Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say what each field is")]
pub enum PictureFolderError {
    /// The folder cannot be read.
    #[error("{}: expected a folder with a sub-folder of pictures for each class, found: {cause}", dir.display())]
    Folder { dir: PathBuf, cause: io::Error },

    /// Nothing there is a picture.
    #[error(
        "{}: expected pictures in a sub-folder for each class, with names that end with .png, .jpg, .jpeg, .webp or .bmp, \
         found none{passed_over}",
        dir.display()
    )]
    NoPictures { dir: PathBuf, passed_over: String },

    /// Folders as of classes, without pictures.
    #[error(
        "{}: {} {} there, but {} no pictures (.png, .jpg, .webp, .bmp){others}",
        dir.display(),
        folders.join(", "),
        if folders.len() == 1 { "is" } else { "are" },
        if folders.len() == 1 { "holds" } else { "hold" }
    )]
    EmptyClasses { dir: PathBuf, folders: Vec<String>, others: String },

    /// Pictures, but no folders of classes.
    #[error(
        "{}: expected a sub-folder for each class, found {loose} picture(s) in the folder itself; put those of each class \
         into a folder with its name",
        dir.display()
    )]
    NoClasses { dir: PathBuf, loose: usize },

    /// Nothing to tell apart.
    #[error(
        "{}: expected a sub-folder of pictures for each of at least 2 classes, found only {class:?}; give the folder that \
         holds the folders of the classes{besides}",
        dir.display()
    )]
    OneClass { dir: PathBuf, class: String, besides: String },

    /// Folders of sets and folders of classes side by side.
    #[error(
        "{}: expected folders of classes, or the folders of sets {}, found both: {} beside them; move one or the other away",
        dir.display(),
        sets.join(", "),
        others.join(", ")
    )]
    Mixed { dir: PathBuf, sets: Vec<String>, others: Vec<String> },

    /// Two folders for one set.
    #[error("{}: expected one folder for each set, found {} and {}; move one away", dir.display(), two[0], two[1])]
    TwoOfASet { dir: PathBuf, two: [String; 2] },

    /// No training set.
    #[error("{}: expected a folder train/ beside {}, found none", dir.display(), sets.join(", "))]
    NoTrain { dir: PathBuf, sets: Vec<String> },

    /// Every picture of a class is broken.
    #[error(
        "{}: expected pictures of class {class:?} that can be read, found {broken} that cannot: {first}",
        dir.display()
    )]
    BrokenClass { dir: PathBuf, class: String, broken: usize, first: String },

    /// A set without a picture that can be read.
    #[error("{}: expected pictures for the {set} set, found none that can be read: {why}", dir.display())]
    EmptySet { dir: PathBuf, set: &'static str, why: String },

    /// No such size.
    #[error("expected a size of pictures from 1 x 1 to {most} x {most}, found {} x {} (height x width)", found[0], found[1])]
    Size { found: [usize; 2], most: usize },

    /// Pictures have one or three channels.
    #[error("expected 1 channel (grey) or 3 (red, green, blue) of pictures, found {found}")]
    Channels { found: usize },

    /// Without a cache the pixels must fit into memory.
    #[error(
        "expected room for {bytes} bytes of {pictures} pictures in memory, found {available}; make the pictures smaller (`size`), \
         or let them be kept in a cache folder with enough room (`cache`)"
    )]
    OutOfMemory { bytes: u64, pictures: usize, available: String },

    /// What was kept of decoded pictures cannot be read again.
    #[error(
        "decoded pictures cannot be read from the cache folder again: {cause}; name another one (`cache`)"
    )]
    Cache { cause: io::Error },
}

debug_is_message!(PictureFolderError);
