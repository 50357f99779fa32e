//! Weight files: safetensors with the names and layouts of Keras.

use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::model::{ModelError, Network, WeightTensor, Weights};

/// What is wrong with a weight file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightFileError {
    /// It cannot be read.
    #[error("weight file `{file}` cannot be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a safetensors file.
    #[error(
        "weight file `{file}` is not a whole safetensors file: {reason}; it may be truncated or of another kind"
    )]
    Format {
        /// The file.
        file: String,
        /// What the reader said.
        reason: String,
    },
    /// A tensor is not made of 32-bit floats.
    #[error(
        "weight file `{file}`: tensor `{tensor}` is of type {found}, but only F32 is read; convert it first"
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
    /// The tensors cannot be laid out as a file.
    #[error("weights cannot be written as safetensors: {reason}")]
    Write {
        /// What the writer said.
        reason: String,
    },
}

/// The one metadata key: the safetensors crate keeps metadata in an unordered map, so two keys would make equal
/// weights give unequal files.
const METADATA_KEY: &str = "shadegrad";

/// Reads the weights of a network.
///
/// # Errors
/// When the file is missing, damaged, or its tensors are not exactly those of the network.
pub fn read_weights(path: &Path, network: &Network) -> Result<Weights, WeightFileError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| WeightFileError::Read { file: file.clone(), source })?;
    let parsed = SafeTensors::deserialize(&bytes)
        .map_err(|error| WeightFileError::Format { file: file.clone(), reason: error.to_string() })?;
    let mut tensors = Vec::new();
    for (name, view) in parsed.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(WeightFileError::ElementType {
                file,
                tensor: name,
                found: format!("{:?}", view.dtype()),
            });
        }
        tensors.push(WeightTensor {
            name,
            shape: view.shape().to_vec(),
            values: bytemuck::pod_collect_to_vec(view.data()),
        });
    }
    Weights::new(network, tensors).map_err(|problem| WeightFileError::Mismatch { file, problem })
}

/// The bytes of a weight file; equal weights and metadata give equal bytes. `metadata` is stored under one key as JSON
/// with sorted keys.
///
/// # Errors
/// When the tensors cannot be laid out, which a model's cannot cause.
pub fn weights_to_bytes(
    weights: &Weights,
    metadata: &std::collections::BTreeMap<String, serde_json::Value>,
) -> Result<Vec<u8>, WeightFileError> {
    let fail = |reason: String| WeightFileError::Write { reason };
    let mut views = Vec::new();
    for tensor in weights.tensors() {
        let data = bytemuck::cast_slice(&tensor.values);
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), data)
            .map_err(|error| fail(error.to_string()))?;
        views.push((tensor.name.as_str(), view));
    }
    let json = serde_json::to_string(metadata).map_err(|error| fail(error.to_string()))?;
    let header = [(METADATA_KEY.to_owned(), json)].into_iter().collect();
    safetensors::serialize(views, Some(header)).map_err(|error| fail(error.to_string()))
}
