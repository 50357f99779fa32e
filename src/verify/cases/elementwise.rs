//! Biases, activations and dropout.

use crate::plan::{DropoutShape, Op};
use crate::verify::{Case, Numbers};

pub(super) fn elementwise() -> Vec<Case> {
    let bias = |rows, columns| Case::of(Op::BiasAdd { rows, columns });
    let forward = |len| Case::of(Op::ReluForward { len });
    let backward = |len| Case::of(Op::ReluBackward { len });
    let mut table = vec![
        bias(64, 64),
        bias(64, 10),
        bias(1, 1),
        bias(3, 5),
        bias(7, 12),
        bias(2, 130),
        bias(130, 4).with(Numbers::Eighths),
        bias(37, 36).folded(),
        // The tutorial's convolution and dense layer.
        forward(1_384_448),
        forward(4096).with(Numbers::Eighths),
        // 65,537 groups of 64.
        forward(4_194_308),
        forward(3000).folded(),
        backward(1_384_448),
        backward(4096).with(Numbers::Eighths),
        backward(3000).folded(),
    ];
    for len in [1, 3, 4, 5, 63, 64, 65, 252, 256, 260] {
        table.extend([forward(len), backward(len)]);
    }
    for kind in ACTIVATIONS {
        // By 4 and not, over several groups, folded, and both zeros; far from 0 for those that saturate.
        table.extend([1, 4, 65, 256, 4100].map(|len| Case::of(kind(len))));
        table.extend([3000, 3001].map(|len| Case::of(kind(len)).folded()));
        table.push(Case::of(kind(4096)).with(Numbers::Eighths));
        table.push(Case::of(kind(1003)).with(Numbers::Large));
    }
    table.extend(dropouts());
    table
}

/// Kinds of one length that have no case above.
const ACTIVATIONS: [fn(usize) -> Op; 9] = [
    |len| Op::SigmoidForward { len },
    |len| Op::SigmoidBackward { len },
    |len| Op::TanhForward { len },
    |len| Op::TanhBackward { len },
    |len| Op::LeakyReluForward { len, slope: 0.2 },
    |len| Op::LeakyReluBackward { len, slope: 0.2 },
    |len| Op::LeakyReluForward { len, slope: 0.0 },
    |len| Op::LeakyReluBackward { len, slope: 1.5 },
    |len| Op::Copy { len },
];

fn dropouts() -> Vec<Case> {
    let both = |len, layer, rate| {
        let shape = DropoutShape::new(len, layer, rate);
        [Op::DropoutForward(shape), Op::DropoutBackward(shape)].map(Case::of)
    };
    let mut table = Vec::new();
    // Every word of a step and of a layer counts; a rate that drops nothing and one that drops nearly all.
    for (len, layer, rate, step) in [
        (1, 0, 0.5, 0),
        (4, 1, 0.5, 1),
        (5, 2, 0.25, u32::MAX),
        (3002, 7, 0.3, 70_000),
        (4096, 300, 0.9, 12),
        (260, 1, 0.0, 3),
        (1000, 1, 0.999_999, 4),
    ] {
        table.extend(both(len, layer, rate).map(|case| case.training(step)));
    }
    table.extend(both(3004, 2, 0.4).map(|case| case.training(5).folded()));
    table.extend(both(3003, 2, 0.4).map(|case| case.training(5).folded()));
    // In evaluation nothing changes.
    table.extend(both(261, 2, 0.5));
    table.extend(both(260, 2, 0.5));
    table
}
