//! Running one step on a device, on buffers of its own.

use super::band::Band;
use super::case::Case;
use crate::gpu::{BuiltKernel, Checks, Gpu, GpuError, Kernel};
use crate::ops::kit::{HOSTILE_F32, HOSTILE_U32};
use crate::plan::{Access, BatchParams};

const STORAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_DST).union(wgpu::BufferUsages::COPY_SRC);

/// The row of the batch table that a case uses; the rows around it are hostile.
const STEP_ROW: u64 = 1;

/// The buffers of one case.
pub(super) struct Bench<'a> {
    gpu: &'a Gpu,
    case: &'a Case,
    bands: &'a [Band],
    buffers: Vec<wgpu::Buffer>,
    step: wgpu::BindGroup,
}

/// A kernel with its arguments.
pub(super) struct Ready {
    built: BuiltKernel,
    arguments: wgpu::BindGroup,
}

impl<'a> Bench<'a> {
    /// Allocates the bindings and uploads what is in them.
    pub(super) fn new(gpu: &'a Gpu, case: &'a Case, bands: &'a [Band]) -> Result<Self, GpuError> {
        let mut buffers = Vec::new();
        for band in bands {
            let buffer = gpu.buffer(band.spec.name, bytes(&band.words), STORAGE)?;
            gpu.queue().write_buffer(&buffer, 0, bytemuck::cast_slice(&band.words));
            buffers.push(buffer);
        }
        Ok(Bench { gpu, case, bands, buffers, step: batch_table(gpu, case)? })
    }

    /// Compiles a kernel and binds its arguments.
    pub(super) fn ready(&self, kernel: &Kernel, checks: Checks) -> Result<Ready, GpuError> {
        let built = self.build(kernel, checks)?;
        let arguments = self.bind(&built);
        Ok(Ready { built, arguments })
    }

    /// Encodes a kernel once, on whatever its arguments hold.
    pub(super) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, ready: &Ready) {
        pass.set_pipeline(&ready.built.pipeline);
        pass.set_bind_group(0, &ready.arguments, &[]);
        if ready.built.reads_batch {
            pass.set_bind_group(1, &self.step, &[(STEP_ROW * self.gpu.batch_stride()) as u32]);
        }
        let [x, y] = ready.built.groups;
        pass.dispatch_workgroups(x, y, 1);
    }

    /// Runs a kernel once and reads every binding back.
    pub(super) fn run(&self, ready: &Ready) -> Result<Vec<Vec<u32>>, GpuError> {
        let gpu = self.gpu;
        for (band, buffer) in self.bands.iter().zip(&self.buffers) {
            if band.spec.access != Access::In {
                gpu.queue().write_buffer(buffer, 0, bytemuck::cast_slice(&band.words));
            }
        }
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        self.dispatch(&mut encoder.begin_compute_pass(&Default::default()), ready);
        gpu.queue().submit([encoder.finish()]);
        let lengths = self.bands.iter().map(|band| band.words.len());
        self.buffers.iter().zip(lengths).map(|(buffer, len)| gpu.read_words(buffer, 0, len)).collect()
    }

    fn build(&self, kernel: &Kernel, checks: Checks) -> Result<BuiltKernel, GpuError> {
        let bases: Vec<usize> = self.bands.iter().map(|band| band.base).collect();
        if self.case.folded {
            kernel.build_folded(self.gpu, &bases, checks, side_of_square(kernel))
        } else {
            kernel.build(self.gpu, &bases, checks)
        }
    }

    fn bind(&self, built: &BuiltKernel) -> wgpu::BindGroup {
        let entries: Vec<_> = self
            .buffers
            .iter()
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        self.gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("arguments"),
            layout: &built.arguments,
            entries: &entries,
        })
    }
}

/// Groups along x when all groups of a step are folded into a square, or nearly so.
pub(super) fn side_of_square(kernel: &Kernel) -> u32 {
    let groups = kernel.groups(u32::MAX)[0];
    f64::from(groups).sqrt().ceil() as u32
}

fn bytes(words: &[u32]) -> u64 {
    size_of_val(words) as u64
}

/// A batch table whose rows before and after the case's own hold nothing that a kernel could use.
fn batch_table(gpu: &Gpu, case: &Case) -> Result<wgpu::BindGroup, GpuError> {
    let hostile = BatchParams {
        batch_size: 0,
        first: HOSTILE_U32,
        slot: HOSTILE_U32,
        learning_rate: HOSTILE_F32,
        correction: HOSTILE_F32,
        training: HOSTILE_U32,
        number: HOSTILE_U32,
        position: HOSTILE_U32,
        seed_low: HOSTILE_U32,
        seed_high: HOSTILE_U32,
        guarded: HOSTILE_U32,
        divisor: 0,
    };
    let rows = gpu.batch_table(&[hostile, case.batch, hostile]);
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    let buffer = gpu.buffer("batch table", rows.len() as u64, usage)?;
    gpu.queue().write_buffer(&buffer, 0, &rows);
    Ok(gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("step"),
        layout: gpu.batch_layout(),
        entries: &[wgpu::BindGroupEntry {
            binding: 0,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &buffer,
                offset: 0,
                size: wgpu::BufferSize::new(size_of::<BatchParams>() as u64),
            }),
        }],
    }))
}
