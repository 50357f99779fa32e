//! Data sets on the device: their numbers as they are, read by the gathering kernels. A set is resident if it fits, and
//! streamed if it does not.

use super::parts::{Parts, label};
use super::stream::{Slots, Stream, Streamed};
use super::{Gpu, GpuError};
use crate::data::{DataPart, Dataset, Records};
use crate::executor::DataSlot;
use crate::plan::Plan;

/// Bytes uploaded at a time, which keeps staging memory on the host small.
const CHUNK: usize = 4 << 20;

/// The data sets of an executor.
pub(super) struct Feed {
    places: [Option<Place>; 2],
    /// Created for the first set that is streamed; both slots share it.
    stream: Option<Stream>,
    /// The largest set, in bytes of its largest part, that is made resident.
    pub(super) max_resident: u64,
}

/// Where a data set is.
enum Place {
    Device(ResidentData),
    Host(Dataset),
}

/// A data set in the memory of a device.
#[derive(Debug)]
struct ResidentData {
    parts: Parts,
    samples: usize,
}

impl Feed {
    pub(super) fn new(gpu: &Gpu) -> Self {
        Feed { places: [None, None], stream: None, max_resident: max_resident(gpu) }
    }

    /// Replaces the data set in this slot; returns whether the kernels read it from the same buffers as the one before.
    pub(super) fn set(
        &mut self,
        gpu: &Gpu,
        plan: &Plan,
        slot: DataSlot,
        data: &Dataset,
    ) -> Result<bool, GpuError> {
        // The old set is dropped first, so that the device never holds both.
        let old = self.places[slot as usize].take();
        let was_streamed = matches!(old, Some(Place::Host(_)));
        if let Some(Place::Device(mut resident)) = old
            && self.may_be_resident(data)
            && resident.has_room(data)
        {
            resident.refill(gpu, data)?;
            self.places[slot as usize] = Some(Place::Device(resident));
            return Ok(true);
        }
        let mut is_same = false;
        let place = match self.make_resident(gpu, data)? {
            Some(resident) => Place::Device(resident),
            None => {
                is_same = was_streamed;
                if self.stream.is_none() {
                    self.stream = Some(Stream::new(gpu, Slots::of(plan))?);
                }
                Place::Host(data.clone())
            }
        };
        self.places[slot as usize] = Some(place);
        Ok(is_same)
    }

    /// Whether each part is small enough.
    fn may_be_resident(&self, data: &Dataset) -> bool {
        DataPart::ALL.into_iter().all(|part| bytes_of(data, part) <= self.max_resident)
    }

