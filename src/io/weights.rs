//! Weight files: safetensors with the names and layouts of Keras.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::element::Element;
use super::{header, sha256};
use crate::error::WeightFileError;
use crate::files;
use crate::model::{Network, WeightTensor, Weights, thousands};

/// The one metadata key: the safetensors crate keeps metadata in an unordered map, so two keys would make equal
/// weights give unequal files.
pub(super) const METADATA_KEY: &str = "shadegrad";

/// Under that key: SHA-256 of names and values. Files of other programs have none.
const CHECKSUM: &str = "values_sha256";
/// A file may have this much beside the weights: names, shapes, metadata.
pub(super) const MOST_HEADER: usize = 16 << 20;

/// Reads the weights of a network, written by this program or by any other that uses the names and layouts of Keras.
///
/// F32 is read as it is; F16 and BF16, tensor by tensor, are widened to F32, which holds all their values. F64 and
/// integers are refused: how to narrow or scale them is up to whoever wrote them.
///
/// # Errors
/// When the file is missing or damaged (a header that does not describe the file, a duplicate name, tensors that
/// overlap, values that are not finite or not those written), or its tensors are not exactly those of the network.
pub fn read_weights(path: &Path, network: &Network) -> Result<Weights, WeightFileError> {
    let file = path.display().to_string();
    let bytes = read_bounded(path, network, &file)?;
    weights_from_bytes(&file, &bytes, network)
}

/// The weights in the bytes of such a file; errors name it `file`.
///
/// # Errors
/// As [`read_weights`], but for what is read from the disk.
pub fn weights_from_bytes(file: &str, bytes: &[u8], network: &Network) -> Result<Weights, WeightFileError> {
    let file = file.to_owned();
    let format = |reason: String| WeightFileError::Format { file: file.clone(), reason };
    header::check(bytes).map_err(format)?;
    let damaged = |error: safetensors::SafeTensorError| format(error.to_string());
    let (_, about) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let parsed = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let mut tensors = Vec::new();
    // Another program may have narrowed a file of ours and kept its metadata.
    let mut as_written = true;
    for (name, view) in parsed.tensors() {
        as_written &= view.dtype() == Dtype::F32;
        let Some(values) = widened(&view) else {
            return Err(WeightFileError::ElementType {
                file,
                tensor: name,
                found: format!("{:?}", view.dtype()),
            });
        };
        tensors.push(WeightTensor { name, shape: view.shape().to_vec(), values });
    }
    let mismatch = |problem| WeightFileError::Mismatch { file: file.clone(), problem };
    let weights = Weights::new(network, tensors).map_err(mismatch)?;
    let written = about.metadata().as_ref().and_then(|metadata| metadata.get(METADATA_KEY));
    match written.map(|json| serde_json::from_str::<BTreeMap<String, serde_json::Value>>(json)) {
        Some(Err(error)) => Err(format(format!("its metadata is not JSON: {error}"))),
        Some(Ok(about))
            if as_written && about.get(CHECKSUM).is_some_and(|sum| *sum != checksum(&weights)) =>
        {
            Err(WeightFileError::Checksum { file })
        }
        _ => Ok(weights),
    }
}

/// The values of a tensor as F32, where nothing is lost.
fn widened(view: &TensorView<'_>) -> Option<Vec<f32>> {
    Some(Element::of(&format!("{:?}", view.dtype()))?.widened(view.data()))
}

