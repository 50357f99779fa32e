//! Data sets on the device: bytes as they are, resident, read by the gathering kernels.

use super::{Gpu, GpuError};
use crate::data::Dataset;
use crate::plan::image_stride;

/// Bytes uploaded at a time: what is staged on the host stays small.
const CHUNK: usize = 4 << 20;

/// A data set in the memory of a device.
#[derive(Debug)]
pub(super) struct ResidentData {
    pub(super) images: wgpu::Buffer,
    pub(super) labels: wgpu::Buffer,
    pub(super) samples: usize,
}

impl ResidentData {
    /// Uploads a data set; images begin at whole words.
    pub(super) fn upload(gpu: &Gpu, data: &Dataset) -> Result<Self, GpuError> {
        let pixels = data.shape().iter().product::<usize>();
        let images = upload(gpu, "images", data.images(), pixels, image_stride(pixels))?;
        let labels = upload(gpu, "labels", data.labels(), data.len(), data.len())?;
        Ok(ResidentData { images, labels, samples: data.len() })
    }
}

/// Uploads records of `size` bytes so that each begins at a multiple of `stride`.
fn upload(
    gpu: &Gpu,
    label: &'static str,
    bytes: &[u8],
    size: usize,
    stride: usize,
) -> Result<wgpu::Buffer, GpuError> {
    let records = bytes.len() / size;
    let total = (records * stride).next_multiple_of(4);
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
    let buffer = gpu.buffer(label, total as u64, usage).map_err(data_too_large)?;
    let padded;
    let bytes = if size == stride {
        bytes
    } else {
        padded = crate::data::pad_records(bytes, size, stride);
        &padded
    };
    let whole = bytes.len() / 4 * 4;
    for (index, chunk) in bytes[..whole].chunks(CHUNK).enumerate() {
        gpu.queue().write_buffer(&buffer, (index * CHUNK) as u64, chunk);
        let submission = gpu.queue().submit([]);
        gpu.wait(Some(submission))?;
    }
    if whole < bytes.len() {
        let mut word = [0; 4];
        word[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
        gpu.queue().write_buffer(&buffer, whole as u64, &word);
    }
    Ok(buffer)
}

/// What helps when a data set does not fit is not what helps when a model does not.
fn data_too_large(error: GpuError) -> GpuError {
    match error {
        GpuError::Limit { adapter, what, limit, needed, allowed, .. } => GpuError::Limit {
            adapter,
            what: format!("the data set ({what})"),
            limit,
            needed,
            allowed,
            remedy: "use fewer samples, or --device cpu",
        },
        other => other,
    }
}
