//! Buffers of a device, and transfers to and from them. Everything that training creates goes through here, and is
//! counted.

use super::failure::ON_PURPOSE;
use super::tally::Event;
use super::{Gpu, GpuError};
use crate::wait::{self, Submitted};

/// Receives the result of mapping a buffer.
pub(super) type Mapped =
    futures_intrusive::channel::shared::OneshotReceiver<Result<(), wgpu::BufferAsyncError>>;

impl Gpu {
    /// The error of a limit that is exceeded because of the model or the batch.
    pub(crate) fn limit_error(
        &self,
        what: String,
        limit: &'static str,
        needed: u64,
        allowed: u64,
    ) -> GpuError {
        GpuError::Limit {
            adapter: self.name().to_owned(),
            what,
            limit,
            needed,
            allowed,
            remedy: "use a smaller batch size or smaller layers, or the CPU executor",
        }
    }

    /// Allocates a buffer, filled with zeros.
    pub(crate) fn buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, GpuError> {
        self.allocate(label, bytes, usage, false)
    }

    /// Allocates a buffer that the host fills; it is mapped and filled with zeros.
    pub(crate) fn staging(&self, label: &str, bytes: u64) -> Result<wgpu::Buffer, GpuError> {
        self.allocate(label, bytes, wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC, true)
    }

    fn allocate(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
        mapped_at_creation: bool,
    ) -> Result<wgpu::Buffer, GpuError> {
        let limits = [("max_buffer_size", self.limits().max_buffer_size)];
        let binding = ("max_storage_buffer_binding_size", self.limits().max_storage_buffer_binding_size);
        let binding = usage.contains(wgpu::BufferUsages::STORAGE).then_some(binding);
        for (limit, allowed) in limits.into_iter().chain(binding) {
            if bytes > allowed {
                let what = format!("buffer `{label}`");
                return Err(self.limit_error(what, limit, bytes, allowed));
            }
        }
        if self.failures().refuses_buffer() {
            return Err(self.memory_error(label, bytes, ON_PURPOSE.to_owned()));
        }
        // On a lost device buffers are created, but useless.
        self.check()?;
        let memory = self.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        self.count(Event::Buffer, 1);
        #[expect(clippy::disallowed_methods, reason = "it was counted")]
        let buffer = self.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.max(16).next_multiple_of(16),
            usage,
            mapped_at_creation,
        });
        match wait::block_on(memory.pop()) {
            None => Ok(buffer),
            Some(error) => Err(self.memory_error(label, bytes, error.to_string())),
        }
    }

    fn memory_error(&self, buffer: &str, bytes: u64, message: String) -> GpuError {
        GpuError::Memory { adapter: self.name().to_owned(), buffer: buffer.to_owned(), bytes, message }
    }

    /// Binds buffers to a layout.
    pub(crate) fn bind_group(
        &self,
        label: &str,
        layout: &wgpu::BindGroupLayout,
        entries: &[wgpu::BindGroupEntry<'_>],
    ) -> wgpu::BindGroup {
        self.count(Event::BindGroup, 1);
        let label = Some(label);
        #[expect(clippy::disallowed_methods, reason = "it was counted")]
        self.device().create_bind_group(&wgpu::BindGroupDescriptor { label, layout, entries })
    }

    /// Writes bytes into a buffer before the next submission; allocates as much memory to stage them.
    pub(crate) fn upload(&self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) {
        self.count(Event::Upload, 1);
        #[expect(clippy::disallowed_methods, reason = "it was counted")]
        self.queue().write_buffer(buffer, offset, bytes);
    }

    /// Submits encoded work to the device.
    pub(crate) fn submit(&self, commands: wgpu::CommandBuffer) -> Submitted {
        self.count(Event::Submission, 1);
        Submitted::new(self.queue(), Some(commands))
    }

    /// Hands what was uploaded to the device.
    pub(crate) fn flush(&self) -> Submitted {
        Submitted::new(self.queue(), None)
    }

    /// Requests that a buffer be mapped once the submissions that use it are done.
    pub(super) fn map(&self, buffer: &wgpu::Buffer, mode: wgpu::MapMode) -> Mapped {
        if mode == wgpu::MapMode::Read {
            self.count(Event::Read, 1);
            self.count(Event::ReadByte, buffer.size());
        }
        let (sender, receiver) = futures_intrusive::channel::shared::oneshot_channel();
        #[expect(clippy::disallowed_methods, reason = "it was counted")]
        buffer.map_async(mode, .., move |result| {
            // The receiver is gone only if the run was abandoned.
            let _ = sender.send(result);
        });
        receiver
    }

    /// Waits until a buffer is mapped, after the submissions that use it.
    pub(super) fn mapped(&self, mapped: &Mapped) -> Result<(), GpuError> {
        match wait::block_on(mapped.receive()) {
            Some(Err(error)) => Err(self.device_error(error.to_string())),
            _ => Ok(()),
        }
    }

    /// Reads words of a buffer that has the usage `COPY_SRC`; `first` and `count` in 32-bit words.
    pub(crate) fn read_words(
        &self,
        buffer: &wgpu::Buffer,
        first: usize,
        count: usize,
    ) -> Result<Vec<u32>, GpuError> {
        let bytes = (count * size_of::<u32>()) as u64;
        let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
        let staging = self.buffer("readback", bytes, usage)?;
        let mut encoder = self.device().create_command_encoder(&Default::default());
        let offset = (first * size_of::<u32>()) as u64;
        encoder.copy_buffer_to_buffer(buffer, offset, &staging, 0, bytes);
        let submission = self.submit(encoder.finish());
        let mapped = self.map(&staging, wgpu::MapMode::Read);
        self.wait(submission)?;
        self.mapped(&mapped)?;
        let view = staging.get_mapped_range(..bytes).map_err(|error| self.device_error(error.to_string()))?;
        let mut words = vec![0u32; count];
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(&view);
        Ok(words)
    }
}
