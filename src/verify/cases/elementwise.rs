//! Biases and activations.

use crate::plan::Op;
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
    table
}
