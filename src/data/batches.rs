//! The order in which samples are taken, and how they are cut into batches.

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
