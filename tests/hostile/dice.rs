//! Numbers that depend only on the seed, the format and the case.

use shadegrad::random::philox4x32;

/// The seed of all cases. HOSTILE_SEED sets another one.
pub const SEED: u32 = 20;

pub struct Dice {
    key: [u32; 2],
    case: u64,
    thrown: u32,
}

impl Dice {
    pub fn new(seed: u32, format: u32, case: u64) -> Self {
        Dice { key: [seed, format], case, thrown: 0 }
    }

    pub fn word(&mut self) -> u64 {
        self.thrown += 1;
        let block = philox4x32([self.thrown, self.case as u32, (self.case >> 32) as u32, 0], self.key);
        u64::from(block[0]) << 32 | u64::from(block[1])
    }

    /// Below `limit`; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.word() % limit.max(1) as u64) as usize
    }

    /// True once in this many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.word() as u8).collect()
    }

    /// An integer at a typical limit, or any.
    pub fn number(&mut self) -> u64 {
        let near = [0, 1, 2, 7, 255, 256, 65_535, 65_536, 1 << 24, (1 << 31) - 1, 1 << 31, u32::MAX.into()];
        let far = [1 << 32, 1 << 40, (1 << 53) + 1, i64::MAX as u64, 1 << 63, u64::MAX - 7, u64::MAX];
        match self.below(4) {
            0 => *self.pick(&near),
            1 => *self.pick(&far),
            2 => self.below(64) as u64,
            _ => self.word() >> self.below(64),
        }
    }
}
