//! Winners of pooling windows in words of four, where they come so ([`PoolShape::packs_winners`]); the twins see one each.

use std::borrow::Cow;

use crate::plan::PoolShape;

const BYTES: usize = size_of::<u32>();

/// Each winner.
pub(super) fn unpacked<'a>(s: &PoolShape, words: &'a [u32]) -> Cow<'a, [u32]> {
    match s.packs_winners() {
        true => words.iter().flat_map(|word| word.to_le_bytes().map(u32::from)).collect(),
        false => Cow::Borrowed(words),
    }
}

/// Lets `find` fill in each winner.
pub(super) fn pack(s: &PoolShape, words: &mut [u32], find: impl FnOnce(&mut [u32])) {
    if !s.packs_winners() {
        return find(words);
    }
    let mut winners = vec![0; words.len() * BYTES];
    find(&mut winners);
    for (word, winners) in words.iter_mut().zip(winners.chunks_exact(BYTES)) {
        *word = (0..).zip(winners).map(|(byte, winner)| winner << (8 * byte)).sum();
    }
}
