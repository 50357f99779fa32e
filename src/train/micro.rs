//! Batches of several micro-batches: gradients are computed of one after another, by one process or by several, and added up before the
//! update.
//!
//! Micro-batch m of a batch of n samples is the samples m*b.. of it, with b = ceil(n / M) of M micro-batches; it may be shorter, or empty.
//! Its loss and gradients are divided by n, so that their sums are those of the batch. Random draws of layers are addressed by
//! `step * M + m`, as noise is; the other augmentation by the place of a sample in the order of the epoch: who computes which micro-batch
//! changes nothing.

use std::ops::ControlFlow;

use super::collective::tree::Tree;
use super::collective::{Collective, CollectiveError, Updates, from_first, share_of};
use super::records::Evaluation;
use super::state::Within;
use crate::data::batches::epoch_order;
use crate::error::Error;
use crate::executor::{BatchMetrics, DataSlot, Executor, Pass, Ran};
use crate::plan::{BatchParams, Phase, Tensor};
use crate::profile::StepTimes;
use crate::wait::Instant;

/// Rows with metric slots counted from 0.
pub(super) fn with_slots(rows: &[BatchParams]) -> Vec<BatchParams> {
    rows.iter().zip(0..).map(|(row, slot)| BatchParams { slot, ..*row }).collect()
}

/// The micro-batches of a row of the batch table.
pub(super) fn micro_batches(row: &BatchParams, count: usize) -> Vec<BatchParams> {
    let count = count as u32;
    let each = row.batch_size.div_ceil(count);
    let one = |m: u32| {
        let begin = (m * each).min(row.batch_size);
        BatchParams {
            batch_size: each.min(row.batch_size - begin),
            first: row.first + begin,
            position: row.position + begin,
            number: row.number.wrapping_mul(count).wrapping_add(m),
            divisor: row.batch_size,
            ..*row
        }
    };
    (0..count).map(one).collect()
}

/// What runs the passes of a model: its executor, and what joins it to others.
pub(super) struct Runner<'a> {
    pub(super) executor: &'a mut dyn Executor,
    pub(super) collective: &'a mut dyn Collective,
    pub(super) updates: Updates,
    /// To a batch.
    pub(super) micro_batches: usize,
    pub(super) times: &'a mut StepTimes,
    /// The batch of the pass in which the update of rank 0 tripped, where that is the only one and told so.
    pub(super) told: Option<usize>,
}