/// The whole file, unless it is far larger than the weights of this network can be.
fn read_bounded(path: &Path, network: &Network, file: &str) -> Result<Vec<u8>, WeightFileError> {
    let most = network.parameter_count().saturating_mul(size_of::<f32>()).saturating_add(MOST_HEADER) as u64;
    let mut bytes = Vec::new();
    let opened = files::open(path);
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

/// Whether a weight file was written by this crate.
pub(super) fn has_metadata(path: &Path) -> bool {
    let bytes = crate::files::read(path).unwrap_or_default();
    let about = SafeTensors::read_metadata(&bytes).ok();
    about.is_some_and(|(_, about)| {
        about.metadata().as_ref().is_some_and(|metadata| metadata.contains_key(METADATA_KEY))
    })
}

/// The bytes of a weight file; equal weights and metadata give equal bytes. `metadata` is stored under one key as
/// JSON with sorted keys, together with a checksum of the values.
///
/// # Errors
/// When the tensors cannot be laid out, which cannot happen with a model's.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dense, Flatten, Sequential};

    /// A model of one layer with a kernel of this many values and one bias.
    fn network(inputs: usize) -> Network {
        Sequential::new([inputs, 1, 1]).add(Flatten::new()).add(Dense::new(1)).network().unwrap()
    }

    /// A file with a kernel of this type and a bias of F32.
    fn read(dtype: Dtype, kernel: &[u8], about: Option<&str>) -> Result<Vec<f32>, WeightFileError> {
        let count = kernel.len() * 8 / dtype.bitsize();
        let kernel = TensorView::new(dtype, vec![count, 1], kernel).unwrap();
        let bias = TensorView::new(Dtype::F32, vec![1], &[0; 4]).unwrap();
        let about = about.map(|text| [(METADATA_KEY.to_owned(), text.to_owned())].into_iter().collect());
        let bytes = safetensors::serialize([("dense.kernel", kernel), ("dense.bias", bias)], about).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read_weights(file.path(), &network(count)).map(|weights| weights.tensors()[0].values.clone())
    }

    fn halves(bits: impl IntoIterator<Item = u16>) -> Vec<u8> {
        bits.into_iter().flat_map(u16::to_le_bytes).collect()
    }

    /// The value of 16 bits by their definition (IEEE 754-2019, 3.4): sign, exponent, `digits` binary digits. In f64,
    /// which holds it and its powers of two exactly.
    fn defined(bits: u16, digits: u32) -> f64 {
        let bias = (1 << (14 - digits)) - 1;
        let exponent = i32::from(bits & 0x7fff) >> digits;
        let fraction = f64::from(u32::from(bits) & ((1 << digits) - 1)) / f64::from(1 << digits);
        let size = match exponent {
            0 => fraction * 2f64.powi(1 - bias),
            _ => (1.0 + fraction) * 2f64.powi(exponent - bias),
        };
        if bits >> 15 == 1 { -size } else { size }
    }

    #[test]
    fn half_precision_is_read_as_the_same_numbers() {
        // Zero, the least, the largest without a full exponent, the least with one, 1, 1 and a bit, a third, the largest.
        let rows: [(Dtype, u16, f64); 16] = [
            (Dtype::F16, 0x0000, 0.0),
            (Dtype::F16, 0x0001, 5.960_464_477_539_063e-8),
            (Dtype::F16, 0x03ff, 6.097_555_160_522_461e-5),
            (Dtype::F16, 0x0400, 6.103_515_625e-5),
            (Dtype::F16, 0x3c00, 1.0),
            (Dtype::F16, 0x3c01, 1.000_976_562_5),
            (Dtype::F16, 0x3555, 0.333_251_953_125),
            (Dtype::F16, 0x7bff, 65504.0),
            (Dtype::BF16, 0x0000, 0.0),
            (Dtype::BF16, 0x0001, 9.183_549_615_799_121e-41),
            (Dtype::BF16, 0x007f, 1.166_310_801_206_488_4e-38),
            (Dtype::BF16, 0x0080, 1.175_494_350_822_287_5e-38),
            (Dtype::BF16, 0x3f80, 1.0),
            (Dtype::BF16, 0x3f81, 1.007_812_5),
            (Dtype::BF16, 0x3eab, 0.333_984_375),
            (Dtype::BF16, 0x7f7f, 3.389_531_389_251_535_5e38),
        ];
        for (dtype, bits, expected) in rows {
            let values = read(dtype, &halves([bits, bits | 0x8000]), None).unwrap();
            let bits_of = values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            let expected = [(expected as f32).to_bits(), (-expected as f32).to_bits()];
            assert_eq!(bits_of, expected, "{dtype:?} {bits:#06x}: {values:?}");
        }
    }

    #[test]
    fn all_finite_halves_are_what_their_definition_says() {
        for (dtype, digits) in [(Dtype::F16, 10), (Dtype::BF16, 7)] {
            let full = |bits: u16| (bits & 0x7fff) >> digits == 0x7fff >> digits;
            let finite: Vec<u16> = (0..=u16::MAX).filter(|&bits| !full(bits)).collect();
            let values = read(dtype, &halves(finite.iter().copied()), None).unwrap();
            assert_eq!(values.len(), finite.len());
            for (value, bits) in values.into_iter().zip(finite) {
                assert_eq!(
                    f64::from(value).to_bits(),
                    defined(bits, digits).to_bits(),
                    "{dtype:?} {bits:#06x}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_finite_or_would_lose_digits_is_refused() {
        let not_finite = "must be finite";
        let rows: [(Dtype, Vec<u8>, &str); 8] = [
            (Dtype::F16, halves([0x3c00, 0x7c00]), "holds inf at element 1; all values must be finite"),
            (Dtype::F16, halves([0xfc00]), "holds -inf at element 0"),
            (Dtype::F16, halves([0x7e00]), not_finite),
            (Dtype::BF16, halves([0x7f80]), "holds inf"),
            (Dtype::BF16, halves([0xffc1]), not_finite),
            (
                Dtype::F64,
                1f64.to_le_bytes().to_vec(),
                "`dense.kernel` is of type F64, but only F32, F16 and BF16",
            ),
            (Dtype::I8, vec![1], "is of type I8"),
            (Dtype::U16, vec![1, 0], "is of type U16"),
        ];
        for (dtype, bytes, expected) in rows {
            let message = read(dtype, &bytes, None).unwrap_err().to_string();
            assert!(
                message.contains(expected),
                "{dtype:?} {bytes:?}: {expected:?} is missing from {message}"
            );
        }
    }

    /// The checksum is of the F32 values that we wrote.
    #[test]
    fn a_narrowed_file_of_ours_keeps_a_checksum_that_is_not_its_own() {
        let about = format!("{{\"{CHECKSUM}\":\"of other values\"}}");
        let kept = read(Dtype::F16, &halves([0x3c00]), Some(&about));
        assert_eq!(kept.unwrap(), [1.0]);
        let ours = read(Dtype::F32, &1f32.to_le_bytes(), Some(&about));
        assert!(matches!(ours, Err(WeightFileError::Checksum { .. })), "{ours:?}");
    }
}
