//! An argument between guard bands, inside one over-long binding.

use crate::ops::kit::{Access, ArgSpec, Argument, HOSTILE_BYTE, HOSTILE_F32, HOSTILE_U32, UNWRITTEN, Values};

/// Words before and after each argument. Out-of-range stores past a binding are dropped, so only what lies inside it
/// can catch one; the widest kernels store 4 words an invocation of 64, or 8 of 8, and this is a workgroup of them.
const GUARD: usize = 256;

/// What guards of floats hold that are read and written: no step leaves it as it is, as adding to 1e30 would.
const FRAGILE: f32 = -2.5;

/// The words of a binding: a guard, the argument, a guard.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) spec: ArgSpec,
    /// Where the argument begins, in 32-bit words; unless it is a plan's, a multiple of 8, and another one for each
    /// argument.
    pub(super) base: usize,
    /// Number of its elements that are floats or integers; words of bytes.
    pub(super) len: usize,
    /// All words before the step runs.
    pub(super) words: Vec<u32>,
}

impl Band {
    /// Lays out the argument at this place of [`Op::args`](crate::plan::Op::args); `in_place` says whether the step
    /// works in place.
    pub(super) fn new(argument: &Argument, place: usize, in_place: bool) -> Self {
        Band::at(argument, GUARD + 8 * place, in_place)
    }

    /// Lays out the argument where it begins in a plan.
    pub(super) fn at(argument: &Argument, base: usize, in_place: bool) -> Self {
        let payload: Vec<u32> = match &argument.values {
            Values::Floats(values) => values.iter().map(|value| value.to_bits()).collect(),
            Values::Integers(values) => values.clone(),
            Values::Bytes(values) => values.chunks(4).map(word).collect(),
        };
        let guard = match (argument.spec.access, &argument.values) {
            (Access::Out, _) => UNWRITTEN,
            (Access::InOut, Values::Floats(_)) => FRAGILE.to_bits(),
            // Under a mask by sign, only what is masked shows a step in place that runs past the end.
            (Access::In, Values::Floats(_)) if in_place => (-HOSTILE_F32).to_bits(),
            (Access::In, Values::Floats(_)) => HOSTILE_F32.to_bits(),
            (_, Values::Integers(_)) => HOSTILE_U32,
            (_, Values::Bytes(_)) => u32::from_le_bytes([HOSTILE_BYTE; 4]),
        };
        let len = payload.len();
        let mut words = vec![guard; (base + len + GUARD).next_multiple_of(8)];
        words[base..base + len].copy_from_slice(&payload);
        Band { spec: argument.spec.clone(), base, len, words }
    }

    /// The range of the argument.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.base..self.base + self.len
    }
}

fn word(bytes: &[u8]) -> u32 {
    let mut word = [HOSTILE_BYTE; 4];
    word[..bytes.len()].copy_from_slice(bytes);
    u32::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::kit::{Dtype, Extent};

    #[test]
    fn arguments_begin_at_whole_eights_between_guards() {
        let rows = [(Access::In, 1, 1e30), (Access::InOut, 5, -2.5), (Access::In, 8, 1e30)];
        for (place, (access, len, guard)) in rows.into_iter().enumerate() {
            let spec =
                ArgSpec { name: "x", access, dtype: Dtype::F32, shape: vec![len], extent: Extent::Plan };
            let values = Values::Floats(vec![0.5; len]);
            let band = Band::new(&Argument { spec, values }, place, false);
            assert!(
                band.base.is_multiple_of(8) && band.words.len().is_multiple_of(8),
                "{place}: {}",
                band.base
            );
            let (before, after) = (&band.words[..band.base], &band.words[band.range().end..]);
            assert!(before.len() >= GUARD && after.len() >= GUARD, "{place}");
            assert!(before.iter().chain(after).all(|&word| f32::from_bits(word) == guard), "{place}");
            assert!(band.words[band.range()].iter().all(|&word| f32::from_bits(word) == 0.5), "{place}");
        }
    }

    #[test]
    fn bytes_fill_their_last_word_with_what_no_kernel_may_use() {
        assert_eq!(word(&[1, 2]), u32::from_le_bytes([1, 2, HOSTILE_BYTE, HOSTILE_BYTE]));
    }
}