impl Runner<'_> {
    /// Runs a training pass to its end, or until `on_metrics` breaks for any rank, as [`Executor::run`]; with `stop` it is to end with its
    /// first batch.
    ///
    /// # Errors
    /// When the device fails, or another rank.
    pub(super) fn train(
        &mut self,
        pass: &Pass<'_>,
        mut stop: bool,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics) -> ControlFlow<()>,
    ) -> Result<Ran, Error> {
        if self.micro_batches == 1 {
            return Ok(self.executor.run(pass, on_metrics)?);
        }
        let (rank, size) = (self.collective.rank(), self.collective.size());
        let own = share_of(self.micro_batches, rank, size);
        // Behind the micro-batches of a batch comes its own row, for the update: with the number of the step, and no samples to gather.
        let of_batch = |row: &BatchParams| {
            let mut rows = micro_batches(row, self.micro_batches)[own.clone()].to_vec();
            rows.push(BatchParams { batch_size: 0, divisor: row.batch_size, ..*row });
            rows
        };
        let rows: Vec<BatchParams> = pass.batches.iter().flat_map(of_batch).collect();
        let each = own.len() + 1;
        let pass = Pass { batches: &rows, ..*pass };
        self.executor.begin(&pass)?;
        self.told = None;
        let batches = rows.len() / each;
        for batch in 0..batches {
            let Some((metrics, asked)) = self.step(&pass, batch * each, own.len(), stop)? else { break };
            stop |= on_metrics(batch, metrics).is_break();
            if asked || stop && size == 1 {
                return Ok(Ran { rows: batch + 1, tripped: self.tripped()? });
            }
        }
        let tripped = self.tripped()?;
        Ok(Ran { rows: tripped.map_or(batches, |batch| batch + 1), tripped })
    }

    /// The batch whose first row is `first` of `own` rows; `None` where an update before it tripped. `stop` is whether this rank wants to
    /// stop; whether any does is returned.
    fn step(
        &mut self,
        pass: &Pass<'_>,
        first: usize,
        own: usize,
        stop: bool,
    ) -> Result<Option<(BatchMetrics, bool)>, Error> {
        let begun = Instant::now();
        let mut times = *self.times;
        let filled = pass.batches[first..first + own].iter().take_while(|row| row.batch_size > 0).count();
        let [mut sums, mut figures] = [Tree::default(), Tree::default()];
        let mut tripped = match filled {
            0 => self.executor.tripped()?,
            _ => None,
        };
        let mut spent = times.sum;
        let is_first = self.collective.rank() == 0;
        self.executor.gradients(pass, first..first + filled, is_first, &mut times, &mut |summands| {
            tripped = tripped.or(summands.tripped);
            spent.time(|| sums.push(summands.values));
            figures.push(&[summands.loss, summands.correct as f32]);
        })?;
        times.sum = spent;
        if tripped.or(self.told).is_some() {
            return Ok(None);
        }
        let len: usize = self.executor.plan().summands.iter().map(Tensor::len).sum();
        for _ in filled..own {
            sums.push(&vec![0.0; len]);
            figures.push(&[0.0; 2]);
        }
        let mut sum = sums.finish().unwrap_or_default();
        // Behind the gradients travel the loss, the hits, and whether anyone wants to stop.
        sum.extend(figures.finish().unwrap_or_default());
        sum.push(f32::from(u8::from(stop)));
        self.collective.sum(&mut sum, &mut times)?;
        let [loss, correct, asked] = [sum[len], sum[len + 1], sum[len + 2]];
        self.update(pass, first + own, (&sum[..len], loss), &mut times)?;
        times.steps += 1;
        times.whole.0 += begun.elapsed();
        *self.times = times;
        Ok(Some((BatchMetrics { loss, correct: correct as u32 }, asked > 0.0)))
    }

    /// Fails where another rank has; all ranks ask this at the same place.
    pub(super) fn check_others(&mut self, failed: bool) -> Result<(), CollectiveError> {
        if self.collective.size() == 1 {
            return Ok(());
        }
        let said = self.collective.gather(&[u8::from(failed)])?;
        match said.iter().position(|said| *said == [1]) {
            Some(rank) if !failed => Err(CollectiveError::Failed { rank }),
            _ => Ok(()),
        }
    }

    fn update(
        &mut self,
        pass: &Pass<'_>,
        row: usize,
        (values, loss): (&[f32], f32),
        times: &mut StepTimes,
    ) -> Result<(), Error> {
        match self.updates {
            Updates::Everywhere => Ok(self.executor.update(pass, row, values, loss, times)?),
            Updates::FirstOnly => {
                if self.collective.rank() == 0 {
                    self.executor.update(pass, row, values, loss, times)?;
                    self.told = self.executor.tripped()?;
                }
                let own = self.told.map_or(0, |batch| batch as u64 + 1).to_le_bytes();
                let said = from_first(self.collective, &own)?.try_into().map_or(0, u64::from_le_bytes);
                self.told = (said as usize).checked_sub(1);
                self.hand_weights()
            }
        }
    }

    /// Gives all ranks the weights of rank 0.
    pub(super) fn hand_weights(&mut self) -> Result<(), Error> {
        let places = self.executor.plan().parameters.clone();
        let mut own: Vec<f32> = Vec::new();
        if self.collective.rank() == 0 {
            for place in &places {
                own.extend(self.executor.read(place)?);
            }
        }
        let theirs = from_first(self.collective, bytemuck::cast_slice(&own))?;
        if self.collective.rank() == 0 {
            return Ok(());
        }
        let theirs: Vec<f32> = bytemuck::pod_collect_to_vec(&theirs);
        let mut rest = theirs.as_slice();
        for place in &places {
            let (values, others) = rest.split_at(place.len().min(rest.len()));
            self.executor.write(place, values)?;
            rest = others;
        }
        Ok(())
    }

    /// The batch in which an update tripped.
    fn tripped(&mut self) -> Result<Option<usize>, Error> {
        match self.updates {
            Updates::Everywhere => Ok(self.executor.tripped()?),
            Updates::FirstOnly => Ok(self.told),
        }
    }

    /// Evaluates the set in the evaluation slot in batches of so many samples, which are dealt out; their figures are added up in the
    /// order of batches.
    ///
    /// # Errors
    /// When the device fails, or another rank.
    pub(super) fn evaluate(&mut self, samples: usize, batch: usize) -> Result<Evaluation, Error> {
        let table = BatchParams::of_pass(samples, batch, 0.0);
        let share = share_of(table.len(), self.collective.rank(), self.collective.size());
        let pass = Pass {
            phase: Phase::Evaluate,
            data: DataSlot::Evaluation,
            order: &epoch_order(samples, 0, None),
            batches: &with_slots(&table[share]),
            transforms: &[],
        };
        let mut own: Vec<[u32; 2]> = Vec::new();
        if !pass.batches.is_empty() {
            self.executor.run(&pass, &mut |_, metrics| {
                own.push([metrics.loss.to_bits(), metrics.correct]);
                ControlFlow::Continue(())
            })?;
        }
        let all = self.collective.gather(bytemuck::cast_slice(&own))?;
        let all = all.iter().flat_map(|figures| bytemuck::pod_collect_to_vec::<u8, [u32; 2]>(figures));
        let mut totals = Within::default();
        for (row, [loss, correct]) in table.iter().zip(all) {
            totals.add(f32::from_bits(loss), Some(correct), row.batch_size);
        }
        Ok(totals.mean(self.executor.plan().network.target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_into_rows_of_its_order() {
        // (samples, micro-batches, samples of each)
        let rows: [(u32, usize, &[u32]); 6] = [
            (64, 4, &[16, 16, 16, 16]),
            (32, 4, &[8, 8, 8, 8]),
            (65, 4, &[17, 17, 17, 14]),
            (5, 4, &[2, 2, 1, 0]),
            (1, 4, &[1, 0, 0, 0]),
            (7, 3, &[3, 3, 1]),
        ];
        for (samples, count, expected) in rows {
            let row = BatchParams {
                first: 128,
                position: 640,
                number: 9,
                slot: 2,
                ..BatchParams::of_samples(samples as usize)
            };
            let parts = micro_batches(&row, count);
            let sizes: Vec<u32> = parts.iter().map(|part| part.batch_size).collect();
            assert_eq!(sizes, expected, "{samples} in {count}");
            let mut next = 0;
            for (m, part) in (0..).zip(&parts) {
                let place = (part.first - 128, part.position - 640);
                assert_eq!(place, (next, next), "{samples} in {count}");
                assert_eq!((part.number, part.slot, part.divisor), (9 * count as u32 + m, 2, samples));
                next += part.batch_size;
            }
        }
        let row = BatchParams { number: 3, ..BatchParams::of_samples(8) };
        assert_eq!(micro_batches(&row, 1), [row]);
    }
}