    /// Uploads a data set; `None` where it does not fit.
    fn make_resident(&self, gpu: &Gpu, data: &Dataset) -> Result<Option<ResidentData>, GpuError> {
        if !self.may_be_resident(data) {
            return Ok(None);
        }
        match ResidentData::upload(gpu, data) {
            Ok(resident) => Ok(Some(resident)),
            Err(error @ GpuError::Memory { .. }) => {
                log::warn!("the data set is streamed: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Samples of the set in a slot.
    pub(super) fn samples(&self, slot: DataSlot) -> Option<usize> {
        self.places[slot as usize].as_ref().map(|place| match place {
            Place::Device(resident) => resident.samples,
            Place::Host(set) => set.len(),
        })
    }

    /// The parts of a data set as the kernels of a pass over this slot read them.
    pub(super) fn buffers(&self, slot: DataSlot) -> Option<&Parts> {
        match self.places[slot as usize].as_ref()? {
            Place::Device(resident) => Some(&resident.parts),
            Place::Host(_) => self.stream.as_ref().map(|stream| &stream.parts),
        }
    }

    /// The set in a slot when it is streamed.
    pub(super) fn streamed(&self, slot: DataSlot) -> Option<Streamed<'_>> {
        match self.places[slot as usize].as_ref()? {
            Place::Device(_) => None,
            Place::Host(set) => self.stream.as_ref().map(|stream| Streamed { stream, set }),
        }
    }
}

/// Which data sets are streamed to an adapter, and the memory that this takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streaming {
    /// The most samples of a resident data set, by the adapter's limits: it may still run out of memory, and then a
    /// smaller set is streamed too.
    pub most_resident: usize,
    /// Bytes of streaming on the device and in staging buffers, however large the data sets are.
    pub bytes: u64,
}

impl Gpu {
    /// Which data sets are streamed with this plan.
    pub fn streaming(&self, plan: &Plan) -> Streaming {
        let largest = DataPart::ALL.map(|part| plan.stride(part) as u64).into_iter().max().unwrap_or(1);
        let most_resident = (max_resident(self) / largest) as usize;
        Streaming { most_resident, bytes: Slots::of(plan).all_bytes() }
    }
}

fn max_resident(gpu: &Gpu) -> u64 {
    let limits = gpu.limits();
    limits.max_buffer_size.min(limits.max_storage_buffer_binding_size)
}

impl ResidentData {
    fn upload(gpu: &Gpu, data: &Dataset) -> Result<Self, GpuError> {
        let mut parts = Parts::default();
        for part in DataPart::ALL {
            let records = data.records(part);
            if records.size > 0 {
                parts[part as usize] = Some(upload(gpu, part, records)?);
            }
        }
        Ok(ResidentData { parts, samples: data.len() })
    }

    /// Whether this set fits into the buffers of the one that is there, and they are not much too large for it.
    fn has_room(&self, data: &Dataset) -> bool {
        DataPart::ALL.into_iter().zip(&self.parts).all(|(part, buffer)| match buffer {
            Some(buffer) => {
                let bytes = bytes_of(data, part);
                (1..=buffer.size()).contains(&bytes) && buffer.size() <= 2 * bytes.max(CHUNK as u64)
            }
            None => data.records(part).size == 0,
        })
    }

    /// Overwrites the set with another one. What is submitted from now on reads that.
    fn refill(&mut self, gpu: &Gpu, data: &Dataset) -> Result<(), GpuError> {
        for (part, buffer) in DataPart::ALL.into_iter().zip(&self.parts) {
            if let Some(buffer) = buffer {
                write(gpu, buffer, &data.records(part).padded())?;
            }
        }
        self.samples = data.len();
        Ok(())
    }
}

/// Bytes of a part of a data set on the device.
fn bytes_of(data: &Dataset, part: DataPart) -> u64 {
    data.records(part).stride() as u64 * data.len() as u64
}

/// Uploads records, each at a whole word.
fn upload(gpu: &Gpu, part: DataPart, records: Records<'_>) -> Result<wgpu::Buffer, GpuError> {
    let bytes = records.padded();
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
    let buffer = gpu.buffer(label(part), bytes.len() as u64, usage)?;
    write(gpu, &buffer, &bytes)?;
    let submission = gpu.flush();
    gpu.wait(submission)?;
    Ok(buffer)
}

/// Overwrites the beginning of a buffer before the next submission, and waits between chunks.
fn write(gpu: &Gpu, buffer: &wgpu::Buffer, bytes: &[u8]) -> Result<(), GpuError> {
    for (index, chunk) in bytes.chunks(CHUNK).enumerate() {
        if index > 0 {
            let submission = gpu.flush();
            gpu.wait(submission)?;
        }
        gpu.upload(buffer, (index * CHUNK) as u64, chunk);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use super::*;
    use crate::data::batches::epoch_order;
    use crate::device::{Device, DeviceChoice};
    use crate::executor::{BatchMetrics, Executor, Pass};
    use crate::gpu::GpuExecutor;
    use crate::model::{Activation, Dense, Flatten, Loss, Optimizer, Sequential};
    use crate::ops::BatchParams;
    use crate::plan::Phase;

    /// `count` images of nine bytes: twelve on the device.
    fn data(count: usize, seed: usize) -> Dataset {
        let images = (0..count * 9).map(|at| ((at + seed) * 37 % 251) as u8).collect();
        let labels = (0..count).map(|at| (at * seed % 3) as u8).collect();
        Dataset::new(images, labels, [3, 3, 1], 3).unwrap()
    }

    /// Metrics of training and evaluation, in turn on several sets, with sets of up to `max_resident` bytes resident;
    /// and which passes were streamed.
    fn figures(gpu: &Arc<Gpu>, max_resident: u64) -> (Vec<BatchMetrics>, Vec<bool>) {
        let dense = Dense::new(3).activation(Activation::Softmax);
        let network = Sequential::new([3, 3, 1]).add(Flatten::new()).add(dense).network().unwrap();
        let plan = Plan::build(&network, Loss::default(), Optimizer::default(), 2).unwrap();
        let mut executor = GpuExecutor::new(Arc::clone(gpu), plan).unwrap();
        executor.feed.max_resident = max_resident;
        let (mut figures, mut streamed) = (Vec::new(), Vec::new());
        let sets = [
            (DataSlot::Training, data(79, 1)),
            (DataSlot::Evaluation, data(5, 2)),
            (DataSlot::Training, data(4, 4)),
            (DataSlot::Evaluation, data(80, 5)),
            (DataSlot::Training, data(33, 7)),
        ];
        for (slot, set) in sets {
            executor.set_data(slot, &set).unwrap();
            for (data, phase) in [(DataSlot::Training, Phase::Train), (DataSlot::Evaluation, Phase::Evaluate)]
            {
                let Some(samples) = executor.feed.samples(data) else { continue };
                let (order, steps) =
                    (epoch_order(samples, 0, Some(3)), BatchParams::of_pass(samples, 2, 1e-2));
                let pass = Pass { phase, data, order: &order, batches: &steps, transforms: &[] };
                streamed.push(executor.feed.streamed(data).is_some());
                executor
                    .run(&pass, &mut |_, metrics| {
                        figures.push(metrics);
                        ControlFlow::Continue(())
                    })
                    .unwrap();
            }
        }
        (figures, streamed)
    }

    #[test]
    fn sets_take_turns_wherever_they_lie() {
        let Device::Gpu(gpu) = Device::open(&DeviceChoice::Software).unwrap().0 else { unreachable!() };
        let (resident, none) = figures(&gpu, u64::MAX);
        assert!(none.iter().all(|streamed| !streamed));
        for (max_resident, expected) in [
            (40 * 12, [true, true, false, false, false, false, true, false, true]),
            (5 * 12, [true, true, false, false, false, false, true, true, true]),
            (0, [true; 9]),
        ] {
            let (found, streamed) = figures(&gpu, max_resident);
            assert_eq!(streamed, expected, "{max_resident} bytes");
            assert!(found == resident, "{max_resident} bytes");
        }
    }
}
