//! Submissions under way: a bounded number, each sized by the time the last ones took.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Gpu, GpuError};
use crate::executor::BatchMetrics;

/// Submissions that may be under way at once.
const IN_FLIGHT: usize = 3;
/// Most steps of one submission.
pub(super) const MAX_STEPS: usize = 32;
/// The work of one submission is meant to take less than this: far from a driver's watchdog (2 s on Windows), long
/// enough that waiting for it costs nothing.
const TARGET: Duration = Duration::from_millis(100);

type Mapped = futures_intrusive::channel::shared::OneshotReceiver<Result<(), wgpu::BufferAsyncError>>;

/// Metrics of some steps on their way to the host.
struct Submission {
    index: wgpu::SubmissionIndex,
    staging: wgpu::Buffer,
    mapped: Option<Mapped>,
    first_slot: usize,
    steps: usize,
    begun: Instant,
}

/// The submissions under way and the staging buffers that wait for the next ones.
pub(super) struct Flight {
    idle: Vec<wgpu::Buffer>,
    queue: VecDeque<Submission>,
    steps_per_submit: usize,
    last_landing: Option<Instant>,
}

impl Flight {
    pub(super) fn new() -> Self {
        Flight { idle: Vec::new(), queue: VecDeque::new(), steps_per_submit: 1, last_landing: None }
    }

    /// Forgets what is under way, after an error.
    pub(super) fn abandon(&mut self) {
        *self = Flight::new();
    }

    /// How many steps the next submission shall have.
    pub(super) fn steps(&self) -> usize {
        self.steps_per_submit
    }

    /// A staging buffer for `steps` losses, then as many counts; waits for the oldest submission when none is idle.
    pub(super) fn staging(
        &mut self,
        gpu: &Gpu,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics),
    ) -> Result<wgpu::Buffer, GpuError> {
        if self.idle.is_empty() && self.queue.len() == IN_FLIGHT {
            self.land(gpu, on_metrics)?;
        }
        match self.idle.pop() {
            Some(staging) => Ok(staging),
            None => {
                let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
                let bytes = (MAX_STEPS * 2 * size_of::<u32>()) as u64;
                gpu.buffer("metrics readback", bytes, usage)
            }
        }
    }

    /// Notes a submission; with `metrics`, its figures were copied into `staging`.
    pub(super) fn depart(
        &mut self,
        index: wgpu::SubmissionIndex,
        staging: wgpu::Buffer,
        metrics: bool,
        first_slot: usize,
        steps: usize,
    ) {
        let mapped = metrics.then(|| {
            let (sender, receiver) = futures_intrusive::channel::shared::oneshot_channel();
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                // The receiver is gone only when the run was given up.
                let _ = sender.send(result);
            });
            receiver
        });
        self.queue.push_back(Submission { index, staging, mapped, first_slot, steps, begun: Instant::now() });
    }

    /// Waits for all submissions.
    pub(super) fn land_all(
        &mut self,
        gpu: &Gpu,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics),
    ) -> Result<(), GpuError> {
        while !self.queue.is_empty() {
            self.land(gpu, on_metrics)?;
        }
        Ok(())
    }

    fn land(&mut self, gpu: &Gpu, on_metrics: &mut dyn FnMut(usize, BatchMetrics)) -> Result<(), GpuError> {
        let Some(submission) = self.queue.pop_front() else {
            return Ok(());
        };
        gpu.wait(Some(submission.index))?;
        // Its work began when it was submitted or when the one before it was done, whichever was later.
        let begun = self.last_landing.map_or(submission.begun, |last| last.max(submission.begun));
        self.adapt(begun.elapsed(), submission.steps);
        self.last_landing = Some(Instant::now());
        if let Some(mapped) = submission.mapped {
            if let Some(Err(error)) = pollster::block_on(mapped.receive()) {
                return Err(gpu.device_error(error.to_string()));
            }
            let view = submission
                .staging
                .get_mapped_range(..)
                .map_err(|error| gpu.device_error(error.to_string()))?;
            let word = |at: usize| {
                let bytes = &view[at * size_of::<u32>()..][..size_of::<u32>()];
                bytemuck::pod_read_unaligned::<u32>(bytes)
            };
            for step in 0..submission.steps {
                let metrics =
                    BatchMetrics { loss: f32::from_bits(word(step)), correct: word(MAX_STEPS + step) };
                on_metrics(submission.first_slot + step, metrics);
            }
            drop(view);
            submission.staging.unmap();
        }
        self.idle.push(submission.staging);
        Ok(())
    }

    /// Twice the steps where the work was short, half where it was long. How steps are grouped changes no bit.
    fn adapt(&mut self, took: Duration, steps: usize) {
        if took < TARGET && steps >= self.steps_per_submit {
            self.steps_per_submit = (self.steps_per_submit * 2).min(MAX_STEPS);
        } else if took > TARGET * 3 && steps <= self.steps_per_submit {
            self.steps_per_submit = (self.steps_per_submit / 2).max(1);
        }
    }
}
