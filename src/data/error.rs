//! What can be wrong with a data file or a data set.
//!
//! A message stands alone: it names the file and the byte, what was expected and what was found, and, where that is
//! not obvious, what to do. The cause of an I/O error is therefore part of the message and is not returned again by
//! [`std::error::Error::source`].

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::form_error::FormError;
#[cfg(feature = "pictures")]
use super::pictures::{PictureError, PictureFolderError};
use super::shape::Shape;
use crate::message::debug_is_message;
use crate::numbers::shown;

/// A position in a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or the display name of bytes in memory.
    pub file: PathBuf,
    /// Bytes from the beginning.
    pub offset: u64,
    /// True when `offset` counts the bytes inside a gzip stream, after decompression.
    pub unpacked: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = if self.unpacked { " of the uncompressed data" } else { "" };
        write!(f, "{}: byte {}{of}", self.file.display(), self.offset)
    }
}

/// A defect of an IDX file.
#[derive(Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say what each field is")]
pub enum IdxError {
    /// The operating system refused: no such file, no permission, a failing disk.
    #[error("{file}: expected a readable file, found: {cause}")]
    Io { file: PathBuf, cause: io::Error },

    /// A folder, a pipe or a device.
    #[error("{file}: expected a file, found {found}")]
    NotAFile { file: PathBuf, found: &'static str },

    /// The first two bytes belong neither to IDX nor to gzip.
    #[error(
        "{at}: expected 00 00 (IDX) or 1f 8b (gzip), found {}{}",
        hex(found),
        described(looks_like(found))
    )]
    NotIdx { at: Place, found: Vec<u8> },

    /// The numbers of the header have their bytes in the wrong order. `says` is the evidence.
    #[error(
        "{at}: expected big-endian numbers, found {says}: the file was written with its bytes swapped; \
         write the numbers of the header again with their most significant byte first (in Python: struct.pack('>I', n)), \
         the elements stay as they are"
    )]
    ByteOrder { at: Place, says: String },

    /// The element type is not unsigned bytes.
    #[error("{at}: expected element type 0x08 (u8), found {found:#04x}{}; convert the data to bytes", described(type_name(*found)))]
    ElementType { at: Place, found: u8 },

    /// Images have three dimensions, labels one.
    #[error("{at}: expected {expected} dimension(s), found {found}{}", described(dimensions_hint(*expected, *found)))]
    Dimensions { at: Place, expected: u8, found: u8 },

    /// A dimension is zero, so the file holds no data.
    #[error("{at}: expected at least 1 for the number of {axis}, found 0")]
    ZeroDimension { at: Place, axis: &'static str },

    /// The product of the dimensions cannot be addressed on this machine.
    #[error(
        "{at}: expected dimensions whose product is at most {}, found {found:?}; the header is damaged",
        isize::MAX
    )]
    SizeOverflow { at: Place, found: Vec<u32> },

    /// The header of a compressed file announces more bytes than its compressed bytes could hold.
    #[error(
        "{at}: expected dimensions that announce at most {expected} bytes, the most that gzip can pack into a file of \
         this size, found {found} bytes announced; the file is damaged or made to exhaust memory"
    )]
    Implausible { at: Place, expected: u64, found: u64 },

    /// The data end before the header, or what the header announces, is complete.
    #[error(
        "{at}: expected at least {expected} bytes, found the end after {found}; the file is incomplete, fetch it again"
    )]
    Truncated { at: Place, expected: u64, found: u64 },

    /// Data follow after what the header announces. In a gzip stream `found` stops counting at the first such byte.
    #[error("{at}: expected the end after the {expected} bytes that the header announces, found {}{found} bytes", if at.unpacked { "at least " } else { "" })]
    TrailingBytes { at: Place, expected: u64, found: u64 },

    /// The gzip stream does not decompress, or its checksum does not match. `at` is where this was noticed.
    #[error("{at}: expected an intact gzip stream, found: {cause}; fetch the file again")]
    CorruptGzip { at: Place, cause: io::Error },

    /// The file ends inside the gzip stream.
    #[error(
        "{at}: expected the rest of the gzip stream, found the end of the file; it is incomplete, fetch it again"
    )]
    TruncatedGzip { at: Place },

    /// After the last gzip member come bytes that are neither a member nor zero padding.
    #[error(
        "{at}: expected the end of the file after the gzip stream, or a further gzip member, found {found} more byte(s); \
         fetch the file again, or have `gzip` decompress it, which ignores them"
    )]
    GzipTrailingBytes { at: Place, found: u64 },

    /// The data look valid but do not fit into memory.
    #[error("{file}: expected room for {expected} bytes in memory, found none; use a smaller data set")]
    OutOfMemory { file: PathBuf, expected: u64 },
}

debug_is_message!(IdxError);

/// What is looked for in a folder.
const LOOKED_FOR: &str = "IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, \
    t10k-labels-idx1-ubyte, or those of EMNIST), CIFAR in binary form (data_batch_1.bin, or train.bin), arrays of NumPy \
    (x_train.npy, y_train.npy), tables (train.csv), or pictures in a sub-folder for each class (.png, .jpg, .webp, .bmp)";

