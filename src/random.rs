//! The one source of randomness: a counter-based generator, Philox4x32-10.
//!
//! A draw is a pure function of `(seed, purpose, index, position)`, so initial weights, shuffles and
//! everything drawn later do not depend on the device, on the number of threads or on what was drawn before.
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// One Philox4x32-10 block: four random words for a 128-bit counter under a 64-bit key.
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut c = counter;
    let mut k = key;
    for _ in 0..ROUNDS {
        let p0 = u64::from(MULTIPLIERS[0]) * u64::from(c[0]);
        let p1 = u64::from(MULTIPLIERS[1]) * u64::from(c[2]);
        c = [(p1 >> 32) as u32 ^ c[1] ^ k[0], p1 as u32, (p0 >> 32) as u32 ^ c[3] ^ k[1], p0 as u32];
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

/// [`philox4x32`] of so many counters side by side, for loops that take as many at once as the processor can.
#[inline(always)]
pub(crate) fn philox4x32_side_by_side<const N: usize>(
    counters: [[u32; N]; 4],
    key: [u32; 2],
) -> [[u32; N]; 4] {
    let ([mut a, mut b, mut c, mut d], mut key) = (counters, key);
    for _ in 0..ROUNDS {
        for lane in 0..N {
            let p0 = u64::from(MULTIPLIERS[0]) * u64::from(a[lane]);
            let p1 = u64::from(MULTIPLIERS[1]) * u64::from(c[lane]);
            a[lane] = (p1 >> 32) as u32 ^ b[lane] ^ key[0];
            b[lane] = p1 as u32;
            c[lane] = (p0 >> 32) as u32 ^ d[lane] ^ key[1];
            d[lane] = p0 as u32;
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    [a, b, c, d]
}

/// The halves of a seed, the lower first: the key of all its streams.
pub fn words(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// What a stream of draws is for. Streams of different purposes never overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Initial weights; the index is the position of the weight tensor in the model.
    Initialization = 1,
    /// The order of the samples; the index is the epoch, counted from 0.
    Shuffle = 2,
    /// Inputs of the verification cases; the index identifies case and argument.
    Verification = 3,
    /// Random images for timing, where a model has no data; the index is 0.
    Benchmark = 4,
    /// Which activations dropout drops; counted by step, layer and element.
    Dropout = 5,
    /// Transforms of training images; the index is the epoch, counted from 0.
    Augmentation = 6,
    /// Which sample belongs to which fold of a cross-validation; the index is the class.
    Folds = 7,
    /// Noise on training images; the index is the optimizer step, the block the element of the batch.
    Noise = 8,
    /// Which images are mirrored; counted by step, layer and place in the batch.
    Flip = 9,
    /// How far images are moved; counted by step, layer and place in the batch.
    Translation = 10,
    /// Which sample of a set without a test set is trained on, and which is not; the index is 0.
    Split = 11,
}

/// A sequence of 32-bit words, addressed by seed, purpose and index.
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u32; 2],
    purpose: u32,
    index: u32,
    block: u64,
    words: [u32; 4],
    used: usize,
}

impl Stream {
    /// The stream of `purpose` number `index` under `seed`, at its beginning.
    pub fn new(seed: u64, purpose: Purpose, index: u32) -> Self {
        Stream { key: words(seed), purpose: purpose as u32, index, block: 0, words: [0; 4], used: 4 }
    }

    /// The next word, uniform over all 2^32 values.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            let counter = [self.block as u32, (self.block >> 32) as u32, self.index, self.purpose];
            self.words = philox4x32(counter, self.key);
            self.block += 1;
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    /// Uniform in `[0, 1)`, a multiple of 2^-24: every value is exact in f32.
    pub fn unit_f32(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in `[0, 1)`, a multiple of 2^-53: every value is exact in f64. Takes two words.
    pub fn unit_f64(&mut self) -> f64 {
        let [high, low] = [self.next_u32(), self.next_u32()].map(u64::from);
        ((high << 32 | low) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Two independent numbers of the standard normal distribution. Takes four words.
    ///
    /// Their functions are those of `libm` and not of the system, so that the bits are the same everywhere.
    /// Source: Box and Muller 1958.
    pub fn normals(&mut self) -> [f64; 2] {
        // In (0, 1], so that there is a logarithm.
        let radius = (-2.0 * libm::log(1.0 - self.unit_f64())).sqrt();
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * self.unit_f64());
        [radius * cos, radius * sin]
    }

    /// Uniform in `0..bound` without bias (Lemire's method); 0 when `bound` is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        // Products whose low word falls under this threshold are the surplus of some results: draw again.
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// Shuffles in place (Fisher-Yates); every order of at most 2^32 - 1 elements is equally likely.
    pub fn shuffle(&mut self, items: &mut [u32]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u32 + 1) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the reference implementation (Random123, `kat_vectors`, philox4x32 with 10 rounds).
    #[test]
    fn philox_matches_the_published_vectors() {
        let rows = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in rows {
            assert_eq!(philox4x32(counter, key), expected, "counter {counter:x?} key {key:x?}");
            // The words of the first of some neighbours, and those of the last.
            let counters = counter.map(|word| std::array::from_fn(|lane| word.wrapping_add(lane as u32)));
            let words: [[u32; 5]; 4] = philox4x32_side_by_side(counters, key);
            assert_eq!(words.map(|words| words[0]), expected, "counter {counter:x?} key {key:x?}");
            let last = philox4x32(counter.map(|word| word.wrapping_add(4)), key);
            assert_eq!(words.map(|words| words[4]), last, "counter {counter:x?} key {key:x?}");
        }
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).next_u32();
        let base = first(1, Purpose::Shuffle, 0);
        assert_ne!(base, first(2, Purpose::Shuffle, 0));
        assert_ne!(base, first(1 << 32 | 1, Purpose::Shuffle, 0));
        assert_ne!(base, first(1, Purpose::Initialization, 0));
        assert_ne!(base, first(1, Purpose::Shuffle, 1));
        assert_eq!(base, first(1, Purpose::Shuffle, 0));
    }

    #[test]
    fn normals_have_the_moments_of_the_standard_normal_distribution() {
        let mut stream = Stream::new(5, Purpose::Verification, 0);
        let n = 100_000;
        let mut sums = [0.0; 4];
        for _ in 0..n {
            let [a, b] = stream.normals();
            for (sum, term) in sums.iter_mut().zip([a, a * a, a.powi(4), a * b]) {
                *sum += term;
            }
        }
        // Mean, and five standard errors, of a, a^2, a^4, ab: their variances are 1, 2, 96 and 1.
        for (at, (mean, variance)) in
            [(0.0, 1.0), (1.0, 2.0), (3.0, 96.0), (0.0, 1.0f64)].into_iter().enumerate()
        {
            let found = sums[at] / f64::from(n);
            assert!((found - mean).abs() < 5.0 * (variance / f64::from(n)).sqrt(), "moment {at}: {found}");
        }
    }

    #[test]
    fn shuffle_is_a_permutation_and_below_is_even() {
        let mut items: Vec<u32> = (0..1000).collect();
        let mut stream = Stream::new(7, Purpose::Shuffle, 3);
        stream.shuffle(&mut items);
        assert_ne!(items, (0..1000).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..1000).collect::<Vec<_>>());

        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        // 10,000 expected, standard deviation 91: six of them is 550.
        for (value, &count) in counts.iter().enumerate() {
            assert!((9_450..10_550).contains(&count), "{value}: {count}");
        }
    }
}
