//! Compiling the kernels of a phase before its first pass, two at a time where that takes long.
//!
//! lavapipe compiles a kernel when it is first dispatched, on the one thread that serves the device's queue, for up to most
//! of a second. What it compiled lies on disk for every device after that, so a second device can share the work. A dispatch
//! of no workgroups is enough.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::kernel::Checks;
use super::steps::BuiltStep;
use super::table::{Room, StepTable};
use super::{Gpu, GpuError};
use crate::executor::DataSlot;
use crate::plan::{Phase, Plan};

/// A kernel that is not ready after this long was not found on disk.
const GRACE: Duration = Duration::from_millis(30);
/// Bytes of a buffer that no invocation reads: more than an element of any binding.
const UNREAD: u64 = 256;

/// Encodes a step with no workgroups.
pub(super) type Encode<'a> = &'a dyn Fn(&mut wgpu::ComputePass<'_>, usize);

/// Which pipelines are compiled.
#[derive(Default)]
pub(super) struct WarmUp {
    compiled: HashSet<usize>,
}

impl WarmUp {
    /// Has the kernels of a phase compiled that are not yet, if the driver would do so one by one in its first step.
    pub(super) fn run(
        &mut self,
        gpu: &Gpu,
        plan: &Plan,
        built: &[BuiltStep],
        phase: Phase,
        encode: Encode<'_>,
    ) -> Result<(), GpuError> {
        if !gpu.driver().starts_with("llvmpipe") {
            return Ok(());
        }
        let mut compiled = self.compiled.clone();
        let steps = plan.steps_of(phase).map(|(index, _)| index);
        let jobs: VecDeque<_> = steps.filter(|&index| compiled.insert(built[index].pipeline)).collect();
        compile(gpu, plan, &Jobs(Mutex::new(jobs)), encode)?;
        self.compiled = compiled;
        Ok(())
    }
}

/// Steps whose kernels are still to be compiled: the device that will run them takes from the front, its helper from the
/// back.
struct Jobs(Mutex<VecDeque<usize>>);

impl Jobs {
    fn take(&self, from: fn(&mut VecDeque<usize>) -> Option<usize>) -> Option<usize> {
        from(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn compile(gpu: &Gpu, plan: &Plan, jobs: &Jobs, encode: Encode<'_>) -> Result<(), GpuError> {
    std::thread::scope(|scope| {
        let mut helped = false;
        while let Some(index) = jobs.take(VecDeque::pop_front) {
            let mut encoder = gpu.device().create_command_encoder(&Default::default());
            encode(&mut encoder.begin_compute_pass(&Default::default()), index);
            let submission = gpu.submit(encoder.finish());
            if !helped && !gpu.is_done_within(&submission, GRACE)? {
                helped = true;
                scope.spawn(|| match help(gpu, plan, jobs) {
                    Ok(count) => log::debug!("{count} kernels were compiled on a second device"),
                    // The first one does it as well, more slowly.
                    Err(error) => log::debug!("no second device compiles: {error}"),
                });
            }
            gpu.wait(Some(submission))?;
        }
        Ok(())
    })
}

/// Compiles on a device of its own; says how many kernels.
fn help(gpu: &Gpu, plan: &Plan, jobs: &Jobs) -> Result<usize, GpuError> {
    let sibling = gpu.sibling()?;
    let table = StepTable::new(&sibling, Room { rows: 1, ..Room::default() })?;
    table.upload(&sibling, &[bytemuck::Zeroable::zeroed()]);
    let mut count = 0;
    while let Some(index) = jobs.take(VecDeque::pop_back) {
        let step = &plan.steps[index];
        let Some(kernel) = gpu.kernel(&step.op) else { continue };
        let bases: Vec<_> = step.args.iter().map(|tensor| tensor.offset).collect();
        let mut built = BuiltStep {
            kernel: kernel.build(&sibling, &step.op, &bases, Checks::Off)?,
            pipeline: index,
            variant: kernel.variant,
            bound: [None, None],
        };
        let buffer = |_| sibling.buffer("unread", UNREAD, wgpu::BufferUsages::STORAGE);
        let buffers = step.args.iter().map(buffer).collect::<Result<Vec<_>, _>>()?;
        built.bind(&sibling, DataSlot::Training, &step.name, &buffers.iter().collect::<Vec<_>>());
        let mut encoder = sibling.device().create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            built.select(&mut pass, DataSlot::Training, Some(&table), 0);
            pass.dispatch_workgroups(0, 0, 0);
        }
        let submission = sibling.submit(encoder.finish());
        sibling.wait(Some(submission))?;
        count += 1;
    }
    Ok(count)
}
