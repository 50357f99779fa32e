//! Penalties of weights, clipping of gradients, and weight updates.

use crate::model::{Adadelta, Adam, Regularizer, RmsProp, Sgd};
use crate::plan::{Hole, MatmulShape, Op};
use crate::verify::{Case, Numbers, Wire};

pub(super) fn rmsprop() -> Vec<Case> {
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
        dense(136, 72, 33, 16, 9888, both),
        dense(24, 8, 64, 0, 200, centered).with(Numbers::Eighths),
        dense(264, 136, 5, 8, 36_048, plain).folded(),
        dense(40, 36, 6, 4, 1480, plain).folded(),
        dense(67, 33, 6, 1, 2246, plain).folded(),
        update(1, plain),
        update(4, both),
        update(67, plain),
        update(3000, both).folded(),
        update(3000, plain).folded(),
    ];
    let decaying = RmsProp { weight_decay: Some(0.004), ..plain };
    let both_decaying = RmsProp { weight_decay: Some(0.2), ..both };
    table.extend([
        update(68, decaying),
        update(31, both_decaying),
        rest(40, 8, 16, both_decaying),
        dense(3, 5, 7, 2, 30, both_decaying),
        dense(12, 20, 9, 4, 272, decaying),
        dense(136, 72, 33, 16, 9888, decaying),
    ]);
    // Each variant, with every state.
    let found = [
        update(67, both_decaying),
        update(1028, both),
        rest(40, 8, 16, both),
        dense(3, 5, 7, 2, 30, both),
        dense(9, 12, 10, 8, 136, both),
        dense(12, 20, 9, 4, 272, both),
        dense(136, 72, 33, 16, 9888, both_decaying),
    ];
    table.extend(found.into_iter().flat_map(|case| Wire::NOT_CLEAR.map(|wire| case.finds(wire))));
    for rmsprop in [momentum, centered, both] {
        table.extend([update(261, rmsprop), update(1028, rmsprop)]);
    }
    table
}

/// The other optimizers: of one weight, odd numbers, the tutorial's arena, folded, with every setting.
pub(super) fn optimizers() -> Vec<Case> {
    let sgd = |len, sgd: Sgd| {
        let op =
            if sgd.slots() > 0 { Op::SgdMomentumUpdate { len, sgd } } else { Op::SgdUpdate { len, sgd } };
        Case::of(op)
    };
    let adadelta = |len, adadelta| Case::of(Op::AdadeltaUpdate { len, adadelta });
    let adam = |len, adam| Case::of(Op::AdamUpdate { len, adam });
    let decay = Some(0.004);
    let momentum = Sgd { momentum: 0.9, ..Sgd::default() };
    let sgds = [
        Sgd::default(),
        Sgd { weight_decay: decay, ..Sgd::default() },
        momentum,
        Sgd { nesterov: true, ..momentum },
        Sgd { nesterov: true, weight_decay: Some(0.2), ..momentum },
    ];
    let adadeltas = [
        Adadelta::default(),
        Adadelta { rho: 0.7, epsilon: 1e-3, weight_decay: decay, ..Adadelta::default() },
    ];
    let adams = [
        Adam::default(),
        Adam { weight_decay: decay, ..Adam::default() },
        Adam { beta_1: 0.5, beta_2: 0.7, epsilon: 1e-3, ..Adam::default() },
    ];
    let mut table = Vec::new();
    for len in [1, 4, 67, 1028, 347_152] {
        table.extend(sgds.map(|settings| sgd(len, settings)));
        table.extend(adadeltas.map(|settings| adadelta(len, settings)));
        table.extend(adams.map(|settings| adam(len, settings)));
    }
    for len in [3000, 3001] {
        let settings = Sgd { nesterov: true, ..momentum };
        table.extend([sgd(len, Sgd::default()), sgd(len, settings)].map(Case::folded));
        table.extend([adadelta(len, adadeltas[1]), adam(len, adams[1])].map(Case::folded));
    }
    let found = [67, 1028].into_iter().flat_map(|len| {
        let ours = [sgd(len, sgds[1]), sgd(len, sgds[4]), adadelta(len, adadeltas[1]), adam(len, adams[1])];
        ours.into_iter().flat_map(|case| Wire::NOT_CLEAR.map(|wire| case.finds(wire)))
    });
    table.extend(found);
    // As at the first step, and at the second: sqrt(1 - 0.999^t) / (1 - 0.9^t).
    table.extend([0.316_227_77, 0.235_3].map(|correction| adam(260, adams[0]).corrected(correction)));
    table
}

/// Penalties, and what is done to gradients before an update.
pub(super) fn penalties_and_clipping() -> Vec<Case> {
    let squares = |len| Case::of(Op::SumOfSquares { len });
    let by_value = |len, limit| Case::of(Op::ClipByValue { len, limit });
    let by_norm = |len, limit| Case::of(Op::ClipByNorm { len, limit });
    let penalty = |len, regularizer| Case::of(Op::WeightPenalty { len, regularizer });
    let gradient = |len, regularizer| Case::of(Op::WeightPenaltyGradient { len, regularizer });
    let regularizers = [Regularizer::l1(0.01), Regularizer::l2(0.01), Regularizer::l1_l2(1e-5, 0.3)];
    let mut table = Vec::new();
    // The tutorial's arena and its largest kernel, and sums of over 65,535 terms, among them.
    for len in [1, 3, 4, 5, 64, 261, 1024, 1025, 2052, 70_001, 346_112, 347_152] {
        table.push(squares(len));
        table.extend(regularizers.map(|regularizer| penalty(len, regularizer)));
    }
    for len in [1, 4, 67, 1028, 346_112] {
        table.extend(regularizers.map(|regularizer| gradient(len, regularizer)));
        table.extend([0.1, 0.5, 2.0].map(|limit| by_value(len, limit)));
        // The norm is between 0.5 and 2.1.
        table.extend([0.1, 0.3, 5.0].map(|limit| by_norm(len, limit)));
    }
    for len in [3000, 3001] {
        let elementwise = [gradient(len, regularizers[2]), by_value(len, 0.25), by_norm(len, 0.25)];
        table.extend(elementwise.map(Case::folded));
    }
    for len in [1 << 18, (1 << 18) + 1] {
        table.extend([squares(len), penalty(len, regularizers[2])].map(Case::folded));
    }
    table.extend([9, 64].map(|len| squares(len).with(Numbers::Eighths)));
    let add = Case::of(Op::AddPenalty);
    table.extend([add, add.batch(0, 0, 7), add.batch(0, 0, 2).with(Numbers::Large)]);
    table
}
