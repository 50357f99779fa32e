//! How long sums are cut into parts.

/// A sum of `terms` terms, taken as `parts` sums of at most `terms_per_part` neighbours, added up in order.
///
/// One invocation never sums more than one part: outputs that are few but long get more of the device, rounding
/// errors grow more slowly, and no loop comes near the length at which a widespread driver silently stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Split {
    /// Length of the whole sum.
    pub terms: usize,
    /// Length of every part but the last, which may be shorter.
    pub terms_per_part: usize,
    /// Number of parts.
    pub parts: usize,
}

/// The length of a part, unless there would be more parts than this.
pub(crate) const PART: usize = 1024;

/// Most iterations that any invocation may run over all its loops: lavapipe leaves loops at 65,535.
pub const MAX_ITERATIONS: usize = 30_000;

/// Sums that `batch_metrics` takes side by side before it adds them up: a power of two.
pub const METRICS_LANES: usize = 64;

impl Split {
    /// Cuts a sum of `terms` terms into parts of nearly equal length, each a multiple of 4.
    pub fn of(terms: usize) -> Self {
        Split::cut(terms, terms.div_ceil(PART), 4)
    }

    /// Cuts a sum of `runs` runs of `run` terms between runs.
    pub fn of_runs(runs: usize, run: usize) -> Self {
        Split::cut(runs, (runs * run).div_ceil(PART).min(runs), 1)
    }

    pub(crate) fn cut(terms: usize, parts: usize, multiple: usize) -> Self {
        let terms_per_part = terms.div_ceil(parts.clamp(1, PART)).next_multiple_of(multiple);
        Split { terms, terms_per_part, parts: terms.div_ceil(terms_per_part) }
    }

    /// The terms of one part.
    pub fn range(&self, part: usize) -> std::ops::Range<usize> {
        let first = part * self.terms_per_part;
        first..(first + self.terms_per_part).min(self.terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_term_once_in_order() {
        for terms in [1, 3, 4, 5, 64, 1024, 1025, 5408, 43_264, 70_001, 1_048_577, 30_000_000] {
            let split = Split::of(terms);
            let mut next = 0;
            for part in 0..split.parts {
                let range = split.range(part);
                assert!(range.start == next && !range.is_empty(), "{terms}: part {part} is {range:?}");
                next = range.end;
            }
            assert_eq!(next, terms);
            assert!(split.parts <= MAX_ITERATIONS && split.terms_per_part <= MAX_ITERATIONS, "{split:?}");
        }
    }
}