/// A defect of a data set: its files, or how they fit together.
#[derive(Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say what each field is")]
pub enum DataError {
    /// One of the files cannot be read.
    #[error(transparent)]
    Idx(#[from] IdxError),

    /// One of the files, of another form than IDX, cannot be read.
    #[error(transparent)]
    Form(#[from] FormError),

    /// There are no files of a form that is read.
    #[error(
        "{path}: expected {}, found {}",
        if *is_file { "a folder, or a file with a name that ends with .csv" } else { LOOKED_FOR },
        if *is_file { "another file" } else { "none of them" }
    )]
    NoKind { path: PathBuf, is_file: bool },

    /// There is nothing in the folder.
    #[error(
        "{dir}: the folder is empty; it is to hold the files of a data set, or a sub-folder of pictures for each class"
    )]
    EmptyFolder { dir: PathBuf },

    /// The folder of a data set cannot be read.
    #[error("{dir}: expected a folder with the files of a data set, found: {cause}")]
    Folder { dir: PathBuf, cause: io::Error },

    /// The folder exists, one of the four files does not.
    #[error("{dir}: expected one of the files {}, found none of them", tried.join(", "))]
    MissingFile { dir: PathBuf, tried: Vec<String> },

    /// The folder holds several splits of EMNIST and nothing says which one to read.
    #[error(
        "{dir}: expected the files of one data set, found those of {}; name one, such as {}",
        found.join(", "),
        dir.join(found.first().map_or("", String::as_str)).display()
    )]
    SeveralSets { dir: PathBuf, found: Vec<String> },

    /// A label below that of the first class. `index` is that of the first such label.
    #[error(
        "{file}: label {index}: expected at least {first_label}, the label of the first class, found {label}; \
         set `first_label` to the smallest label there is"
    )]
    LabelBelowFirst { file: PathBuf, index: usize, label: u8, first_label: u8 },

    /// An image file and its label file are of different length.
    #[error("{labels_file}: expected {images} labels, one for each image of {images_file}, found {labels}")]
    LabelCount { images_file: PathBuf, labels_file: PathBuf, images: usize, labels: usize },

    /// The training and the test samples differ in shape.
    #[error(
        "{test_file}: expected {} {train}{} of {train_file}, found {test}",
        if train.image().is_some() { "images of the shape" } else { "samples of the shape" },
        if train.image().is_some() { " [h, w, c]" } else { "" }
    )]
    ShapeMismatch { train_file: PathBuf, test_file: PathBuf, train: Shape, test: Shape },

    /// A shape with a zero, or with a product that cannot be addressed.
    #[error(
        "expected a sample's shape, such as [h, w, c] of an image, of positive numbers with a product of at most {}, found {found}",
        isize::MAX
    )]
    Shape { found: Shape },

    /// No targets, hence no samples.
    #[error("expected at least 1 sample, found 0")]
    Empty,

    /// The inputs are not those of one sample for each target.
    #[error("expected {targets} samples of shape {shape}, one for each target, found {found} numbers")]
    SampleLength { targets: usize, shape: Shape, found: usize },

    /// A number of an input that is infinite or none. `place` counts the numbers of the sample.
    #[error("sample {index}: expected finite numbers, found {value} as number {place} of the sample")]
    Sample { index: usize, place: usize, value: f32 },

    /// No classes to tell apart, or targets of no numbers, or too many.
    #[error("expected from 1 to {limit} classes, or numbers of a target, found {found}")]
    Classes { found: usize, limit: usize },

    /// A label that is not a class. `index` is that of the first such label.
    #[error("label {index}: expected a class below {classes}, found {label}")]
    LabelOutOfRange { index: usize, label: u32, classes: usize },

    /// A number of a target that its kind does not allow.
    #[error("target {index}: expected {expected}, found {} in column {column}", shown(*value))]
    Target { index: usize, column: usize, value: f32, expected: &'static str },

    /// There are more or fewer weights than samples.
    #[error("expected {samples} sample weights, one for each sample, found {found}")]
    WeightCount { samples: usize, found: usize },

    /// A weight that is negative, infinite or no number.
    #[error("sample weight {index}: expected a finite number, at least 0, found {}", shown(*weight))]
    Weight { index: usize, weight: f32 },

    /// A row of another length than those beside it.
    #[error("row {index}: expected {expected} numbers, found {found}")]
    Row { index: usize, expected: usize, found: usize },

    /// A label that is no whole number from 0 to 4,294,967,295.
    #[error("label {index}: expected a whole number from 0 to 4294967295, found another number")]
    Label { index: usize },

    /// A name that is none.
    #[error("{problem}")]
    Name { problem: String },

    /// There are more or fewer names than classes.
    #[error("expected {expected} names, one for each class, label or output, found {found}")]
    Names { expected: usize, found: usize },

    /// There are more or fewer names of samples than samples.
    #[error("expected {samples} names of samples, one for each sample, found {found}")]
    SampleNames { samples: usize, found: usize },

    /// There are more or fewer names than numbers of a sample, or samples are no rows. `shape` is that of a sample.
    #[error(
        "expected samples that are rows of {found} numbers, one for each of the {found} feature names, found samples \
         of the shape {shape}"
    )]
    FeatureNames { shape: Shape, found: usize },

    /// Numbers of a sample that a model knows by name and that are not there.
    #[error("expected the features {}, found {}", missing.join(", "), found.join(", "))]
    MissingFeatures { missing: Vec<String>, found: Vec<String> },

    /// A defect of what is in a file.
    #[error("{file}: {cause}")]
    InFile { file: PathBuf, cause: Box<DataError> },

    /// Samples in a file that a model does not take.
    #[error("{file}: expected samples of the shape {expected}, which the model takes, found {found}")]
    Inputs { file: PathBuf, expected: Shape, found: Shape },

    /// Fewer than two folds, or more than there are images.
    #[error("expected from 2 folds to one for each of {samples} images, found {folds}")]
    Folds { folds: usize, samples: usize },

    /// The numbers of the targets are not whole rows.
    #[error("expected rows of {columns} numbers each as targets, found {found} numbers")]
    TargetLength { columns: usize, found: usize },

    /// A row that does not hold one 1 among zeros. `index` is that of the first such row.
    #[error("one-hot row {index}: expected one 1 and else only 0, found other numbers")]
    OneHot { index: usize },

    /// A part of a data set that is empty or goes beyond its end.
    #[error("expected a range of samples that is not empty and within 0..{len}, found {start}..{end}")]
    Range { start: usize, end: usize, len: usize },

    /// There is no file for a part of a mapped set. `dir` is where it was to be.
    #[error(
        "{dir}: expected room for a file of {bytes} bytes, a part of the data set, found: {cause}; name another folder by the \
         environment variable TMPDIR"
    )]
    Copy { dir: PathBuf, bytes: usize, cause: io::Error },

    /// The bytes of a picture are not red, green, blue and alpha of each pixel, or there is no pixel.
    #[error("expected a picture of {height} x {width} pixels of 4 bytes, at least one, found {found} bytes")]
    Picture { height: usize, width: usize, found: usize },

    /// A picture of one colour: there is nothing to recognise.
    #[error("expected a drawing, found a picture in which nothing stands out from the background")]
    BlankPicture,

    /// The model's images have channels that pictures do not have.
    #[error(
        "expected images of 1 channel (grey) or, for whole pictures, of 3 (red, green, blue), found the shape {shape:?} [h, w, c]"
    )]
    PictureChannels { shape: [usize; 3] },

    /// A set without a test set has too few samples to be split.
    #[error(
        "expected at least {expected} samples, to split them into training, validation and test set, found {found}; give the \
         test set files of its own"
    )]
    TooFewToSplit { found: usize, expected: usize },

    /// A class whose name is not among those that are known.
    #[error("class {found:?} is not one of {}", known.join(", "))]
    UnknownClass { found: String, known: Vec<String> },

    /// There are more or fewer labels than samples to be split.
    #[error("expected {samples} labels, one for each sample to be split, found {found}")]
    SplitLabels { samples: usize, found: usize },

    /// A folder of pictures that is no data set.
    #[cfg(feature = "pictures")]
    #[error(transparent)]
    Pictures(#[from] PictureFolderError),

    /// A picture that cannot be read.
    #[cfg(feature = "pictures")]
    #[error("{file}: {cause}")]
    PictureFile { file: PathBuf, cause: PictureError },
}

