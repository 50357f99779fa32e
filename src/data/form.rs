//! How data sets are held, and the records that devices read.

use std::borrow::Cow;

use super::batches::pad_records;

/// How the numbers of a data set are held, which decides how a plan reads them. The default is bytes that count alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct DataForm {
    /// Whether inputs are f32 instead of bytes.
    pub values: bool,
    /// Whether samples have weights.
    pub weighted: bool,
}

/// What a device reads of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataPart {
    /// The inputs: bytes or f32.
    Samples,
    /// The targets: labels as u32, or rows of f32.
    Targets,
    /// The weights, f32; of no bytes where samples have none.
    Weights,
}

impl DataPart {
    /// All of them, in the order of their discriminants.
    pub const ALL: [DataPart; 3] = [DataPart::Samples, DataPart::Targets, DataPart::Weights];
}

/// The bytes of a part of a data set, sample by sample.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    /// Of all samples, one after another.
    pub bytes: &'a [u8],
    /// Bytes of one sample.
    pub size: usize,
}

impl<'a> Records<'a> {
    /// Bytes from one sample to the next on a device: samples begin at whole words there.
    pub fn stride(&self) -> usize {
        self.size.next_multiple_of(size_of::<u32>())
    }

    /// The bytes with each sample at a whole word.
    pub fn padded(&self) -> Cow<'a, [u8]> {
        match self.size == self.stride() {
            true => Cow::Borrowed(self.bytes),
            false => Cow::Owned(pad_records(self.bytes, self.size, self.stride())),
        }
    }
}
