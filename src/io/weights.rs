//! Weight files: safetensors with the names and layouts of Keras.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{header, sha256};
use crate::model::{ModelError, Network, WeightTensor, Weights, thousands};

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
        source: io::Error,
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

/// The one metadata key: the safetensors crate keeps metadata in an unordered map, so two keys would make equal
/// weights give unequal files.
const METADATA_KEY: &str = "shadegrad";

/// Under that key: SHA-256 of names and values. Files of other programs have none.
const CHECKSUM: &str = "values_sha256";
/// A file may have this much beside the weights: names, shapes, metadata.
const MOST_HEADER: usize = 16 << 20;

/// Reads the weights of a network, of this program or of any other that writes F32 under the names and layouts of Keras.
///
/// # Errors
/// When the file is missing or damaged (a header that does not describe the file, a name that is there twice, tensors
/// that overlap, values that are not finite or not those written), or its tensors are not exactly those of the network.
pub fn read_weights(path: &Path, network: &Network) -> Result<Weights, WeightFileError> {
    let file = path.display().to_string();
    let format = |reason: String| WeightFileError::Format { file: file.clone(), reason };
    let bytes = read_bounded(path, network, &file)?;
    header::check(&bytes).map_err(format)?;
    let damaged = |error: safetensors::SafeTensorError| format(error.to_string());
    let (_, about) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let parsed = SafeTensors::deserialize(&bytes).map_err(damaged)?;
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
    let mismatch = |problem| WeightFileError::Mismatch { file: file.clone(), problem };
    let weights = Weights::new(network, tensors).map_err(mismatch)?;
    let written = about.metadata().as_ref().and_then(|metadata| metadata.get(METADATA_KEY));
    match written.map(|json| serde_json::from_str::<BTreeMap<String, serde_json::Value>>(json)) {
        Some(Err(error)) => Err(format(format!("its metadata are not JSON: {error}"))),
        Some(Ok(about)) if about.get(CHECKSUM).is_some_and(|sum| *sum != checksum(&weights)) => {
            Err(WeightFileError::Checksum { file })
        }
        _ => Ok(weights),
    }
}

/// The whole file, unless it is far larger than the weights of this network can be.
fn read_bounded(path: &Path, network: &Network, file: &str) -> Result<Vec<u8>, WeightFileError> {
    let most = network.parameter_count().saturating_mul(size_of::<f32>()).saturating_add(MOST_HEADER) as u64;
    let mut bytes = Vec::new();
    let opened = File::open(path);
    let read = opened.and_then(|opened| opened.take(most.saturating_add(1)).read_to_end(&mut bytes));
    read.map_err(|source| WeightFileError::Read { file: file.to_owned(), source })?;
    if bytes.len() as u64 > most {
        let weights = thousands(network.parameter_count());
        let reason = format!("it is too large for the {weights} weights of model `{}`", network.name);
        return Err(WeightFileError::Format { file: file.to_owned(), reason });
    }
    Ok(bytes)
}

fn checksum(weights: &Weights) -> String {
    let mut bytes = Vec::new();
    for tensor in weights.tensors() {
        bytes.extend(tensor.name.as_bytes());
        bytes.extend_from_slice(bytemuck::cast_slice(&tensor.values));
    }
    sha256(&bytes)
}

/// The bytes of a weight file; equal weights and metadata give equal bytes. `metadata` is stored under one key as JSON
/// with sorted keys, and with it a checksum of the values.
///
/// # Errors
/// When the tensors cannot be laid out, which a model's cannot cause.
pub fn weights_to_bytes(
    weights: &Weights,
    metadata: &BTreeMap<String, serde_json::Value>,
) -> Result<Vec<u8>, WeightFileError> {
    let fail = |reason: String| WeightFileError::Write { reason };
    let mut views = Vec::new();
    for tensor in weights.tensors() {
        let data = bytemuck::cast_slice(&tensor.values);
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), data)
            .map_err(|error| fail(error.to_string()))?;
        views.push((tensor.name.as_str(), view));
    }
    let mut metadata = metadata.clone();
    metadata.insert(CHECKSUM.to_owned(), checksum(weights).into());
    let json = serde_json::to_string(&metadata).map_err(|error| fail(error.to_string()))?;
    let header = [(METADATA_KEY.to_owned(), json)].into_iter().collect();
    safetensors::serialize(views, Some(header)).map_err(|error| fail(error.to_string()))
}
