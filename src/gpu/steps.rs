//! The steps of a plan as a device runs them: pipelines and bind groups, created once.

use std::collections::HashMap;

use rayon::prelude::*;

use super::kernel::{BuiltKernel, Checks};
use super::table::BatchTable;
use super::{Gpu, GpuError, Kernel};
use crate::executor::DataSlot;
use crate::plan::{Plan, Step};

/// A step with its kernel; its arguments are bound for each data slot.
pub(super) struct BuiltStep {
    pub(super) kernel: BuiltKernel,
    /// The index of its pipeline: steps with the same shader text share one.
    pub(super) pipeline: usize,
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

    /// Selects its kernel, its arguments, and a row of the batch table.
    pub(super) fn select(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        slot: DataSlot,
        table: Option<&BatchTable>,
        row: usize,
    ) {
        pass.set_pipeline(&self.kernel.pipeline);
        pass.set_bind_group(0, &self.bound[slot as usize], &[]);
        if let (true, Some(table)) = (self.kernel.reads_batch, table) {
            pass.set_bind_group(1, table.bound(), &[table.offset(row)]);
        }
    }

    /// Runs it on no workgroups.
    pub(super) fn encode_empty(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        slot: DataSlot,
        table: Option<&BatchTable>,
    ) {
        self.select(pass, slot, table, 0);
        pass.dispatch_workgroups(0, 0, 0);
    }
}

/// A kernel for every step; steps with the same shader text share a pipeline.
pub(super) fn build_steps(gpu: &Gpu, plan: &Plan) -> Result<Vec<BuiltStep>, GpuError> {
    let per_dimension = gpu.limits().max_compute_workgroups_per_dimension;
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut wanted = Vec::new();
    let mut steps = Vec::new();
    for step in &plan.steps {
        let Step { name, op, .. } = step;
        let Some(kernel) = gpu.kernel(op) else {
            return Err(GpuError::Unsupported {
                adapter: gpu.name().to_owned(),
                problem: format!("no kernel for step `{name}`"),
            });
        };
        let bases = step.bases();
        let variant = kernel.variant;
        let place = *places.entry(kernel.text(&bases, per_dimension)).or_insert_with(|| {
            wanted.push((kernel, bases));
            wanted.len() - 1
        });
        steps.push((variant, place));
    }
    // Side by side: translating a shader takes tens of milliseconds. Errors are caught by thread.
    let build = |(kernel, bases): (Kernel, Vec<usize>)| kernel.build(gpu, &bases, Checks::Off);
    let built = wanted.into_par_iter().map(build).collect::<Vec<_>>();
    let built = built.into_iter().collect::<Result<Vec<BuiltKernel>, _>>()?;
    let step = |(variant, place): (_, usize)| BuiltStep {
        kernel: built[place].clone(),
        pipeline: place,
        variant,
        bound: [None, None],
    };
    Ok(steps.into_iter().map(step).collect())
}
