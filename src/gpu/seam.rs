//! What crosses between device and host in a step of micro-batches: the sums of each micro-batch on their way down, and those of the
//! whole batch on their way up.

use super::memory::Mapped;
use super::{Gpu, GpuError};
use crate::executor::Summands;
use crate::plan::{Dtype, Plan, Role, Tensor};
use crate::profile::StepTimes;
use crate::wait::Submitted;

const WORD: usize = size_of::<u32>();
/// Words behind the values on their way down: loss, hits, tripwire.
const FIGURES: usize = 3;

/// The buffers of a plan that cross, and what carries them.
pub(super) struct Seam {
    /// Words of the plan's summands together.
    len: usize,
    /// By turns, so that one is read while the device fills the other.
    down: [wgpu::Buffer; 2],
    up: wgpu::Buffer,
    /// Tells when `up` may be filled again.
    filled: Option<Mapped>,
    /// The values of a micro-batch, where the mapped memory does not lie at a whole word.
    copied: Vec<f32>,
}

/// A micro-batch in progress.
pub(super) struct Crossing {
    turn: usize,
    submission: Submitted,
    mapped: Mapped,
}

impl Seam {
    /// Allocates what carries the sums of a plan.
    pub(super) fn new(gpu: &Gpu, plan: &Plan) -> Result<Self, GpuError> {
        let len = plan.summands.iter().map(Tensor::len).sum();
        let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
        let bytes = ((len + FIGURES) * WORD) as u64;
        let down = [gpu.buffer("sums down", bytes, usage)?, gpu.buffer("sums down", bytes, usage)?];
        let up = gpu.staging("sums up", ((len + 1) * WORD) as u64)?;
        Ok(Seam { len, down, up, filled: None, copied: Vec::new() })
    }

    /// The summands of a plan, with the words at which each begins on its way.
    fn places(plan: &Plan) -> impl Iterator<Item = (usize, &Tensor)> {
        plan.summands.iter().scan(0, |next, tensor| {
            let place = *next;
            *next += tensor.len();
            Some((place, tensor))
        })
    }

    /// Encodes the way down, of a batch whose metrics are in this slot.
    pub(super) fn copy_down(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        buffers: &[Option<wgpu::Buffer>],
        slot: usize,
        turn: usize,
    ) {
        let mut copy = |from: usize, at: usize, to: usize, len: usize| {
            if let Some(from) = &buffers[from] {
                let [at, to, len] = [at, to, len].map(|words| (words * WORD) as u64);
                encoder.copy_buffer_to_buffer(from, at, &self.down[turn], to, len);
            }
        };
        for (place, tensor) in Seam::places(plan) {
            copy(tensor.buffer, tensor.offset, place, tensor.len());
        }
        for (buffer, place) in plan.buffers.iter().zip(0..) {
            match (buffer.role, buffer.dtype) {
                (Role::Metrics, Dtype::F32) => copy(place, slot, self.len, 1),
                (Role::Metrics, _) => copy(place, slot, self.len + 1, 1),
                (Role::Tripwire, _) => copy(place, 0, self.len + 2, 1),
                _ => {}
            }
        }
    }

    /// A micro-batch that was submitted.
    pub(super) fn depart(&self, gpu: &Gpu, submission: Submitted, turn: usize) -> Crossing {
        Crossing { turn, submission, mapped: gpu.map(&self.down[turn], wgpu::MapMode::Read) }
    }

    /// Waits for a micro-batch, and hands over what it adds to its batch.
    pub(super) fn land(
        &mut self,
        gpu: &Gpu,
        crossing: Crossing,
        times: &mut StepTimes,
        take: &mut dyn FnMut(&Summands<'_>),
    ) -> Result<(), GpuError> {
        let Crossing { turn, submission, mapped } = crossing;
        times.compute.time(|| gpu.wait(submission))?;
        let lost = |error: wgpu::MapRangeError| gpu.device_error(error.to_string());
        times.map.time(|| gpu.mapped(&mapped))?;
        {
            let view = self.down[turn].get_mapped_range(..).map_err(lost)?;
            let [values, figures] = [0..self.len * WORD, self.len * WORD..(self.len + FIGURES) * WORD];
            let values = match bytemuck::try_cast_slice::<u8, f32>(&view[values.clone()]) {
                Ok(words) => words,
                Err(_) => {
                    self.copied.resize(self.len, 0.0);
                    bytemuck::cast_slice_mut(&mut self.copied).copy_from_slice(&view[values]);
                    &self.copied
                }
            };
            let figure =
                |at: usize| bytemuck::pod_read_unaligned::<u32>(&view[figures.clone()][at * WORD..][..WORD]);
            take(&Summands {
                values,
                loss: f32::from_bits(figure(0)),
                correct: figure(1),
                tripped: (figure(2) as usize).checked_sub(1),
            });
        }
        self.down[turn].unmap();
        Ok(())
    }

    /// Fills what goes up: the values, then the loss.
    pub(super) fn fill(&mut self, gpu: &Gpu, values: &[f32], loss: f32) -> Result<(), GpuError> {
        if let Some(filled) = self.filled.take() {
            gpu.mapped(&filled)?;
        }
        let lost = |error: wgpu::MapRangeError| gpu.device_error(error.to_string());
        let mut view = self.up.get_mapped_range_mut(..).map_err(lost)?;
        view.slice(..self.len * WORD).copy_from_slice(bytemuck::cast_slice(values));
        view.slice(self.len * WORD..(self.len + 1) * WORD).copy_from_slice(bytemuck::bytes_of(&loss));
        drop(view);
        self.up.unmap();
        Ok(())
    }

    /// Encodes the way up.
    pub(super) fn copy_up(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        buffers: &[Option<wgpu::Buffer>],
        slot: usize,
    ) {
        let mut copy = |place: usize, to: usize, at: usize, len: usize| {
            if let Some(to) = &buffers[to] {
                let [place, at, len] = [place, at, len].map(|words| (words * WORD) as u64);
                encoder.copy_buffer_to_buffer(&self.up, place, to, at, len);
            }
        };
        for (place, tensor) in Seam::places(plan) {
            copy(place, tensor.buffer, tensor.offset, tensor.len());
        }
        let is_loss = |role, dtype| role == Role::Metrics && dtype == Dtype::F32;
        if let Some(loss) = plan.buffers.iter().position(|buffer| is_loss(buffer.role, buffer.dtype)) {
            copy(self.len, loss, slot, 1);
        }
    }

    /// Lets `up` be filled again once what was submitted has run.
    pub(super) fn refill(&mut self, gpu: &Gpu) {
        self.filled = Some(gpu.map(&self.up, wgpu::MapMode::Write));
    }
}
