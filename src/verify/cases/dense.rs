//! Products, small dense layers, and the sums of parts.

use crate::plan::{MatmulShape, Op};
use crate::verify::{Case, Numbers};

pub(super) fn products() -> Vec<Case> {
    let plain = |m, n, k| Case::of(Op::Matmul(MatmulShape { m, n, k }));
    let at_b = |m, n, k| Case::of(Op::MatmulAtB { product: MatmulShape { m, n, k }, bias: false });
    let a_bt = |m, n, k| Case::of(Op::MatmulABt(MatmulShape { m, n, k }));
    let all = |m, n, k| [plain(m, n, k), at_b(m, n, k), a_bt(m, n, k)];
    let mut table = vec![
        // Forward, gradient of the kernel, gradient of the input of both dense layers.
        plain(64, 64, 5408),
        plain(64, 10, 64),
        at_b(5408, 64, 64),
        at_b(64, 10, 64),
        a_bt(64, 5408, 64),
        a_bt(64, 64, 10),
    ];
    let shapes = [
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
    ];
    table.extend(shapes.into_iter().flat_map(|[m, n, k]| all(m, n, k)));
    table.extend(all(33, 36, 300).map(|case| case.with(Numbers::Eighths)));
    table.extend(all(2, 3, 70_001).map(|case| case.with(Numbers::Eighths)));
    // Rows, columns and terms just short of a tile of 32 by 32 outputs and 32 terms.
    table.extend([plain(31, 28, 60), at_b(28, 60, 31), a_bt(31, 28, 60)]);
    // Enough for several groups even of a kernel that computes 8x8 outputs at once.
    table.extend(all(136, 264, 16).map(Case::folded));
    // With a row of sums: the tutorial's layer, rows that fill the last tile and that need one more, several parts.
    let biased = |m, n, k| Case::of(Op::MatmulAtB { product: MatmulShape { m, n, k }, bias: true });
    table.extend([
        biased(5408, 64, 64),
        biased(1, 1, 1),
        biased(3, 5, 7),
        biased(32, 36, 9),
        biased(130, 12, 2052),
        biased(96, 28, 1100),
        biased(9, 8, 70_004).with(Numbers::Eighths),
        biased(268, 136, 5).folded(),
        biased(264, 136, 5).folded(),
        // Rows in eights: one more for the bias in the last tile and in one of its own, several blocks to a part.
        biased(8, 8, 3),
        biased(128, 24, 200),
        biased(104, 40, 1100),
        biased(67, 33, 6).folded(),
    ]);
    table
}

pub(super) fn small_dense_layers() -> Vec<Case> {
    let forward = |m, n, k, relu| Case::of(Op::DenseForward { product: MatmulShape { m, n, k }, relu });
    let backward = |m, n, k, relu| Case::of(Op::DenseBackward { product: MatmulShape { m, n, k }, relu });
    let sum = |parts, rows, columns, relu| Case::of(Op::SumPartialsBias { parts, rows, columns, relu });
    let shapes = [[64, 10, 64], [1, 1, 1], [3, 5, 7], [7, 12, 9], [33, 8, 130], [2, 130, 3]];
    let mut table: Vec<Case> = shapes
        .into_iter()
        .flat_map(|[m, n, k]| [true, false].map(|relu| [forward(m, n, k, relu), backward(m, n, k, relu)]))
        .flatten()
        .collect();
    for (m, n, k) in [(40, 36, 20), (21, 15, 40)] {
        let eighths =
            [forward(m, n, k, true), backward(m, n, k, true)].map(|case| case.with(Numbers::Eighths));
        table.extend(eighths.map(Case::folded));
    }
    table.extend([
        sum(15, 64, 64, true),
        sum(15, 64, 64, false),
        sum(1, 1, 1, true),
        sum(2, 3, 5, false),
        sum(1024, 2, 9, true),
        sum(3, 7, 12, true).with(Numbers::Eighths),
        sum(2, 50, 44, true).folded(),
        sum(2, 50, 43, false).folded(),
    ]);
    table
}

pub(super) fn sums() -> Vec<Case> {
    let parts = |parts, len| Case::of(Op::SumPartials { parts, len });
    let columns = |rows, columns| Case::of(Op::ColumnSum { rows, columns });
    vec![
        parts(42, 320),
        parts(43, 288),
        parts(43, 32),
        parts(15, 4096),
        parts(1, 1),
        parts(1, 4),
        parts(2, 5),
        parts(3, 130),
        parts(7, 260).with(Numbers::Eighths),
        parts(2, 1028).folded(),
        // The most that a plan has, and the longest loop that it may have.
        parts(1024, 9),
        parts(30_000, 4),
        columns(43_264, 32),
        columns(64, 64),
        columns(64, 10),
        columns(1, 1),
        columns(1, 7),
        columns(5, 4),
        columns(9, 130),
        columns(1025, 12),
        columns(70_001, 3),
        columns(70_004, 4).with(Numbers::Eighths),
        columns(5000, 260).folded(),
    ]
}
