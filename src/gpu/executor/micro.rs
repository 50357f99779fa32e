//! Steps of micro-batches: their gradients come down to the host, and their sums go up again.

use std::ops::Range;

use super::GpuExecutor;
use crate::executor::{ExecutorError, Pass, Summands, check_count};
use crate::gpu::flight::Departure;
use crate::gpu::seam::{Crossing, Seam};
use crate::plan::{Phase, Role, Tensor};
use crate::profile::StepTimes;
use crate::wait::Instant;

impl GpuExecutor {
    pub(super) fn begin_parts(&mut self, pass: &Pass<'_>) -> Result<(), ExecutorError> {
        pass.check(&self.plan, self.feed.samples(pass.data).ok_or(ExecutorError::NoData)?)?;
        self.prepare(&Pass { phase: Phase::FirstGradients, ..*pass })?;
        self.bind(Phase::Update, pass.data)?;
        self.warm_up(Phase::Update, pass.data)?;
        if self.seam.is_none() {
            self.seam = Some(Seam::new(&self.gpu, &self.plan)?);
        }
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        self.reset_tripwire(&mut encoder, 0);
        self.gpu.submit(encoder.finish());
        self.gpu.check()?;
        Ok(())
    }

    pub(super) fn gradients_of(
        &mut self,
        pass: &Pass<'_>,
        rows: Range<usize>,
        is_first: bool,
        times: &mut StepTimes,
        take: &mut dyn FnMut(&Summands<'_>),
    ) -> Result<(), ExecutorError> {
        let mut under_way = None;
        for (turn, row) in rows.enumerate() {
            let begun = Instant::now();
            let crossing = self.submit_part(pass, row, is_first && turn == 0, turn % 2)?;
            times.compute.0 += begun.elapsed();
            if let Some(before) = under_way.replace(crossing) {
                self.land_part(before, times, take)?;
            }
        }
        if let Some(last) = under_way {
            self.land_part(last, times, take)?;
        }
        self.flight.land_all(&self.gpu, &mut |_, _| ())?;
        Ok(())
    }

    /// Submits a micro-batch by itself, so that no submission is longer than it must be.
    fn submit_part(
        &mut self,
        pass: &Pass<'_>,
        row: usize,
        is_first: bool,
        turn: usize,
    ) -> Result<Option<Crossing>, ExecutorError> {
        self.gpu.before_batches(1);
        let berth = self.flight.berth(&self.gpu, &mut |_, _| ())?;
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        let samples = self.load(&mut encoder, &berth, pass, row..row + 1)?;
        let phase = Phase::of_gradients(is_first);
        let mut encoder = self.encode(encoder, phase, pass.data, row..row + 1);
        let slot = pass.batches[row].slot as usize;
        if let Some(seam) = &self.seam {
            seam.copy_down(&mut encoder, &self.plan, &self.buffers, slot, turn);
        }
        let submission = self.gpu.submit(encoder.finish());
        let departure = Departure {
            submitted: submission.clone(),
            metrics: false,
            samples,
            first_slot: slot,
            batches: 1,
            flops: self.flops(phase),
        };
        self.flight.depart(&self.gpu, departure, berth);
        let crossing = self.seam.as_ref().map(|seam| seam.depart(&self.gpu, submission, turn));
        self.gpu.check()?;
        Ok(crossing)
    }

    fn land_part(
        &mut self,
        crossing: Option<Crossing>,
        times: &mut StepTimes,
        take: &mut dyn FnMut(&Summands<'_>),
    ) -> Result<(), ExecutorError> {
        if let (Some(crossing), Some(seam)) = (crossing, &mut self.seam) {
            seam.land(&self.gpu, crossing, times, take)?;
        }
        Ok(())
    }

    pub(super) fn update_by(
        &mut self,
        pass: &Pass<'_>,
        row: usize,
        (values, loss): (&[f32], f32),
        times: &mut StepTimes,
    ) -> Result<(), ExecutorError> {
        check_count(self.plan.summands.iter().map(Tensor::len).sum(), values.len())?;
        let slot = pass.batches[row].slot as usize;
        let Some(seam) = &mut self.seam else { return Err(ExecutorError::NoData) };
        times.upload.time(|| seam.fill(&self.gpu, values, loss))?;
        let begun = Instant::now();
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        seam.copy_up(&mut encoder, &self.plan, &self.buffers, slot);
        let encoder = self.encode(encoder, Phase::Update, pass.data, row..row + 1);
        let submission = self.gpu.submit(encoder.finish());
        if let Some(seam) = &mut self.seam {
            seam.refill(&self.gpu);
        }
        if times.one_by_one {
            self.gpu.wait(submission)?;
        }
        times.update.0 += begun.elapsed();
        self.gpu.check()?;
        Ok(())
    }

    /// The batch in which an update tripped, once everything that was submitted has run.
    pub(super) fn tripped_batch(&mut self) -> Result<Option<usize>, ExecutorError> {
        let place = self.plan.buffer_with(Role::Tripwire);
        let Some(tripwire) = place.and_then(|place| self.buffers[place].as_ref()) else { return Ok(None) };
        let words = self.gpu.read_words(tripwire, 0, 1)?;
        Ok(words.first().and_then(|&row| (row as usize).checked_sub(1)))
    }
}
