//! Submissions under way: a bounded number, each sized by the time the last ones took, with the buffers that they
//! exchange with the host.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::memory::Mapped;
use super::{Gpu, GpuError};
use crate::executor::BatchMetrics;

/// Submissions that may be under way at once.
pub(super) const IN_FLIGHT: usize = 3;
/// Most steps of one submission.
pub(super) const MAX_STEPS: usize = 32;
/// Words that come back with a submission: losses, counts, and the tripwire.
pub(super) const FIGURES: usize = 2 * MAX_STEPS + 1;
/// The work of one submission is meant to take less than this: far from a driver's watchdog (2 s on Windows), long
/// enough that waiting for it costs nothing.
const TARGET: Duration = Duration::from_millis(100);

/// What a submission takes along; there is one for each that may be under way.
pub(super) struct Berth {
    /// Where its figures come back.
    pub(super) metrics: wgpu::Buffer,
    /// In which samples go to the device, where they are streamed: mapped while it waits.
    pub(super) samples: Option<wgpu::Buffer>,
}

/// What is known of a submission when it is given to the device.
pub(super) struct Departure {
    pub(super) index: wgpu::SubmissionIndex,
    /// Whether its figures were copied to its berth.
    pub(super) metrics: bool,
    /// Whether its samples were in its berth.
    pub(super) samples: bool,
    pub(super) first_slot: usize,
    pub(super) steps: usize,
}

/// Some steps under way.
struct Submission {
    departure: Departure,
    berth: Berth,
    /// When its buffers are the host's again.
    mapped: [Option<Mapped>; 2],
    begun: Instant,
}

/// The submissions under way and the berths that wait for the next ones.
pub(super) struct Flight {
    idle: Vec<Berth>,
    queue: VecDeque<Submission>,
    steps_per_submit: usize,
    last_landing: Option<Instant>,
    /// The row of the pass that tripped, as far as that is known.
    pub(super) tripped: Option<usize>,
}

impl Flight {
    pub(super) fn new() -> Self {
        Flight {
            idle: Vec::new(),
            queue: VecDeque::new(),
            steps_per_submit: 1,
            last_landing: None,
            tripped: None,
        }
    }

    /// Forgets what is under way, after an error.
    pub(super) fn abandon(&mut self) {
        *self = Flight::new();
    }

    /// How many steps the next submission shall have.
    pub(super) fn steps(&self) -> usize {
        self.steps_per_submit
    }

    /// Allocates what the submissions of a pass take along; with `samples`, they carry up to so many bytes of them.
    /// Between passes, when nothing is under way.
    pub(super) fn make_ready(&mut self, gpu: &Gpu, samples: Option<u64>) -> Result<(), GpuError> {
        let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
        let bytes = (FIGURES * size_of::<u32>()) as u64;
        while self.idle.len() < IN_FLIGHT {
            let metrics = gpu.buffer("metrics readback", bytes, usage)?;
            self.idle.push(Berth { metrics, samples: None });
        }
        if let Some(bytes) = samples {
            for berth in self.idle.iter_mut().filter(|berth| berth.samples.is_none()) {
                berth.samples = Some(gpu.staging("samples staging", bytes)?);
            }
        }
        Ok(())
    }

    /// A berth for the next submission; waits for the oldest one when none is idle.
    pub(super) fn berth(
        &mut self,
        gpu: &Gpu,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics),
    ) -> Result<Berth, GpuError> {
        loop {
            match self.idle.pop() {
                Some(berth) => return Ok(berth),
                None if self.queue.is_empty() => self.make_ready(gpu, None)?,
                None => self.land(gpu, on_metrics)?,
            }
        }
    }

    /// Notes a submission.
    pub(super) fn depart(&mut self, gpu: &Gpu, departure: Departure, berth: Berth) {
        let metrics = departure.metrics.then(|| gpu.map(&berth.metrics, wgpu::MapMode::Read));
        let samples = berth.samples.as_ref().filter(|_| departure.samples);
        let samples = samples.map(|samples| gpu.map(samples, wgpu::MapMode::Write));
        let mapped = [metrics, samples];
        self.queue.push_back(Submission { departure, berth, mapped, begun: Instant::now() });
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
        let Some(Submission { departure, berth, mapped, begun }) = self.queue.pop_front() else {
            return Ok(());
        };
        gpu.wait(Some(departure.index))?;
        // Its work began when it was submitted or when the one before it was done, whichever was later.
        let begun = self.last_landing.map_or(begun, |last| last.max(begun));
        self.adapt(begun.elapsed(), departure.steps);
        self.last_landing = Some(Instant::now());
        for mapped in mapped.into_iter().flatten() {
            gpu.mapped(&mapped)?;
        }
        if departure.metrics {
            let view =
                berth.metrics.get_mapped_range(..).map_err(|error| gpu.device_error(error.to_string()))?;
            let word = |at: usize| {
                let bytes = &view[at * size_of::<u32>()..][..size_of::<u32>()];
                bytemuck::pod_read_unaligned::<u32>(bytes)
            };
            // The row counted from 1, so that it is the number of rows that count.
            let tripped = Some(word(FIGURES - 1) as usize).filter(|&row| row > 0);
            self.tripped = tripped.map(|row| row - 1);
            let rows = tripped.map_or(departure.steps, |rows| {
                departure.steps.min(rows.saturating_sub(departure.first_slot))
            });
            for step in 0..rows {
                let metrics =
                    BatchMetrics { loss: f32::from_bits(word(step)), correct: word(MAX_STEPS + step) };
                on_metrics(departure.first_slot + step, metrics);
            }
            drop(view);
            berth.metrics.unmap();
        }
        self.idle.push(berth);
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
