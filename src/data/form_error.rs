//! What can be wrong with a CSV file, a NumPy array or a file of CIFAR.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::message::debug_is_message;

/// A defect of a file that is no IDX file.
#[derive(Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say what each field is")]
pub enum FormError {
    /// The operating system refused: no such file, no permission, a failing disk; or it is no file.
    #[error("{file}: expected a readable file, found: {cause}")]
    Io { file: PathBuf, cause: io::Error },

    /// The data look valid but do not fit into memory.
    #[error("{file}: expected room for {expected} bytes in memory, found none; use a smaller data set")]
    OutOfMemory { file: PathBuf, expected: u64 },

    /// A CSV file without a sample.
    #[error("{file}: expected lines of numbers, one for each sample, found {found}")]
    NoRows { file: PathBuf, found: &'static str },

    /// A file with cells, but with none between commas.
    #[error(
        "{file}: expected cells between commas, found one cell in line 1, {found:?}; write the file with commas between \
         its cells, and a point in its numbers"
    )]
    OneColumn { file: PathBuf, found: String },

    /// A line of more or fewer cells than the first.
    #[error("{file}: line {line}: expected {expected} cells, as in the first line, found {found}")]
    Cells { file: PathBuf, line: u64, expected: usize, found: usize },

    /// A cell that is no number, where one must be.
    #[error(
        "{file}: line {line}, column {column}: expected a number, found {found:?}; a model takes nothing but numbers: take the \
         column out, or write its words as numbers, each word as a column of 0 and 1"
    )]
    Text { file: PathBuf, line: u64, column: Column, found: String },

    /// A cell in which nothing stands.
    #[error(
        "{file}: line {line}, column {column}: expected a number, found {found:?}, a missing one; put a number there, such as \
         the mean of the column, or take the line out"
    )]
    Missing { file: PathBuf, line: u64, column: Column, found: String },

    /// A cell of a target in which nothing stands.
    #[error(
        "{file}: line {line}, column {column}: expected a target, found {found:?}, a missing one; write it there, or take the line out"
    )]
    MissingTarget { file: PathBuf, line: u64, column: Column, found: String },

    /// A number that f32 has not.
    #[error(
        "{file}: line {line}, column {column}: expected a finite number, at most {:e}, found {found:?}; write the column in other \
         units, or take the line out",
        f32::MAX
    )]
    Infinite { file: PathBuf, line: u64, column: Column, found: String },

    /// A column that is a target and is not there.
    #[error("{file}: expected a column `{found}`, found {}", columns.join(", "))]
    NoColumn { file: PathBuf, found: String, columns: Vec<String> },

    /// All columns are targets, or one is twice.
    #[error(
        "{file}: expected different columns as targets, and at least one more, found {found} of {columns}"
    )]
    Targets { file: PathBuf, found: String, columns: usize },

    /// Columns of a file are not those of the training set.
    #[error(
        "{file}: expected the columns of {train_file}, {expected}, found {found}; a test set needs the same columns, its \
         targets too: without targets take it out, and a part of the training set is held out in its place"
    )]
    OtherColumns { file: PathBuf, train_file: PathBuf, expected: String, found: String },

    /// A table that is no rows of a model.
    #[error(
        "{file}: expected {expected} columns, the features of the model, or these and its targets, found {found}"
    )]
    Features { file: PathBuf, expected: usize, found: usize },

    /// One word in all cells of the target.
    #[error("{file}: expected at least two classes, found nothing but {found:?} in the column of the target")]
    OneClass { file: PathBuf, found: String },

    /// A number that is no class, though the first class is said to be a number.
    #[error(
        "{file}: expected whole numbers from {first}, the label of the first class, in the column of the target, found {found:?}; \
         leave `first_label` out for a target of other numbers"
    )]
    LabelText { file: PathBuf, first: u32, found: String },

    /// A number that f32 has not, among targets.
    #[error(
        "{file}: expected finite numbers, at most {:e}, in the column of the target, found {found:?}; write it in other units",
        f32::MAX
    )]
    TargetText { file: PathBuf, found: String },

    /// A label that is no class.
    #[error("{file}: label {index}: expected a whole number from {first} to {last}, found {found}")]
    Label { file: PathBuf, index: usize, first: u32, last: u32, found: String },

    /// Bytes that are not whole records.
    #[error(
        "{file}: expected records of {size} bytes each, at least one, found {found} bytes; the file is incomplete or not the \
         binary form of {set}, fetch it again"
    )]
    Records { file: PathBuf, set: &'static str, size: usize, found: usize },

    /// There are more or fewer names than classes.
    #[error("{file}: expected {expected} lines with a name each, found {found}")]
    ClassNames { file: PathBuf, expected: usize, found: usize },

    /// The first bytes are not those of a NumPy array.
    #[error("{file}: expected a NumPy array (93 4e 55 4d 50 59), found {found}; save it with numpy.save")]
    NotNumPy { file: PathBuf, found: String },

    /// The header of a NumPy array cannot be read.
    #[error(
        "{file}: expected the header of a NumPy array, found {found}; save the array again with numpy.save"
    )]
    NumPyHeader { file: PathBuf, found: String },

    /// Columns lie before rows.
    #[error(
        "{file}: expected an array in C order, found Fortran order; save it with numpy.save(FILE, \
         numpy.ascontiguousarray(array))"
    )]
    FortranOrder { file: PathBuf },

    /// Elements of a type that is not read.
    #[error("{file}: expected elements of {expected}, found {found:?}; {advice}")]
    ElementType { file: PathBuf, expected: &'static str, found: String, advice: &'static str },

    /// Dimensions that are no samples.
    #[error("{file}: expected the shape {expected}, each number at least 1, found {found:?}")]
    Dimensions { file: PathBuf, expected: &'static str, found: Vec<u64> },

    /// The file is shorter or longer than its header says.
    #[error("{file}: expected {expected} bytes, as its header says, found {found}; save it again")]
    Length { file: PathBuf, expected: u64, found: u64 },

    /// A number that is infinite or none in f32.
    #[error("{file}: element {index}: expected a finite number, at most {:e}, found {found}", f32::MAX)]
    Number { file: PathBuf, index: usize, found: f64 },

    /// One array has bytes, the other f32; or one has classes, the other numbers.
    #[error("{file}: expected {expected}, as {train_file} has, found {found}; save both alike")]
    Unlike { file: PathBuf, train_file: PathBuf, expected: String, found: String },
}

debug_is_message!(FormError);

/// A column of a file: its number, counted from 1, and its name, if the file has names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Counted from 1.
    pub number: usize,
    /// In the first line.
    pub name: Option<String>,
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} ({name})", self.number),
            None => write!(f, "{}", self.number),
        }
    }
}

/// The most characters of a cell that a message shows.
const SHOWN: usize = 40;

/// The beginning of a text that may be of any length.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
