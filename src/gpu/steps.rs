//! The steps of a plan as a device runs them: pipelines and bind groups, made once.

use std::collections::HashMap;

use super::kernel::{BuiltKernel, Checks};
use super::{Gpu, GpuError};
use crate::executor::DataSlot;
use crate::plan::{Plan, Step};

/// A step with its kernel; its arguments are bound for each data slot.
pub(super) struct BuiltStep {
    pub(super) kernel: BuiltKernel,
    pub(super) variant: &'static str,
    pub(super) bound: [Option<wgpu::BindGroup>; 2],
}

impl BuiltStep {
    /// Binds a buffer for each argument.
    pub(super) fn bind(&mut self, gpu: &Gpu, slot: DataSlot, label: &str, buffers: &[&wgpu::Buffer]) {
        let entries: Vec<_> = buffers
            .iter()
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        self.bound[slot as usize] = Some(gpu.bind_group(label, &self.kernel.arguments, &entries));
    }
}

/// A kernel for every step; steps whose shader text is the same share a pipeline.
pub(super) fn build_steps(gpu: &Gpu, plan: &Plan) -> Result<Vec<BuiltStep>, GpuError> {
    let per_dimension = gpu.limits().max_compute_workgroups_per_dimension;
    let mut built: HashMap<String, BuiltKernel> = HashMap::new();
    let mut steps = Vec::new();
    for Step { name, op, args, .. } in &plan.steps {
        let Some(kernel) = gpu.kernel(op) else {
            return Err(GpuError::Unsupported {
                adapter: gpu.name().to_owned(),
                problem: format!("no kernel for step `{name}`"),
            });
        };
        let bases: Vec<_> = args.iter().map(|tensor| tensor.offset).collect();
        let text = kernel.text(op, &bases, per_dimension);
        let kernel_of_step = match built.get(&text) {
            Some(known) => known.clone(),
            None => {
                let new = kernel.build(gpu, op, &bases, Checks::Off)?;
                built.insert(text, new.clone());
                new
            }
        };
        steps.push(BuiltStep { kernel: kernel_of_step, variant: kernel.variant, bound: [None, None] });
    }
    Ok(steps)
}
