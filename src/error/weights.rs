//! What can be wrong with a weight file.

use std::io;

use crate::message::debug_is_message;
use crate::model::ModelError;

/// What is wrong with a weight file.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum WeightFileError {
    /// It cannot be read.
    #[error("weight file `{file}` cannot be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// It is not a safetensors file.
    #[error(
        "weight file `{file}` is not a complete safetensors file: {reason}; it may be truncated or of another kind"
    )]
    Format {
        /// The file.
        file: String,
        /// What the reader said.
        reason: String,
    },
    /// A tensor has elements that are not 32-bit floats and do not become such without loss.
    #[error(
        "weight file `{file}`: tensor `{tensor}` is of type {found}, but only F32, F16 and BF16 are read; \
         convert it to F32 first"
    )]
    ElementType {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// Its type.
        found: String,
    },
    /// The tensors are not those of the model.
    #[error("weight file `{file}`: {problem}")]
    Mismatch {
        /// The file.
        file: String,
        /// Which tensor, what was expected and what was found.
        problem: ModelError,
    },
    /// The values are not those that were written.
    #[error(
        "weight file `{file}` is damaged: its values do not have the checksum that was written with them"
    )]
    Checksum {
        /// The file.
        file: String,
    },
    /// The tensors cannot be laid out as a file.
    #[error("weights cannot be written as safetensors: {reason}")]
    Write {
        /// What the writer said.
        reason: String,
    },
}

debug_is_message!(WeightFileError);
