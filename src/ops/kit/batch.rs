//! What changes from one batch to the next.

/// What changes from one batch to the next. Laid out as `BatchParams` in `shaders/shared/batch.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct BatchParams {
    /// Samples in this batch, at most the plan's batch capacity.
    pub batch_size: u32,
    /// Where this batch begins in the order of samples.
    pub first: u32,
    /// Where this batch's loss and hits go in the metrics.
    pub slot: u32,
    /// Step size of the optimizer.
    pub learning_rate: f32,
    /// What corrects the bias of Adam's running means at this step; 1 for optimizers that have none.
    pub correction: f32,
    /// 1 in training and 0 otherwise: what only training does, such as dropout, asks for it.
    pub training: u32,
    /// Number of the batch, counted from 0 since the model was compiled: chooses its random draws.
    pub number: u32,
    /// Place of the batch's first sample in the order of the pass, wherever the device finds the sample itself.
    pub position: u32,
    /// Lower half of the seed of random draws.
    pub seed_low: u32,
    /// Upper half of the seed of random draws.
    pub seed_high: u32,
    /// 1 where updates do nothing from the first loss or gradient on that is not finite, 0 where they follow it.
    pub guarded: u32,
    /// What losses and their gradients are divided by: the samples of the whole batch, more than `batch_size` where this is one of
    /// several micro-batches.
    pub divisor: u32,
}

impl Default for BatchParams {
    fn default() -> Self {
        BatchParams {
            batch_size: 0,
            first: 0,
            slot: 0,
            learning_rate: 0.0,
            correction: 1.0,
            training: 0,
            number: 0,
            position: 0,
            seed_low: 0,
            seed_high: 0,
            guarded: 0,
            divisor: 0,
        }
    }
}

impl BatchParams {
    /// A whole batch of so many samples.
    pub fn of_samples(count: usize) -> Self {
        let count = count as u32;
        BatchParams { batch_size: count, divisor: count, ..BatchParams::default() }
    }

    /// The batches of a pass over so many samples, of at most `batch` each: the last one holds what is left.
    pub fn of_pass(samples: usize, batch: usize, learning_rate: f64) -> Vec<Self> {
        let of_batch = |slot: usize| BatchParams {
            first: (slot * batch) as u32,
            slot: slot as u32,
            learning_rate: learning_rate as f32,
            position: (slot * batch) as u32,
            ..BatchParams::of_samples(batch.min(samples - slot * batch))
        };
        (0..samples.div_ceil(batch)).map(of_batch).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_taken_once_and_the_last_batch_is_what_is_left() {
        // (samples, batch, sizes of the first and last batch, number of batches)
        let rows = [
            (60_000, 64, 64, 32, 938),
            (64, 64, 64, 64, 1),
            (65, 64, 64, 1, 2),
            (3, 64, 3, 3, 1),
            (1, 1, 1, 1, 1),
        ];
        for (samples, batch, first, last, count) in rows {
            let table = BatchParams::of_pass(samples, batch, 0.001);
            assert_eq!(table.len(), count, "{samples} in {batch}");
            assert_eq!(table[0].batch_size, first, "{samples} in {batch}");
            assert_eq!(table[count - 1].batch_size, last, "{samples} in {batch}");
            let mut next = 0;
            for (slot, row) in table.iter().enumerate() {
                assert_eq!((row.first, row.slot as usize), (next, slot), "{samples} in {batch}");
                next += row.batch_size;
            }
            assert_eq!(next as usize, samples);
        }
    }
}
