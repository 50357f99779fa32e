//! From a kernel to a compute pipeline.

use super::{Gpu, GpuError};
use crate::ops::{Access, Kernel};
use crate::wait;

/// Which checks the shader compiler adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// Bounds of memory and of loops are checked while running.
    On,
    /// None are: what training uses, since `verify` runs every kernel both ways.
    Off,
}

/// A kernel made for one step.
#[derive(Debug, Clone)]
pub struct BuiltKernel {
    /// The pipeline.
    pub pipeline: wgpu::ComputePipeline,
    /// Layout of group 0, the arguments.
    pub arguments: wgpu::BindGroupLayout,
    /// Workgroups along x and y.
    pub groups: [u32; 2],
    /// Whether group 1, the row of the batch, is needed.
    pub reads_batch: bool,
}

impl Kernel {
    /// Makes the pipeline for one step.
    ///
    /// # Errors
    /// When the shader compiler or the driver refuses it; names the file and line where that is known.
    pub(crate) fn build(&self, gpu: &Gpu, bases: &[usize], checks: Checks) -> Result<BuiltKernel, GpuError> {
        self.build_folded(gpu, bases, checks, gpu.limits().max_compute_workgroups_per_dimension)
    }

    /// Like [`Kernel::build`], with groups folded into y as if the device allowed only `per_dimension` of them in
    /// each dimension: what a large step does, in a small one.
    ///
    /// # Errors
    /// As [`Kernel::build`].
    pub(crate) fn build_folded(
        &self,
        gpu: &Gpu,
        bases: &[usize],
        checks: Checks,
        per_dimension: u32,
    ) -> Result<BuiltKernel, GpuError> {
        let [x, y] = self.groups(per_dimension);
        if y > per_dimension {
            return Err(gpu.limit_error(
                self.title(),
                "max_compute_workgroups_per_dimension",
                u64::from(y),
                u64::from(per_dimension),
            ));
        }
        let text = self.text(bases, per_dimension);
        let module = self.module(gpu, &text, checks, |line| self.locate(bases, per_dimension, line))?;
        let arguments = self.arguments_layout(gpu);
        let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let batch = gpu.batch_layout();
        let groups: &[_] =
            if self.reads_batch { &[Some(&arguments), Some(batch)] } else { &[Some(&arguments)] };
        let layout = gpu.device().create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(self.kind),
            bind_group_layouts: groups,
            immediate_size: 0,
        });
        let pipeline = gpu.device().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(self.kind),
            layout: Some(&layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[],
                // No kernel reads workgroup memory that it did not write. But a compiler of Metal misplaces barriers unless it is zeroed
                // (https://github.com/gfx-rs/wgpu/issues/4500).
                zero_initialize_workgroup_memory: gpu.is_metal(),
            },
            cache: None,
        });
        if let Some(error) = wait::block_on(scope.pop()) {
            return Err(self.error("pipeline", error));
        }
        Ok(BuiltKernel { pipeline, arguments, groups: [x, y], reads_batch: self.reads_batch })
    }

    fn module(
        &self,
        gpu: &Gpu,
        text: &str,
        checks: Checks,
        locate: impl Fn(usize) -> String,
    ) -> Result<wgpu::ShaderModule, GpuError> {
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(self.kind),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        };
        let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let module = match checks {
            Checks::On => gpu.device().create_shader_module(descriptor),
            // SAFETY: `build` is for this crate alone, and compiles unchecked only kernels that `Op::kernels` made from
            // the rows of ops. Every index in them is derived from the sizes that their buffers were allocated with, or
            // is a sample number or label that the host has checked; every loop has a bound. `verify` runs all of them
            // with checks on and off, between guard bands.
            Checks::Off => unsafe {
                let unchecked = wgpu::ShaderRuntimeChecks::unchecked();
                gpu.device().create_shader_module_trusted(descriptor, unchecked)
            },
        };
        let Some(error) = wait::block_on(scope.pop()) else {
            return Ok(module);
        };
        let info = wait::block_on(module.get_compilation_info());
        let line = info.messages.iter().find_map(|message| message.location);
        let place = line.map_or("shader".to_owned(), |at| locate(at.line_number as usize));
        Err(self.error(&place, error))
    }

    fn error(&self, place: &str, error: wgpu::Error) -> GpuError {
        GpuError::Kernel { kernel: self.title(), place: place.to_owned(), message: error.to_string() }
    }

    fn arguments_layout(&self, gpu: &Gpu) -> wgpu::BindGroupLayout {
        let entries: Vec<_> = self
            .args
            .iter()
            .zip(0..)
            .map(|(spec, binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: spec.access == Access::In },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        gpu.device().create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(self.kind),
            entries: &entries,
        })
    }
}
