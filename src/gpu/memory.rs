//! Buffers of a device, and the way back from them.

use super::{Gpu, GpuError};

impl Gpu {
    /// The error that a limit makes, with the remedies for one that the model or the batch decides.
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
            remedy: "use a smaller batch size or smaller layers, or --device cpu",
        }
    }

    /// Allocates a buffer; all zero.
    pub(crate) fn buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, GpuError> {
        self.allocate(label, bytes, usage, false)
    }

    /// Allocates a buffer that the host fills: all zero, and mapped.
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
        let memory = self.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.max(16).next_multiple_of(16),
            usage,
            mapped_at_creation,
        });
        match pollster::block_on(memory.pop()) {
            None => Ok(buffer),
            Some(error) => Err(GpuError::Memory {
                adapter: self.name().to_owned(),
                buffer: label.to_owned(),
                bytes,
                message: error.to_string(),
            }),
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
        let submission = self.queue().submit([encoder.finish()]);
        let (sender, receiver) = futures_intrusive::channel::shared::oneshot_channel();
        staging.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
            // The receiver is gone only when the wait below has failed already.
            let _ = sender.send(result);
        });
        self.wait(Some(submission))?;
        let mapped = pollster::block_on(receiver.receive());
        if let Some(Err(error)) = mapped {
            return Err(self.device_error(error.to_string()));
        }
        let view = staging.get_mapped_range(..bytes).map_err(|error| self.device_error(error.to_string()))?;
        let mut words = vec![0u32; count];
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(&view);
        Ok(words)
    }
}
