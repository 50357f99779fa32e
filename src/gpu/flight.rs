//! Submissions in flight: a bounded number, each sized by the time that the last ones took, with the buffers that
//! they exchange with the host.

use std::collections::VecDeque;
use std::time::Duration;

use super::memory::Mapped;
use super::{Gpu, GpuError};
use crate::executor::BatchMetrics;
use crate::wait::{Instant, Submitted};

/// The most submissions in flight.
pub(super) const IN_FLIGHT: usize = 3;
/// The most batches of one submission.
pub(super) const MAX_BATCHES: usize = 32;
/// Words that are read back with a submission: losses, counts, and the tripwire.
pub(super) const WORDS: usize = 2 * MAX_BATCHES + 1;
/// A submission should take less than this: far below a driver's watchdog (2 s on Windows), and long enough that
/// waiting for it costs nothing.
const TARGET: Duration = Duration::from_millis(100);

/// No submission may take longer, as far as can be known, or the driver takes the device for hung.
const LONGEST: Duration = Duration::from_millis(500);
/// The work that takes so long, until it is known how fast the device is: at 20 GFLOP/s, which every GPU reaches.
const FIRST_FLOPS: f64 = 1e10;

/// The buffers of a submission; there is one set for each submission that may be in flight.
pub(super) struct Berth {
    /// Receives its metrics.
    pub(super) metrics: wgpu::Buffer,
    /// Carries samples to the device where they are streamed; mapped while it is idle.
    pub(super) samples: Option<wgpu::Buffer>,
}

/// What is known of a submission when it is submitted.
pub(super) struct Departure {
    pub(super) submitted: Submitted,
    /// Whether its metrics were copied to its buffer.
    pub(super) metrics: bool,
    /// Whether its samples were in its buffer.
    pub(super) samples: bool,
    pub(super) first_slot: usize,
    pub(super) batches: usize,
    /// Floating-point operations; 0 where its time tells nothing of the device.
    pub(super) flops: f64,
}

/// Some batches in flight.
struct Submission {
    departure: Departure,
    berth: Berth,
    /// Tells when its buffers are mapped again.
    mapped: [Option<Mapped>; 2],
    begun: Instant,
}

/// The submissions in flight, and the buffers for the next ones.
pub(super) struct Flight {
    idle: Vec<Berth>,
    queue: VecDeque<Submission>,
    batches_per_submit: usize,
    /// Floating-point operations that take [`LONGEST`], the most of one submission, unless a single step has more; infinite where no driver
    /// watches.
    pub(super) most_flops: f64,
    last_landing: Option<Instant>,
    /// The row of the pass that diverged, if that is known.
    pub(super) tripped: Option<usize>,
}

impl Flight {
    /// Of a device that a driver watches over, or not.
    pub(super) fn new(is_watched: bool) -> Self {
        Flight {
            most_flops: if is_watched { FIRST_FLOPS } else { f64::INFINITY },
            idle: Vec::new(),
            queue: VecDeque::new(),
            batches_per_submit: 1,
            last_landing: None,
            tripped: None,
        }
    }

    /// Drops what is in flight, after an error.
    pub(super) fn abandon(&mut self) {
        *self = Flight { most_flops: self.most_flops, ..Flight::new(false) };
    }

    /// How many batches the next submission should have.
    pub(super) fn batches(&self) -> usize {
        self.batches_per_submit
    }

    /// Allocates the buffers for the submissions of a pass; with `samples`, up to that many bytes of samples each.
    /// Call it between passes, when nothing is in flight.
    pub(super) fn make_ready(&mut self, gpu: &Gpu, samples: Option<u64>) -> Result<(), GpuError> {
        let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
        let bytes = (WORDS * size_of::<u32>()) as u64;
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

    /// Buffers for the next submission; waits for the oldest submission if none are idle.
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

    /// Records a submission.
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
        gpu.wait(departure.submitted)?;
        // Its work began when it was submitted or when the one before it ended, whichever was later.
        let begun = self.last_landing.map_or(begun, |last| last.max(begun));
        self.adapt(begun.elapsed(), departure.batches, departure.flops);
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
            // The row is counted from 1, so it is also the number of rows that count.
            let tripped = Some(word(WORDS - 1) as usize).filter(|&row| row > 0);
            self.tripped = tripped.map(|row| row - 1);
            let rows = tripped.map_or(departure.batches, |rows| {
                departure.batches.min(rows.saturating_sub(departure.first_slot))
            });
            for step in 0..rows {
                let metrics =
                    BatchMetrics { loss: f32::from_bits(word(step)), correct: word(MAX_BATCHES + step) };
                on_metrics(departure.first_slot + step, metrics);
            }
            drop(view);
            berth.metrics.unmap();
        }
        self.idle.push(berth);
        Ok(())
    }

    /// Doubles the batches if the work was short, halves them if it was long. How batches are grouped changes no bit.
    fn adapt(&mut self, took: Duration, batches: usize, flops: f64) {
        if flops > 0.0 && self.most_flops.is_finite() {
            self.most_flops = flops * LONGEST.div_duration_f64(took.max(Duration::from_micros(1)));
        }
        if took < TARGET && batches >= self.batches_per_submit {
            self.batches_per_submit = (self.batches_per_submit * 2).min(MAX_BATCHES);
        } else if took > TARGET * 3 && batches <= self.batches_per_submit {
            self.batches_per_submit = (self.batches_per_submit / 2).max(1);
        }
    }
}