debug_is_message!(DataError);

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

/// ` (text)`, or nothing.
fn described(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

/// What is most often mistaken for an IDX file, recognised by its first bytes.
fn looks_like(first: &[u8]) -> &'static str {
    const SIGNATURES: [(&[u8], &str); 11] = [
        (b"<", "a web page? the download may have failed"),
        (b"{", "JSON? the download may have failed"),
        (b"vers", "a Git LFS pointer? run `git lfs pull`"),
        (b"\x89PNG", "a PNG image; IDX holds a whole data set in one file"),
        (b"\xff\xd8\xff", "a JPEG image; IDX holds a whole data set in one file"),
        (b"\x1f\x8b", "gzip inside gzip; decompress it once"),
        (b"PK", "a zip archive; unpack it"),
        (b"BZh", "bzip2; decompress it"),
        (b"\xfd7zX", "xz; decompress it"),
        (b"\x28\xb5\x2f\xfd", "zstd; decompress it"),
        (b"\x93NUM", "a NumPy array; write it as IDX"),
    ];
    SIGNATURES.iter().find(|(signature, _)| first.starts_with(signature)).map_or("", |(_, text)| text)
}

/// The element types that the IDX format knows.
fn type_name(code: u8) -> &'static str {
    match code {
        0x09 => "i8",
        0x0b => "i16",
        0x0c => "i32",
        0x0d => "f32",
        0x0e => "f64",
        _ => "",
    }
}

fn dimensions_hint(expected: u8, found: u8) -> &'static str {
    match (expected, found) {
        (3, 1) => "a label file in place of an image file?",
        (1, 3) => "an image file in place of a label file?",
        (3, _) => "images have three, or four with channels",
        _ => "",
    }
}
