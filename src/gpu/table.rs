//! The batch table: what changes from one row of a pass to the next.

use super::{Gpu, GpuError};
use crate::plan::BatchParams;

/// How long a pass may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Room {
    /// Rows of the batch table, and of metrics.
    pub(super) rows: usize,
    /// Elements of the order.
    pub(super) order: usize,
    /// Images that are transformed.
    pub(super) transforms: usize,
}

impl Room {
    /// Room for whichever is larger in each dimension.
    pub(super) fn and(self, other: Room) -> Room {
        Room {
            rows: self.rows.max(other.rows),
            order: self.order.max(other.order),
            transforms: self.transforms.max(other.transforms),
        }
    }
}

/// The rows of a pass, and group 1 over them.
pub(super) struct BatchTable {
    buffer: wgpu::Buffer,
    bound: wgpu::BindGroup,
    stride: u64,
    capacity: Room,
}

impl BatchTable {
    /// For passes of up to this length.
    pub(super) fn new(gpu: &Gpu, capacity: Room) -> Result<Self, GpuError> {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let buffer = gpu.buffer("batch table", gpu.batch_stride() * capacity.rows as u64, usage)?;
        let size = wgpu::BufferSize::new(size_of::<BatchParams>() as u64);
        let resource =
            wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &buffer, offset: 0, size });
        let entries = [wgpu::BindGroupEntry { binding: 0, resource }];
        let bound = gpu.bind_group("batch", gpu.batch_layout(), &entries);
        Ok(BatchTable { buffer, bound, stride: gpu.batch_stride(), capacity })
    }

    /// The longest pass that fits.
    pub(super) fn capacity(&self) -> Room {
        self.capacity
    }

    /// Group 1: one row at a dynamic offset.
    pub(super) fn bound(&self) -> &wgpu::BindGroup {
        &self.bound
    }

    /// Where a row begins, in bytes.
    pub(super) fn offset(&self, row: usize) -> u32 {
        (row as u64 * self.stride) as u32
    }

    /// Overwrites the first rows.
    pub(super) fn upload(&self, gpu: &Gpu, rows: &[BatchParams]) {
        gpu.upload(&self.buffer, 0, &gpu.batch_table(rows));
    }
}

impl Gpu {
    /// A batch table's bytes: a row of [`BatchParams`] at each multiple of [`Gpu::batch_stride`].
    pub(crate) fn batch_table(&self, batches: &[BatchParams]) -> Vec<u8> {
        let stride = self.batch_stride() as usize;
        let mut bytes = vec![0; stride * batches.len()];
        for (row, params) in bytes.chunks_mut(stride).zip(batches) {
            row[..size_of::<BatchParams>()].copy_from_slice(bytemuck::bytes_of(params));
        }
        bytes
    }
}
