//! The parts of a pass that go into a command buffer.

use std::ops::Range;

use super::GpuExecutor;
use crate::executor::DataSlot;
use crate::gpu::flight::{MAX_BATCHES, WORDS};
use crate::plan::{Dtype, Phase, Role};

impl GpuExecutor {
    /// Encodes the plan for some rows of the batch table: one compute pass.
    pub(super) fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        phase: Phase,
        slot: DataSlot,
        rows: Range<usize>,
    ) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("steps"),
            timestamp_writes: None,
        });
        for row in rows {
            for (index, _) in self.plan.steps_of(phase) {
                self.dispatch(&mut pass, index, slot, row);
            }
        }
    }

    /// Encodes one step of the plan for one row of the batch table.
    pub(super) fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        index: usize,
        slot: DataSlot,
        row: usize,
    ) {
        let step = &self.steps[index];
        step.select(pass, slot, self.table.as_ref(), row);
        let [x, y] = step.kernel.groups;
        pass.dispatch_workgroups(x, y, 1);
    }

    /// Copies the metrics of some rows into a staging buffer: losses, then counts, then the tripwire.
    pub(super) fn copy_metrics(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        staging: &wgpu::Buffer,
        rows: &Range<usize>,
    ) {
        let word = size_of::<u32>() as u64;
        for (place, buffer) in self.plan.buffers.iter().enumerate() {
            let (first, to, words) = match (buffer.role, buffer.dtype) {
                (Role::Metrics, Dtype::F32) => (rows.start, 0, rows.len()),
                (Role::Metrics, _) => (rows.start, MAX_BATCHES, rows.len()),
                (Role::Tripwire, _) => (0, WORDS - 1, 1),
                _ => continue,
            };
            if let Some(from) = &self.buffers[place] {
                let [first, to, words] = [first, to, words].map(|count| count as u64 * word);
                encoder.copy_buffer_to_buffer(from, first, staging, to, words);
            }
        }
    }

    /// Before the first row of a pass, clears the tripwire of an earlier pass.
    pub(super) fn reset_tripwire(&self, encoder: &mut wgpu::CommandEncoder, row: usize) {
        let place = self.plan.buffer_with(Role::Tripwire);
        if let (0, Some(tripwire)) = (row, place.and_then(|place| self.buffers[place].as_ref())) {
            encoder.clear_buffer(tripwire, 0, None);
        }
    }
}
