//! Weight updates.

use crate::model::RmsProp;
use crate::plan::{Hole, MatmulShape, Op};
use crate::verify::{Case, Numbers};

pub(super) fn updates() -> Vec<Case> {
    let plain = RmsProp::default();
    let momentum = RmsProp { momentum: 0.9, ..plain };
    let centered = RmsProp { centered: true, ..plain };
    let both = RmsProp { rho: 0.7, momentum: 0.5, epsilon: 1e-3, centered: true, ..plain };
    let update = |len, rmsprop| Case::of(Op::RmspropUpdate { len, rmsprop, hole: Hole::default() });
    let rest = |len, first, hole, rmsprop| {
        Case::of(Op::RmspropUpdate { len, rmsprop, hole: Hole { first, len: hole } })
    };
    let dense = |m, n, k, first, len, rmsprop| {
        let product = MatmulShape { m, n, k };
        Case::of(Op::DenseRmspropUpdate { product, first, len, rmsprop })
    };
    let mut table = vec![
        // The tutorial's arena.
        update(347_152, plain),
        rest(347_152, 320, 346_176, plain),
        rest(10, 3, 5, plain),
        rest(24, 16, 8, both),
        rest(3000, 0, 1000, centered).folded(),
        rest(3001, 100, 1000, momentum).folded(),
        dense(5408, 64, 64, 320, 347_152, plain),
        // One column and one row; columns by 4 and by 8; rows for several blocks; every state.
        dense(1, 1, 1, 0, 2, plain),
        dense(3, 5, 7, 2, 30, both),
        dense(9, 12, 10, 8, 136, momentum),
        dense(12, 20, 9, 4, 272, both),
        dense(132, 72, 33, 16, 9600, both),
        dense(20, 8, 64, 0, 168, centered).with(Numbers::Eighths),
        dense(268, 136, 5, 8, 36_592, plain).folded(),
        dense(40, 36, 6, 4, 1480, plain).folded(),
        dense(67, 33, 6, 1, 2246, plain).folded(),
        update(1, plain),
        update(4, both),
        update(67, plain),
        update(3000, both).folded(),
        update(3000, plain).folded(),
    ];
    for rmsprop in [momentum, centered, both] {
        table.extend([update(261, rmsprop), update(1028, rmsprop)]);
    }
    table
}
