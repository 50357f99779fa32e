//! Losses and metrics.

use crate::plan::{MatmulShape, Op};
use crate::verify::{Case, Numbers};

pub(super) fn losses() -> Vec<Case> {
    let softmax = |rows, columns| Case::of(Op::Softmax { rows, columns });
    let loss = |rows, columns| Case::of(Op::SoftmaxCrossEntropy { rows, columns });
    let fused = |rows, columns| Case::of(Op::SoftmaxCrossEntropyMetrics { rows, columns });
    let metrics = |rows| Case::of(Op::BatchMetrics { rows });
    let last =
        |m, n, k, relu| Case::of(Op::DenseSoftmaxCrossEntropy { product: MatmulShape { m, n, k }, relu });
    let mut table = vec![
        softmax(64, 10),
        softmax(1, 1),
        softmax(130, 7).folded(),
        loss(64, 10),
        loss(64, 10).batch(32, 128, 2),
        loss(1, 2),
        loss(7, 5).batch(1, 0, 0),
        loss(9, 4).batch(5, 3, 1).with(Numbers::Eighths),
        loss(300, 11).batch(257, 0, 0).folded(),
        fused(64, 10),
        fused(64, 10).batch(32, 128, 937),
        fused(1, 2),
        fused(7, 5).batch(1, 0, 0),
        fused(9, 4).batch(5, 3, 1).with(Numbers::Eighths),
        fused(300, 11).batch(257, 0, 2),
        last(64, 10, 64, true),
        last(64, 10, 64, true).batch(32, 128, 937),
        last(64, 10, 64, false),
        last(1, 2, 1, true),
        last(7, 5, 3, false).batch(3, 9, 1),
        last(13, 3, 16, true).batch(11, 0, 2),
        last(70, 16, 40, true),
        last(9, 12, 8, false).batch(8, 1, 0),
        last(24, 32, 32, true),
        metrics(64),
        metrics(64).batch(32, 128, 937),
        metrics(1),
        metrics(63),
        metrics(65).batch(65, 65, 1),
        metrics(200).batch(130, 7, 2),
        metrics(70_001),
    ];
    for case in [softmax(65, 10), softmax(3, 2), softmax(9, 130), softmax(5, 1000)] {
        table.extend(logits(case));
    }
    let back = |rows, columns| Case::of(Op::SoftmaxBackward { rows, columns });
    table.extend([back(64, 10), back(1, 1), back(3, 2), back(5, 1000), back(130, 7).folded()]);
    table.push(back(65, 10).with(Numbers::Eighths));
    let kinds: [fn(usize, usize) -> Op; 2] = [
        |rows, columns| Op::MeanSquaredError { rows, columns },
        |rows, columns| Op::CrossEntropy { rows, columns },
    ];
    for kind in kinds {
        let of = |rows, columns| Case::of(kind(rows, columns));
        table.extend([
            of(64, 10),
            of(64, 10).batch(32, 128, 2),
            of(1, 1),
            of(1, 2),
            of(9, 130),
            of(40, 1000),
        ]);
        table.extend([of(7, 5).batch(1, 0, 0), of(9, 4).batch(5, 3, 1).with(Numbers::Eighths)]);
        table.extend([of(65, 10).with(Numbers::Equal), of(300, 11).batch(257, 0, 0).folded()]);
    }
    let fused = [fused(65, 10), fused(3, 2), fused(9, 130)];
    for case in [loss(65, 10), loss(3, 2), loss(9, 130), loss(40, 1000)].into_iter().chain(fused) {
        table.extend(logits(case));
    }
    table
}

/// The same rows on every kind of logits.
fn logits(case: Case) -> [Case; 4] {
    [Numbers::Uniform, Numbers::Large, Numbers::Equal, Numbers::Eighths].map(|numbers| case.with(numbers))
}
