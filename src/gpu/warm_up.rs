//! Compiling the kernels of a phase before its first pass, two at a time where that takes long.
//!
//! lavapipe compiles a kernel when it is first dispatched, on the only thread that serves the device's queue, for up
//! to most of a second. Soon after, the result is in a cache on disk for every device, so a second device can share
//! the work. A dispatch of no workgroups is enough.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, available_parallelism};
use std::time::Duration;

use super::kernel::Checks;
use super::steps::BuiltStep;
use super::table::{BatchTable, Room};
use super::{Gpu, GpuError};
use crate::executor::DataSlot;
use crate::plan::{Phase, Plan};

/// A kernel that takes longer than this was probably not in the cache.
const GRACE: Duration = Duration::from_millis(30);
/// Bytes of a buffer that no invocation reads: larger than an element of any binding.
const UNREAD: u64 = 256;

/// Encodes a step with no workgroups.
pub(super) type Encode<'a> = &'a dyn Fn(&mut wgpu::ComputePass<'_>, usize);

/// Which pipelines are compiled already.
#[derive(Default)]
pub(super) struct WarmUp {
    compiled: HashSet<usize>,
}

impl WarmUp {
    /// Compiles the kernels of a phase that are not compiled yet, if the driver would otherwise compile them one by
    /// one in its first batch.
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
        let mut cold = HashSet::new();
        let steps = plan.steps_of(phase).map(|(index, _)| index);
        let jobs: VecDeque<_> = steps
            .filter(|&index| {
                let pipeline = built[index].pipeline;
                !self.compiled.contains(&pipeline) && cold.insert(pipeline)
            })
            .collect();
        if !jobs.is_empty() {
            compile(gpu, plan, built, &Jobs(Mutex::new(jobs)), encode)?;
        }
        self.compiled.extend(cold);
        Ok(())
    }
}

/// Steps whose kernels are still to be compiled: the device that will run them takes from the front, its helper from
/// the back.
struct Jobs(Mutex<VecDeque<usize>>);

impl Jobs {
    fn with<T>(&self, act: impl FnOnce(&mut VecDeque<usize>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn compile(
    gpu: &Gpu,
    plan: &Plan,
    built: &[BuiltStep],
    jobs: &Jobs,
    encode: Encode<'_>,
) -> Result<(), GpuError> {
    // Earlier uploads are not to count as compiling.
    gpu.wait(gpu.flush())?;
    let (done, kernels) = mpsc::channel();
    thread::scope(|scope| {
        let helper = is_shared().then(|| scope.spawn(|| help_when_slow(gpu, plan, built, jobs, kernels)));
        let outcome = compile_here(gpu, jobs, encode, done);
        if outcome.is_err() {
            jobs.with(VecDeque::clear);
        }
        // What the helper did not do, the first batch does.
        match helper.map(thread::ScopedJoinHandle::join) {
            None | Some(Ok(Ok(0))) => {}
            Some(Ok(Ok(count))) => log::debug!("{count} kernels were compiled on a second device"),
            Some(Ok(Err(error))) => log::debug!("the second device stopped compiling: {error}"),
            Some(Err(_)) => log::debug!("the second device stopped compiling: it was lost"),
        }
        outcome
    })
}

/// Compiles on the device that will run the kernels; reports each that is done.
fn compile_here(gpu: &Gpu, jobs: &Jobs, encode: Encode<'_>, done: mpsc::Sender<()>) -> Result<(), GpuError> {
    while let Some(index) = jobs.with(VecDeque::pop_front) {
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        encode(&mut encoder.begin_compute_pass(&Default::default()), index);
        let submission = gpu.submit(encoder.finish());
        gpu.wait(submission)?;
        // Once the helper works, nobody receives any more.
        let _ = done.send(());
    }
    Ok(())
}

/// Starts to help when a kernel is not done within [`GRACE`].
fn help_when_slow(
    gpu: &Gpu,
    plan: &Plan,
    built: &[BuiltStep],
    jobs: &Jobs,
    kernels: mpsc::Receiver<()>,
) -> Result<usize, GpuError> {
    loop {
        match kernels.recv_timeout(GRACE) {
            Ok(()) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(0),
            Err(mpsc::RecvTimeoutError::Timeout) => return help(gpu, plan, built, jobs),
        }
    }
}

/// Whether each of two devices can have a processor core.
fn is_shared() -> bool {
    available_parallelism().is_ok_and(|cores| cores.get() > 1)
}

/// Compiles on a device of its own; returns the number of kernels.
fn help(gpu: &Gpu, plan: &Plan, built: &[BuiltStep], jobs: &Jobs) -> Result<usize, GpuError> {
    let mut next = jobs.with(VecDeque::pop_back);
    if next.is_none() {
        return Ok(0);
    }
    let sibling = gpu.sibling()?;
    let table = BatchTable::new(&sibling, Room { rows: 1, ..Room::default() })?;
    table.upload(&sibling, &[bytemuck::Zeroable::zeroed()]);
    let mut count = 0;
    while let Some(index) = next {
        let step = &plan.steps[index];
        let Some(kernel) = gpu.kernel(&step.op) else { return Ok(count) };
        let mut twin = BuiltStep {
            kernel: kernel.build(&sibling, &step.bases(), Checks::Off)?,
            bound: [None, None],
            ..built[index]
        };
        let buffer = |_| sibling.buffer("unread", UNREAD, wgpu::BufferUsages::STORAGE);
        let buffers = step.args.iter().map(buffer).collect::<Result<Vec<_>, _>>()?;
        twin.bind(&sibling, DataSlot::Training, &step.name, &buffers.iter().collect::<Vec<_>>());
        let mut encoder = sibling.device().create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            twin.encode_empty(&mut pass, DataSlot::Training, Some(&table));
        }
        let submission = sibling.submit(encoder.finish());
        sibling.wait(submission)?;
        count += 1;
        next = jobs.with(VecDeque::pop_back);
    }
    Ok(count)
}
