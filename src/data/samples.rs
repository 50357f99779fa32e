//! The inputs of samples.

use super::error::DataError;
use super::numbers::Numbers;
use super::shape::Shape;

/// The inputs of samples, one after another, each row-major.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Samples {
    /// Numbers from 0 to 255, as of images. A model gets them divided by 255, unless it takes them as they are
    /// ([`Network::takes_bytes`](crate::model::Network::takes_bytes)).
    Bytes(Numbers<u8>),
    /// Numbers that a model gets as they are.
    Values(Numbers<f32>),
}

/// What inputs are made of: `u8` or `f32`.
pub trait SampleValue: Copy + sealed::Sealed {
    /// Inputs of these numbers.
    fn samples(values: Numbers<Self>) -> Samples;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for f32 {}
}

impl SampleValue for u8 {
    fn samples(values: Numbers<Self>) -> Samples {
        Samples::Bytes(values)
    }
}

impl SampleValue for f32 {
    fn samples(values: Numbers<Self>) -> Samples {
        Samples::Values(values)
    }
}

impl<V: SampleValue> From<Vec<V>> for Samples {
    fn from(values: Vec<V>) -> Self {
        V::samples(values.into())
    }
}

impl<V: SampleValue> From<Numbers<V>> for Samples {
    fn from(values: Numbers<V>) -> Self {
        V::samples(values)
    }
}

impl<V: SampleValue> From<&[V]> for Samples {
    fn from(values: &[V]) -> Self {
        V::samples(values.to_vec().into())
    }
}

impl Samples {
    /// The inputs of an iterator: of each sample a row of bytes or of f32, such as a `Vec`, an array or a slice.
    ///
    /// Errors: [`DataError::Row`] with the first row that is not as long as those before it.
    pub fn from_rows<V: SampleValue, R: AsRef<[V]>>(
        rows: impl IntoIterator<Item = R>,
    ) -> Result<Self, DataError> {
        let (mut values, mut length) = (Vec::new(), None);
        for (index, row) in rows.into_iter().enumerate() {
            let row = row.as_ref();
            let expected = *length.get_or_insert(row.len());
            if row.len() != expected {
                return Err(DataError::Row { index, expected, found: row.len() });
            }
            values.extend_from_slice(row);
        }
        Ok(V::samples(values.into()))
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Samples::Bytes(bytes) => bytes.len(),
            Samples::Values(values) => values.len(),
        }
    }

    /// Refuses inputs that are not one of this shape for each of so many targets, and numbers that are none.
    pub(super) fn check(&self, shape: Shape, targets: usize) -> Result<(), DataError> {
        let size = shape.checked_len().filter(|&size| size > 0).ok_or(DataError::Shape { found: shape })?;
        if size.checked_mul(targets) != Some(self.len()) {
            return Err(DataError::SampleLength { targets, shape, found: self.len() });
        }
        let Samples::Values(values) = self else { return Ok(()) };
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(DataError::Sample { index: at / size, place: at % size, value: values[at] }),
            None => Ok(()),
        }
    }

    /// Those of these samples, of `size` numbers each, in this order; they are counted from the one after `skipped`, and all of
    /// them must exist.
    ///
    /// Errors: [`DataError::Copy`] as of [`Numbers::rows`].
    pub(super) fn select(&self, samples: &[usize], skipped: usize, size: usize) -> Result<Self, DataError> {
        let rows = samples.iter().map(|at| (skipped + at) * size..(skipped + at + 1) * size);
        Ok(match self {
            Samples::Bytes(bytes) => bytes.rows(rows)?.into(),
            Samples::Values(values) => values.rows(rows)?.into(),
        })
    }
}
