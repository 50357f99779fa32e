//! A weight file of whatever size, of which only what is asked for is read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::WeightFileError;
use crate::files;
use crate::io::element::Element;
use crate::io::header::{self, LENGTH, Tensor};
use crate::io::weights::{METADATA_KEY, MOST_HEADER};

/// An open file with its header.
pub(super) struct WeightFile {
    /// As messages name it.
    pub(super) name: String,
    pub(super) tensors: Vec<Tensor>,
    /// Whether this crate wrote it.
    pub(super) is_ours: bool,
    file: File,
    /// Where the header ends.
    data: u64,
}

impl WeightFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// When it cannot be read, or its header does not describe it.
    pub(super) fn open(path: &Path) -> Result<Self, WeightFileError> {
        let name = path.display().to_string();
        let format = |reason| WeightFileError::Format { file: name.clone(), reason };
        let read = |source| WeightFileError::Read { file: name.clone(), source };
        let mut file = files::open(path).map_err(read)?;
        let len = file.metadata().map_err(read)?.len();
        let mut length = [0; LENGTH];
        match file.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(format(format!(
                    "it has {len} bytes, but the length of its header alone takes {LENGTH}"
                )));
            }
            done => done.map_err(read)?,
        }
        let rest = len.saturating_sub(LENGTH as u64);
        let length = u64::from_le_bytes(length);
        if length > rest {
            return Err(format(format!(
                "its first {LENGTH} bytes announce a header of {length} bytes, but only {rest} follow"
            )));
        }
        if length > MOST_HEADER as u64 {
            return Err(format(format!(
                "its header has {length} bytes, but only headers of at most {MOST_HEADER} are read"
            )));
        }
        let mut text = vec![0; length as usize];
        file.read_exact(&mut text).map_err(read)?;
        let header = header::parse(&text, rest - length).map_err(format)?;
        let is_ours = header.metadata.iter().any(|key| key == METADATA_KEY);
        Ok(WeightFile { tensors: header.tensors, is_ours, file, data: LENGTH as u64 + length, name })
    }

    /// The values of a tensor of at most `most` values, widened to F32.
    ///
    /// # Errors
    /// When they are not of a type that F32 holds, are not as many as the shape says, or cannot be read.
    pub(super) fn read(&mut self, tensor: &Tensor, most: usize) -> Result<Vec<f32>, WeightFileError> {
        let file = || self.name.clone();
        let Some(element) = Element::of(&tensor.dtype) else {
            let (tensor, found) = (tensor.name.clone(), tensor.dtype.clone());
            return Err(WeightFileError::ElementType { file: file(), tensor, found });
        };
        let len = tensor.shape.iter().try_fold(1usize, |len, &size| len.checked_mul(size));
        let bytes = tensor.offsets.end - tensor.offsets.start;
        let whole =
            len.filter(|&len| len <= most && (len as u64).checked_mul(element.bytes()) == Some(bytes));
        if whole.is_none() {
            let Tensor { name, dtype, shape, .. } = tensor;
            let reason = format!("tensor `{name}` of type {dtype} and shape {shape:?} has {bytes} bytes");
            return Err(WeightFileError::Format { file: file(), reason });
        }
        let mut values = vec![0; bytes as usize];
        let place = SeekFrom::Start(self.data + tensor.offsets.start);
        let read = self.file.seek(place).and_then(|_| self.file.read_exact(&mut values));
        read.map_err(|source| WeightFileError::Read { file: self.name.clone(), source })?;
        Ok(element.widened(&values))
    }
}
