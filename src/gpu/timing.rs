//! Times of kernels and of the host, measured while a plan runs.

use std::ops::Range;
use std::time::Duration;

use super::{Gpu, GpuError};
use crate::profile::{Clock, Profile, ProfileSoFar, Profiler, Sampling};
use crate::wait::Instant;

/// Timestamps before and after each of several passes.
pub(crate) struct Stamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    passes: u32,
    /// Seconds per tick.
    tick: f64,
}

impl Stamps {
    /// For this many passes; `None` where the device has no timestamps or not that many.
    pub(crate) fn new(gpu: &Gpu, passes: usize) -> Result<Option<Self>, GpuError> {
        let enough = 2 * passes <= wgpu::QUERY_SET_MAX_QUERIES as usize;
        if !enough || !gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let passes = passes as u32;
        let queries = gpu.device().create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("step times"),
            ty: wgpu::QueryType::Timestamp,
            count: 2 * passes,
        });
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let bytes = u64::from(2 * passes) * size_of::<u64>() as u64;
        let resolved = gpu.buffer("step times", bytes, usage)?;
        let tick = f64::from(gpu.queue().get_timestamp_period()) * 1e-9;
        gpu.check()?;
        Ok(Some(Stamps { queries, resolved, passes, tick }))
    }

    /// The timestamps that pass number `pass` writes.
    pub(crate) fn of_pass(&self, pass: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        let first = 2 * pass as u32;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }

    /// Makes what the passes wrote readable; after the last of them.
    pub(crate) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..2 * self.passes, &self.resolved, 0);
    }

    /// Seconds that each pass took.
    pub(crate) fn read(&self, gpu: &Gpu) -> Result<Vec<f64>, GpuError> {
        let words_per_tick = size_of::<u64>() / size_of::<u32>();
        let words = gpu.read_words(&self.resolved, 0, 2 * self.passes as usize * words_per_tick)?;
        let ticks: Vec<u64> =
            words.chunks_exact(words_per_tick).map(|w| u64::from(w[0]) | u64::from(w[1]) << 32).collect();
        // A device may reset its counter; such a pass counts as 0 rather than as a huge time.
        Ok(ticks.chunks_exact(2).map(|t| t[1].saturating_sub(t[0]) as f64 * self.tick).collect())
    }
}

/// Measures the batches of training passes.
pub(super) struct Timer {
    pub(super) profiler: Profiler,
    /// One pass per step of the plan; the host's clock is used if there are no timestamps.
    stamps: Option<Stamps>,
    /// When the batches that run as a whole began, and their number.
    whole: Option<(Instant, usize)>,
}

impl Timer {
    /// For a plan of `steps` steps, of which `training` run in training.
    pub(super) fn new(gpu: &Gpu, steps: usize, training: usize) -> Result<Self, GpuError> {
        Ok(Timer::with(Stamps::new(gpu, training)?, steps))
    }

    fn with(stamps: Option<Stamps>, steps: usize) -> Self {
        let clock = if stamps.is_some() { Clock::Device } else { Clock::Submission };
        Timer { profiler: Profiler::new(clock, steps), stamps, whole: None }
    }

    /// As on a device without timestamps.
    #[cfg(test)]
    pub(super) fn without_stamps(steps: usize) -> Self {
        Timer::with(None, steps)
    }

    /// The first of these rows, up to the next one that is measured step by step.
    pub(super) fn up_to_next(&self, rows: Range<usize>) -> Range<usize> {
        rows.start..rows.start.saturating_add(self.profiler.before_next()).min(rows.end)
    }

    /// Before a submission of batches that run as a whole.
    pub(super) fn begin_whole(&mut self, batches: usize) {
        let (_, count) = self.whole.get_or_insert_with(|| (Instant::now(), 0));
        *count += batches;
    }

    /// After that submission.
    pub(super) fn submitted(&mut self, encode: Duration, submit: Duration, batches: usize) {
        self.profiler.submission(encode, submit, batches);
        self.profiler.ran(batches);
    }

    /// When all that was submitted has run.
    pub(super) fn end_whole(&mut self) {
        if let Some((begun, batches)) = self.whole.take() {
            self.profiler.whole(begun.elapsed(), batches);
        }
    }

