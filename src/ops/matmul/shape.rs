//! Sizes of a matrix product, how its kernels share it out, and the sizes that they are tried on.

use crate::ops::kit::*;

/// Most multiply-adds of a product that is small.
const SMALL_PRODUCT: usize = 1 << 17;

/// Outputs, of all parts together, that keep any device busy.
const BUSY_OUTPUTS: usize = 1 << 16;

/// The parts of a product's sums are multiples of this: kernels keep as many terms of a factor in registers.
const BLOCK: usize = 64;

/// Sizes of a matrix product with result `[m, n]` and `k` terms in each sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct MatmulShape {
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

impl MatmulShape {
    /// Whether the whole product is so little work that one kernel without tiles is enough.
    pub fn is_small(&self) -> bool {
        self.m * self.n * self.k <= SMALL_PRODUCT
    }

    /// How the sums are cut: where outputs are few and sums long, into as many parts as keep a device busy.
    pub fn split(&self) -> Split {
        if self.k <= PART && self.is_small() {
            return Split::of(self.k);
        }
        let busy = BUSY_OUTPUTS / (self.m * self.n).max(1);
        let parts = self.k.div_ceil(BLOCK).min(busy).max(self.k.div_ceil(PART));
        let multiple = if parts == 1 { 4 } else { BLOCK };
        Split::cut(self.k, parts, multiple)
    }
}

impl MatmulShape {
    /// The sizes, by the names that the shaders use.
    pub(in crate::ops) fn constants(&self) -> Constants {
        constants! { "M" => self.m, "N" => self.n, "K" => self.k }
    }

    /// The sizes in words.
    pub(in crate::ops) fn title(&self) -> String {
        format!("m {}, n {}, k {}", self.m, self.n, self.k)
    }

    /// The result in parts, with so many rows more.
    pub(super) fn partial(&self, more: usize) -> ArgSpec {
        written("partial", &[self.split().parts, self.m + more, self.n])
    }

    /// The product that workgroups share out, with so many rows more.
    pub(super) fn by_teams(&self, more: usize) -> Product {
        let split = self.split();
        Product { area: [self.m + more, self.n], areas: split.parts, terms: split.terms_per_part }
    }

    /// Whether parts are cut between blocks.
    pub(super) fn whole_blocks(&self) -> bool {
        let split = self.split();
        split.parts == 1 || split.terms_per_part.is_multiple_of(BLOCK_EIGHTS * EIGHTS)
    }
}

/// Most rows that pass by a block: enough to make up for loading it.
const MOST_ROWS: usize = 128;

/// Rows that pass by a block, of so many in all.
pub(in crate::ops) fn product_rows(rows: usize) -> usize {
    block_rows(rows, MOST_ROWS)
}

/// The constants of a tile.
pub(super) fn tile([m, n]: [usize; 2]) -> Vec<(&'static str, usize)> {
    vec![("TILE_M", m), ("TILE_N", n)]
}

/// Cases of one way of a product: the tutorial's, which are `first`, sizes where kernels could go wrong, exact ones, `short`,
/// just short of a tile of 32 by 32 outputs, and folded ones.
pub(super) fn cases<O: OpKind>(
    op: impl Fn(MatmulShape) -> O,
    first: [[usize; 3]; 2],
    short: [usize; 3],
) -> Vec<Case<O>> {
    let case = |[m, n, k]: [usize; 3]| Case::of(op(MatmulShape { m, n, k }));
    let mut table: Vec<Case<O>> = first.into_iter().chain(shapes()).map(case).collect();
    for sizes in [[33, 36, 300], [2, 3, 70_001]] {
        table.push(case(sizes).with(Numbers::Eighths));
    }
    table.push(case(short));
    // Enough for several groups even of a kernel that computes 8x8 outputs at once.
    table.push(case([136, 264, 16]).folded());
    // Terms for four teams.
    table.push(case([72, 136, 64]).folded());
    // Outputs for wide workgroups, whose last tiles are not full.
    table.push(case([4088, 1028, 12]).folded());
    table
}

fn shapes() -> [[usize; 3]; 23] {
    [
        [1, 1, 1],
        [1, 4, 4],
        [3, 5, 7],
        [4, 4, 1],
        [8, 12, 20],
        [12, 20, 36],
        [16, 10, 24],
        [23, 24, 64],
        [65, 67, 33],
        // Columns for one lane and for more than 8, several tiles of rows, a block that is not full.
        [9, 8, 8],
        [300, 72, 24],
        // One part of a little more than a block.
        [9, 8, 104],
        // Columns for two lanes and for four, so that several rows pass by at once; the last of them are not there.
        [11, 16, 200],
        [130, 32, 72],
        // Several blocks to a part, and several parts.
        [1030, 520, 136],
        [66, 68, 132],
        [2, 130, 130],
        [130, 1, 6],
        [1, 64, 100],
        // Sums in two and three parts, the last one short.
        [5, 8, 1025],
        [10, 6, 3001],
        // Sums of over 65,535 products.
        [3, 4, 70_001],
        [9, 8, 70_004],
    ]
}
