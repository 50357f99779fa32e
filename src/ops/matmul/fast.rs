//! How the CPU executor computes products.

use super::shape::MatmulShape;
use crate::ops::kit::*;

/// Rows of the result that are computed at once: enough to make up for reading all of the other factor.
const ROWS: usize = 64;

/// The product of `a`, `[m, k]`, and `b`, `[k, n]`, in parts.
pub(super) fn in_parts(s: &MatmulShape, a: Matrix<'_>, b: Matrix<'_>, partial: &mut [f32]) {
    let split = s.split();
    each_piece(partial, s.m * s.n, &|part, c| {
        let terms = split.range(part);
        let b = b.from([terms.start, 0]);
        each_piece(c, ROWS * s.n, &|block, c| {
            let a = a.from([block * ROWS, terms.start]);
            product([c.len() / s.n, s.n, terms.len()], a, b, Target { values: c, row: s.n, add: false });
        });
    });
}