    /// Runs the steps of one batch, each in a pass of its own that `dispatch` fills, and records their times.
    pub(super) fn run_steps(
        &mut self,
        gpu: &Gpu,
        steps: &[usize],
        dispatch: &dyn Fn(&mut wgpu::ComputePass<'_>, usize),
    ) -> Result<(), GpuError> {
        self.profiler.ran(1);
        let Some(stamps) = &self.stamps else {
            return self.run_alone(gpu, steps, dispatch);
        };
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        for (number, &index) in steps.iter().enumerate() {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("step"),
                timestamp_writes: Some(stamps.of_pass(number)),
            });
            dispatch(&mut pass, index);
        }
        stamps.resolve(&mut encoder);
        let submission = gpu.submit(encoder.finish());
        gpu.wait(submission)?;
        for (&index, seconds) in steps.iter().zip(stamps.read(gpu)?) {
            self.profiler.step(index, seconds);
        }
        Ok(())
    }

    /// The same with one submission per step, and a wait after each.
    fn run_alone(
        &mut self,
        gpu: &Gpu,
        steps: &[usize],
        dispatch: &dyn Fn(&mut wgpu::ComputePass<'_>, usize),
    ) -> Result<(), GpuError> {
        for &index in steps {
            let mut encoder = gpu.device().create_command_encoder(&Default::default());
            dispatch(&mut encoder.begin_compute_pass(&Default::default()), index);
            let commands = encoder.finish();
            let begun = Instant::now();
            let submission = gpu.submit(commands);
            gpu.wait(submission)?;
            self.profiler.step(index, begun.elapsed().as_secs_f64());
        }
        Ok(())
    }

    pub(super) fn sample(&mut self, sampling: Sampling) -> ProfileSoFar {
        self.profiler.sample(sampling)
    }

    pub(super) fn finish(self) -> Profile {
        self.profiler.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use super::*;
    use crate::data::Dataset;
    use crate::data::batches::epoch_order;
    use crate::device::{Device, DeviceChoice};
    use crate::executor::{DataSlot, Executor, Pass};
    use crate::gpu::GpuExecutor;
    use crate::io::ModelFile;
    use crate::model::{Loss, Optimizer};
    use crate::ops::BatchParams;
    use crate::plan::{Phase, Plan};

    type Measure<'a> = &'a dyn Fn(&mut GpuExecutor);

    /// Losses of some training batches, and what was measured meanwhile.
    fn losses(gpu: &Arc<Gpu>, measure: Measure<'_>) -> (Vec<f32>, Option<Profile>) {
        let network = ModelFile::tutorial().unwrap().model.network().unwrap();
        let plan = Plan::build(&network, Loss::default(), Optimizer::default(), 4).unwrap();
        let mut executor = GpuExecutor::new(Arc::clone(gpu), plan).unwrap();
        for (place, tensor) in
            executor.plan().parameters.clone().iter().zip(network.initial_weights(0).tensors())
        {
            executor.write(place, &tensor.values).unwrap();
        }
        let images = (0..20 * 784).map(|at| (at * 37 % 251) as u8).collect();
        let data = Dataset::new(images, (0..20).map(|at| at % 10).collect(), [28, 28, 1], 10).unwrap();
        executor.set_data(DataSlot::Training, &data).unwrap();
        measure(&mut executor);
        let (order, steps) = (epoch_order(20, 0, None), BatchParams::of_pass(20, 4, 1e-3));
        let pass = Pass {
            phase: Phase::Train,
            data: DataSlot::Training,
            order: &order,
            batches: &steps,
            transforms: &[],
        };
        let mut losses = Vec::new();
        executor
            .run(&pass, &mut |_, metrics| {
                losses.push(metrics.loss);
                ControlFlow::Continue(())
            })
            .unwrap();
        (losses, executor.take_profile())
    }

    #[test]
    fn steps_are_measured_with_timestamps_and_without() {
        let Device::Gpu(gpu) = Device::open(&DeviceChoice::Software).unwrap().0 else { unreachable!() };
        let (plain, none) = losses(&gpu, &|_| {});
        assert!(plain.len() == 5 && none.is_none());
        let with_stamps = |executor: &mut GpuExecutor| {
            executor.profile(Sampling::Every(2)).unwrap();
        };
        let without = |executor: &mut GpuExecutor| {
            executor.timer = Some(Timer::without_stamps(executor.plan().steps.len()));
            executor.profile(Sampling::Every(2)).unwrap();
        };
        let rows: [(_, Measure<'_>); 2] = [("timestamps", &with_stamps), ("submissions", &without)];
        for (what, measure) in rows {
            let (measured, profile) = losses(&gpu, measure);
            assert_eq!(measured, plain, "{what}");
            let profile = profile.unwrap();
            // Batches 0, 2 and 4 step by step, 1 and 3 whole.
            assert_eq!(profile.samples(), 3, "{what}");
            assert!(profile.step(0).is_some_and(|seconds| seconds > 0.0), "{what}");
            assert!(profile.whole().is_some_and(|seconds| seconds > 0.0), "{what}");
            assert!(profile.encode().is_some() && profile.submit().is_some(), "{what}");
        }
    }
}
