//! One step by itself, on your own numbers: to examine a kernel, or to try one.

use super::kernel::{BuiltKernel, Checks};
use super::table::{BatchTable, Room};
use super::{Gpu, GpuError};
use crate::plan::{Access, BatchParams, DATA, Op};

impl Gpu {
    /// Runs one step once, with its kernel for this adapter ([`Gpu::kernel`]) and all checks of the shader compiler.
    ///
    /// `arguments` are those of [`Op::args`], in that order and with those shapes, as 32-bit words
    /// (`bytemuck::cast_slice_mut` turns floats into words); what the step writes is written back. `params` are read
    /// by kernels that depend on the batch, such as those of losses and optimizers. Each call creates buffers and a
    /// pipeline: for repeated runs there is the [`GpuExecutor`](super::GpuExecutor).
    ///
    /// # Errors
    /// [`GpuError::Arguments`] when their number or a length is wrong; else errors of building a kernel, of memory,
    /// and of the device.
    pub fn run_once(
        &self,
        op: &Op,
        params: &BatchParams,
        arguments: &mut [&mut [u32]],
    ) -> Result<(), GpuError> {
        let problem = |problem: String| GpuError::Arguments { kind: op.kind(), problem };
        let specs = op.args();
        if specs.len() != arguments.len() {
            return Err(problem(format!("it takes {} arguments, not {}", specs.len(), arguments.len())));
        }
        for (spec, words) in specs.iter().zip(arguments.iter()) {
            let elements: usize = spec.shape.iter().filter(|&&size| size != DATA).product();
            let needed = (elements * spec.dtype.bytes() as usize).div_ceil(size_of::<u32>());
            let is_open = spec.shape.contains(&DATA);
            let fits = if is_open {
                !words.is_empty() && words.len().is_multiple_of(needed)
            } else {
                words.len() == needed
            };
            if !fits {
                let times = if is_open { "a multiple of " } else { "" };
                return Err(problem(format!(
                    "`{}` {:?} takes {times}{needed} words of 32 bits, not {}",
                    spec.name,
                    spec.shape,
                    words.len()
                )));
            }
        }
        let kernel =
            self.kernel(op).ok_or_else(|| problem("no kernel runs it on this adapter".to_owned()))?;
        let built = kernel.build(self, &vec![0; specs.len()], Checks::On)?;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let mut buffers = Vec::new();
        for (spec, words) in specs.iter().zip(arguments.iter()) {
            let buffer = self.buffer(spec.name, size_of_val(*words) as u64, usage)?;
            self.upload(&buffer, 0, bytemuck::cast_slice(words));
            buffers.push(buffer);
        }
        self.dispatch_once(&built, params, &buffers)?;
        for ((spec, words), buffer) in specs.iter().zip(arguments).zip(&buffers) {
            if spec.access != Access::In {
                words.copy_from_slice(&self.read_words(buffer, 0, words.len())?);
            }
        }
        self.check()
    }

    fn dispatch_once(
        &self,
        built: &BuiltKernel,
        params: &BatchParams,
        buffers: &[wgpu::Buffer],
    ) -> Result<(), GpuError> {
        let entries: Vec<_> = buffers
            .iter()
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let arguments = self.bind_group("arguments", &built.arguments, &entries);
        let table = BatchTable::new(self, Room { rows: 1, ..Room::default() })?;
        table.upload(self, &[*params]);
        let mut encoder = self.device().create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&built.pipeline);
            pass.set_bind_group(0, &arguments, &[]);
            if built.reads_batch {
                pass.set_bind_group(1, table.bound(), &[table.offset(0)]);
            }
            let [x, y] = built.groups;
            pass.dispatch_workgroups(x, y, 1);
        }
        let submission = self.submit(encoder.finish());
        self.wait(submission)
    }
}
