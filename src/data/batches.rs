//! The order in which samples are taken, and how they are cut into batches.

use crate::plan::StepParams;
use crate::random::{Purpose, Stream};

/// The numbers of all samples in the order of an epoch, counted from 0: as stored, or shuffled by the seed,
/// differently in each epoch and the same on every device.
pub fn epoch_order(samples: usize, epoch: usize, shuffle_seed: Option<u64>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..samples as u32).collect();
    if let Some(seed) = shuffle_seed {
        Stream::new(seed, Purpose::Shuffle, epoch as u32).shuffle(&mut order);
    }
    order
}

/// One row per batch of at most `batch` samples; the last one holds what is left.
pub fn step_table(samples: usize, batch: usize, learning_rate: f64) -> Vec<StepParams> {
    (0..samples.div_ceil(batch))
        .map(|slot| StepParams {
            batch_size: batch.min(samples - slot * batch) as u32,
            first: (slot * batch) as u32,
            slot: slot as u32,
            learning_rate: learning_rate as f32,
            position: (slot * batch) as u32,
            ..StepParams::default()
        })
        .collect()
}

/// Copies records of `size` bytes so that each begins at a multiple of `stride`, with zeros between them.
pub(crate) fn pad_records(bytes: &[u8], size: usize, stride: usize) -> Vec<u8> {
    let mut padded = vec![0; bytes.len() / size * stride];
    for (to, from) in padded.chunks_mut(stride).zip(bytes.chunks(size)) {
        to[..size].copy_from_slice(from);
    }
    padded
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
            let table = step_table(samples, batch, 0.001);
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

    #[test]
    fn epochs_are_shuffled_differently_and_reproducibly() {
        let order = |epoch| epoch_order(1000, epoch, Some(5));
        assert_eq!(order(0), order(0));
        assert_ne!(order(0), order(1));
        let mut sorted = order(1);
        sorted.sort_unstable();
        assert_eq!(sorted, epoch_order(1000, 0, None));
    }

    #[test]
    fn padding_keeps_every_byte() {
        assert_eq!(pad_records(&[1, 2, 3, 4, 5, 6], 3, 4), [1, 2, 3, 0, 4, 5, 6, 0]);
    }
}
