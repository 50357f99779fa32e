//! The parts of a data set on a device.

use crate::data::DataPart;

/// A buffer for each part of a data set that a plan reads.
pub(super) type Parts = [Option<wgpu::Buffer>; DataPart::ALL.len()];

/// What a part is called where memory is short.
pub(super) fn label(part: DataPart) -> &'static str {
    match part {
        DataPart::Samples => "samples",
        DataPart::Targets => "targets",
        DataPart::Weights => "sample weights",
    }
}
