//! Data sets that stay on the host: the samples of a submission are uploaded with it.
//!
//! The device holds a ring of slots, each for one batch; row r of a pass uses slot r modulo their number. Before a
//! submission the host copies the samples of its rows, in the order of the pass, into a staging buffer, while the
//! device is busy with earlier submissions; the submission begins with a copy from there into the slots of its rows.
//! The gathering kernels see a small data set in which every sample is already in its place.

use std::ops::Range;

use super::flight::{IN_FLIGHT, MAX_BATCHES};
use super::parts::{Parts, label};
use super::{Gpu, GpuError};
use crate::data::{DataPart, Dataset, Records};
use crate::executor::Pass;
use crate::plan::{BatchParams, Plan};

/// Bytes that one submission may carry, unless a single batch is larger. There are as many staging buffers of this
/// size as submissions in flight, and a ring of this size on the device.
const CARGO: usize = 8 << 20;

/// The number of slots, and their size, as the plan decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slots {
    count: usize,
    /// Samples of one slot: a batch.
    samples: usize,
    /// Of each part of a data set, bytes from one sample to the next.
    strides: [usize; DataPart::ALL.len()],
}

impl Slots {
    pub(super) fn of(plan: &Plan) -> Self {
        let (samples, strides) = (plan.batch, DataPart::ALL.map(|part| plan.stride(part)));
        let count = (CARGO / (samples * strides.iter().sum::<usize>())).clamp(1, MAX_BATCHES);
        Slots { count, samples, strides }
    }

    /// Bytes of a part in this many slots.
    fn bytes(self, part: DataPart, slots: usize) -> u64 {
        (slots * self.samples * self.strides[part as usize]) as u64
    }

    /// Where a part begins in a staging buffer: one lies behind the other.
    fn begin(self, part: DataPart) -> u64 {
        DataPart::ALL[..part as usize].iter().map(|&before| self.bytes(before, self.count)).sum()
    }

    /// Bytes of a staging buffer.
    pub(super) fn staging_bytes(self) -> u64 {
        DataPart::ALL.map(|part| self.bytes(part, self.count)).iter().sum()
    }

    /// All memory that streaming takes, in bytes, on the device and in staging buffers.
    pub(super) fn all_bytes(self) -> u64 {
        (1 + IN_FLIGHT as u64) * self.staging_bytes()
    }

    /// The first of these rows, as long as their slots are contiguous.
    fn in_a_row(self, rows: Range<usize>) -> Range<usize> {
        let wrap = (rows.start / self.count + 1) * self.count;
        rows.start..rows.end.min(wrap)
    }
}

/// The ring on the device. One is enough, however many submissions are in flight: they run one after another.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) slots: Slots,
    pub(super) parts: Parts,
}

impl Stream {
    /// Allocates the ring.
    pub(super) fn new(gpu: &Gpu, slots: Slots) -> Result<Self, GpuError> {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let mut parts = Parts::default();
        for part in DataPart::ALL {
            let bytes = slots.bytes(part, slots.count);
            if bytes > 0 {
                parts[part as usize] =
                    Some(gpu.buffer(&format!("{} under way", label(part)), bytes, usage)?);
            }
        }
        Ok(Stream { slots, parts })
    }

    /// The order of samples in the ring: as stored.
    pub(super) fn order(&self) -> Vec<u32> {
        (0..(self.slots.count * self.slots.samples) as u32).collect()
    }

    /// The rows of a pass as the device gets them: each batch begins where its slot begins.
    pub(super) fn rows(&self, batches: &[BatchParams]) -> Vec<BatchParams> {
        let begin = |row: usize| (row % self.slots.count * self.slots.samples) as u32;
        batches.iter().enumerate().map(|(row, batch)| BatchParams { first: begin(row), ..*batch }).collect()
    }
}

/// A data set on the host, and the ring through which it is streamed.
#[derive(Clone, Copy)]
pub(super) struct Streamed<'a> {
    pub(super) stream: &'a Stream,
    pub(super) set: &'a Dataset,
}

impl Streamed<'_> {
    /// The first of these rows, as many as one submission can carry.
    pub(super) fn carried(&self, rows: Range<usize>) -> Range<usize> {
        self.stream.slots.in_a_row(rows)
    }

    /// Copies the samples of some rows into a mapped staging buffer, unmaps it, and encodes the copy to the slots.
    pub(super) fn load(
        &self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        staging: &wgpu::Buffer,
        pass: &Pass<'_>,
        rows: Range<usize>,
    ) -> Result<(), GpuError> {
        self.fill(gpu, staging, pass, &pass.batches[rows.clone()])?;
        let Stream { slots, parts } = self.stream;
        let (first, count) = (rows.start % slots.count, rows.len());
        for (part, ring) in DataPart::ALL.into_iter().zip(parts) {
            let (to, size) = (slots.bytes(part, first), slots.bytes(part, count));
            if let Some(ring) = ring {
                encoder.copy_buffer_to_buffer(staging, slots.begin(part), ring, to, size);
            }
        }
        Ok(())
    }

    /// The rest of a slot after a short batch is not overwritten: no kernel reads it.
    fn fill(
        &self,
        gpu: &Gpu,
        staging: &wgpu::Buffer,
        pass: &Pass<'_>,
        batches: &[BatchParams],
    ) -> Result<(), GpuError> {
        let slots = self.stream.slots;
        let parts = DataPart::ALL
            .map(|part| (self.set.records(part), slots.begin(part) as usize, slots.strides[part as usize]));
        let mut view =
            staging.get_mapped_range_mut(..).map_err(|error| gpu.device_error(error.to_string()))?;
        for (slot, batch) in batches.iter().enumerate() {
            let order = &pass.order[batch.first as usize..][..batch.batch_size as usize];
            for (place, &sample) in (slot * slots.samples..).zip(order) {
                for (Records { bytes, size }, begin, stride) in parts {
                    let to = begin + place * stride;
                    view.slice(to..to + size).copy_from_slice(&bytes[sample as usize * size..][..size]);
                }
            }
        }
        drop(view);
        staging.unmap();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Dense, Flatten, Loss, Optimizer, Sequential};

    #[test]
    fn slots_are_as_many_as_the_cargo_holds() {
        // (side, batch, slots, samples of a slot)
        let rows = [
            (28, 64, MAX_BATCHES, 64),
            (28, 1, MAX_BATCHES, 1),
            (28, 1023, 10, 1023),
            (600, 4, 5, 4),
            (3000, 3, 1, 3),
        ];
        for (side, batch, count, samples) in rows {
            let dense = Dense::new(2).activation(Activation::Softmax);
            let model = Sequential::new([side, side, 1]).add(Flatten::new()).add(dense);
            let plan =
                Plan::build(&model.network().unwrap(), Loss::default(), Optimizer::default(), batch).unwrap();
            let slots = Slots::of(&plan);
            assert_eq!((slots.count, slots.samples), (count, samples), "{side}, {batch}");
            assert!(slots.count == 1 || slots.staging_bytes() <= CARGO as u64, "{side}, {batch}");
        }
    }

    #[test]
    fn a_submission_ends_where_the_ring_does() {
        let slots = Slots { count: 5, samples: 4, strides: [4, 4, 0] };
        let rows = [(0..3, 0..3), (0..5, 0..5), (3..8, 3..5), (5..37, 5..10), (9..12, 9..10), (7..7, 7..7)];
        for (asked, carried) in rows {
            assert_eq!(slots.in_a_row(asked.clone()), carried, "{asked:?}");
        }
    }
}
