//! The order in which sums over micro-batches are taken.
//!
//! The sum of n vectors is the sum of the first p of them plus that of the others, where p is the largest power of two below n, and
//! both are taken likewise; a single vector is its own sum. So every block of a power of two of neighbours that begins at a multiple of
//! its length is a sum of its own within the whole: whoever holds such a block may add it up before anything is exchanged, and no bit
//! changes.

/// Numbers that fit behind a sum without moving it.
const ROOM: usize = 4;

/// Sums of vectors under construction: whole blocks, each of a power of two of vectors, the largest first.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    blocks: Vec<(usize, Vec<f32>)>,
}

impl Tree {
    /// Takes the next vector, of the length of all others.
    pub(crate) fn push(&mut self, vector: &[f32]) {
        match self.blocks.last_mut() {
            // The most frequent case, without a copy of the vector.
            Some((count @ 1, left)) => {
                add(left, vector);
                *count = 2;
            }
            _ => {
                let mut own = Vec::with_capacity(vector.len() + ROOM);
                own.extend_from_slice(vector);
                self.blocks.push((1, own));
            }
        }
        while let [.., (left, _), (right, _)] = self.blocks[..]
            && left == right
        {
            self.join();
        }
    }

    /// The sum of all vectors; `None` of none.
    pub(crate) fn finish(mut self) -> Option<Vec<f32>> {
        while self.blocks.len() > 1 {
            self.join();
        }
        self.blocks.pop().map(|(_, sum)| sum)
    }

    /// Adds the last block to the one before it.
    fn join(&mut self) {
        if let Some((right, sum)) = self.blocks.pop()
            && let Some((left, into)) = self.blocks.last_mut()
        {
            add(into, &sum);
            *left += right;
        }
    }
}

/// The sum of some vectors of the same length.
pub(crate) fn sum<'a>(vectors: impl Iterator<Item = &'a [f32]>) -> Option<Vec<f32>> {
    let mut tree = Tree::default();
    vectors.for_each(|vector| tree.push(vector));
    tree.finish()
}

fn add(into: &mut [f32], other: &[f32]) {
    for (into, other) in into.iter_mut().zip(other) {
        *into += other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the module says it.
    fn by_definition(vectors: &[f32]) -> f32 {
        match vectors.len() {
            1 => vectors[0],
            n => {
                let half = n.next_power_of_two() / 2;
                by_definition(&vectors[..half]) + by_definition(&vectors[half..])
            }
        }
    }

    fn vectors(n: usize) -> Vec<f32> {
        (0..n).map(|at| (at as f32 * 1.7).sin() * 10f32.powi(at as i32 % 5)).collect()
    }

    fn summed(vectors: &[f32]) -> f32 {
        sum(vectors.chunks(1)).unwrap()[0]
    }

    #[test]
    fn sums_are_split_at_the_largest_power_of_two() {
        for n in 1..70 {
            let vectors = vectors(n);
            assert_eq!(summed(&vectors).to_bits(), by_definition(&vectors).to_bits(), "{n}");
        }
        assert_eq!(sum(std::iter::empty()), None);
    }

    #[test]
    fn blocks_of_a_power_of_two_may_be_added_up_before() {
        for processes in 1..12 {
            for each in [1, 2, 4, 8] {
                let vectors = vectors(processes * each);
                let blocks: Vec<f32> = vectors.chunks(each).map(summed).collect();
                assert_eq!(summed(&blocks).to_bits(), summed(&vectors).to_bits(), "{processes} of {each}");
            }
        }
    }

    /// The order matters: otherwise these tests would show nothing.
    #[test]
    fn other_orders_give_other_bits() {
        let differs = |&n: &usize| vectors(n).iter().sum::<f32>().to_bits() != summed(&vectors(n)).to_bits();
        assert!((3..70).filter(differs).count() > 30);
    }
}
