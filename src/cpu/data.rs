use std::borrow::Cow;

use crate::data::{DataPart, Dataset, TargetKind};
use crate::ops::{Arg, Real};

/// A data set as twins read it.
#[derive(Debug)]
pub(super) struct CpuData<T> {
    pub(super) set: Dataset,
    /// The images again, each at a whole word, when their size is not a multiple of one.
    padded: Option<Vec<u8>>,
    /// The floats of each part again, when they are computed with in another precision.
    floats: [Vec<T>; DataPart::ALL.len()],
}

impl<T: Real> CpuData<T> {
    pub(super) fn new(set: Dataset) -> Self {
        let padded = match set.records(DataPart::Samples).padded() {
            Cow::Owned(padded) if !set.form().values => Some(padded),
            _ => None,
        };
        let floats = DataPart::ALL.map(|part| match floats(&set, part) {
            values if T::lent(values).is_none() => {
                values.iter().map(|&value| T::of(f64::from(value))).collect()
            }
            _ => Vec::new(),
        });
        CpuData { set, padded, floats }
    }

    /// A part as an argument of a twin.
    pub(super) fn arg(&self, part: DataPart) -> Arg<'_, T> {
        match part {
            DataPart::Samples if !self.set.form().values => {
                Arg::Bytes(self.padded.as_deref().unwrap_or(self.set.images()))
            }
            DataPart::Targets if self.set.target() == TargetKind::Classes => Arg::InU32(self.set.labels()),
            part => Arg::In(T::lent(floats(&self.set, part)).unwrap_or(&self.floats[part as usize])),
        }
    }
}

/// The floats of a part; none where it has others or none.
fn floats(set: &Dataset, part: DataPart) -> &[f32] {
    match part {
        DataPart::Samples => set.values(),
        DataPart::Targets => set.target_rows(),
        DataPart::Weights => set.sample_weights().unwrap_or_default(),
    }
}
