//! THE table: every kind of step on the shapes where kernels go wrong.
//!
//! For each kind there are the tutorial's own shapes at batch 64; one element of everything; sizes that no tile divides,
//! and sizes that 4 divides but not 8; one and many channels; a short batch; reductions longer than 65,535 terms; and
//! dispatches whose groups fold into y, both of over 65,535 groups and, for every kind, of few.
//! A new kind gets its rows here; its inputs stand in `inputs`, its bound in `tolerance`.

use super::{Case, Numbers};
use crate::model::RmsProp;
use crate::plan::{ConvPoolShape, ConvShape, Hole, MatmulShape, Op, PoolShape};

/// Every case, the cheap ones of a kind first where order does not matter otherwise.
pub fn cases() -> Vec<Case> {
    let mut table = Vec::new();
    table.extend(gathering());
    table.extend(convolutions());
    table.extend(poolings());
    table.extend(pooled_convolutions());
    table.extend(products());
    table.extend(small_dense_layers());
    table.extend(sums());
    table.extend(elementwise());
    table.extend(losses());
    table.extend(updates());
    table
}

fn gathering() -> Vec<Case> {
    let images = |batch, pixels| Case::of(Op::GatherImages { batch, pixels });
    let both = |batch, pixels, classes| Case::of(Op::GatherBatch { batch, pixels, classes });
    let labels = |batch, classes| Case::of(Op::OneHot { batch, classes });
    vec![
        images(64, 784),
        images(64, 784).batch(23, 640, 3),
        images(1, 1),
        images(3, 5),
        images(7, 27).batch(4, 9, 0),
        images(2, 130),
        images(5, 3072).folded(),
        both(64, 784, 10),
        both(64, 784, 10).batch(23, 640, 3),
        both(1, 1, 2),
        both(7, 27, 3).batch(4, 9, 0),
        both(5, 3072, 130).folded(),
        labels(64, 10),
        labels(64, 10).batch(23, 640, 3),
        labels(1, 2),
        labels(5, 3).batch(2, 1, 1),
        labels(13, 256).folded(),
        // 4,300,000 elements: 67,188 groups of 64.
        labels(4300, 1000).batch(4299, 2, 0),
    ]
}

fn convolutions() -> Vec<Case> {
    let forward = |s| Case::of(Op::Conv2dForward(s));
    let backward_input = |s| Case::of(Op::Conv2dBackwardInput(s));
    let backward_kernel = |s| Case::of(Op::Conv2dBackwardKernel(s));
    let all = |s| [forward(s), backward_input(s), backward_kernel(s)];
    let valid = ConvShape::valid;
    let shapes = [
        valid([64, 28, 28, 1], [3, 3], [1, 1], 32),
        // A convolution after a convolution.
        valid([2, 13, 13, 32], [3, 3], [1, 1], 64),
        valid([1, 1, 1, 1], [1, 1], [1, 1], 1),
        valid([1, 1, 1, 4], [1, 1], [1, 1], 4),
        valid([3, 5, 7, 1], [1, 1], [1, 1], 5),
        valid([2, 7, 11, 5], [3, 2], [1, 1], 7),
        valid([2, 9, 30, 3], [3, 3], [1, 1], 8),
        // Strides that leave rows and columns over; 12 channels: by 4, not by 8.
        valid([1, 13, 17, 4], [3, 3], [2, 3], 12),
        // Strides past the window: gaps that get no gradient.
        valid([3, 8, 6, 2], [2, 2], [3, 3], 4),
        valid([1, 3, 3, 6], [3, 3], [1, 1], 16),
        valid([5, 12, 31, 2], [4, 3], [1, 2], 20),
        valid([1, 6, 7, 130], [2, 3], [1, 1], 130),
        // Channels in eights: strides, more of them than 8 lanes hold, positions for more than one tile.
        valid([3, 9, 11, 8], [3, 3], [2, 3], 72),
        valid([2, 10, 14, 24], [2, 2], [1, 1], 16),
    ];
    let mut table: Vec<Case> = shapes.into_iter().flat_map(all).collect();
    let exact = valid([4, 11, 10, 3], [3, 3], [1, 1], 12);
    table.extend(all(exact).map(|case| case.with(Numbers::Eighths)));
    let fold = valid([7, 10, 9, 6], [3, 2], [1, 1], 24);
    table.extend(all(fold).map(Case::folded));
    table.extend(all(valid([24, 10, 9, 16], [3, 3], [1, 1], 16)).map(Case::folded));
    table.extend([
        // The longest sums: 25,000 products in one output.
        forward(valid([1, 6, 6, 1000], [5, 5], [1, 1], 4)),
        backward_input(valid([1, 6, 6, 4], [5, 5], [1, 1], 1000)),
        // 67,600 positions, and an odd number of channels over as many.
        backward_kernel(valid([100, 28, 28, 1], [3, 3], [1, 1], 4)),
        backward_kernel(valid([100, 28, 28, 1], [2, 2], [1, 1], 3)).with(Numbers::Eighths),
    ]);
    table
}

fn poolings() -> Vec<Case> {
    let forward = |s| Case::of(Op::MaxpoolForward(s));
    let backward = |s| Case::of(Op::MaxpoolBackward(s));
    let valid = PoolShape::valid;
    let shapes = [
        valid([64, 26, 26, 32], [2, 2], [2, 2]),
        valid([1, 1, 1, 1], [1, 1], [1, 1]),
        valid([1, 2, 2, 8], [2, 2], [2, 2]),
        // Odd sizes: a last row and column in no window.
        valid([2, 7, 9, 3], [2, 2], [2, 2]),
        // Overlapping windows.
        valid([2, 9, 9, 5], [3, 3], [2, 2]),
        valid([1, 11, 8, 12], [3, 2], [1, 1]),
        valid([2, 12, 14, 6], [5, 5], [3, 2]),
        // Gaps.
        valid([3, 10, 13, 4], [2, 2], [3, 4]),
        valid([2, 6, 7, 130], [2, 3], [2, 1]),
    ];
    let mut table: Vec<Case> = shapes
        .into_iter()
        .flat_map(|s| [forward(s), forward(s).with(Numbers::Eighths), backward(s)])
        .collect();
    let ties = valid([2, 7, 9, 4], [3, 3], [2, 2]);
    table.extend([forward(ties).with(Numbers::Equal), backward(ties).with(Numbers::Eighths)]);
    let fold = valid([3, 17, 19, 12], [2, 2], [1, 1]);
    table.extend([forward(fold).with(Numbers::Eighths).folded(), backward(fold).folded()]);
    table
}

fn pooled_convolutions() -> Vec<Case> {
    let shape = |x, kernel, strides, out_c, window, window_strides, relu| {
        let conv = ConvShape::valid(x, kernel, strides, out_c);
        let pool = PoolShape::valid([x[0], conv.out_h, conv.out_w, out_c], window, window_strides);
        ConvPoolShape { conv, pool, relu }
    };
    let forward = |s| Case::of(Op::Conv2dMaxpoolForward(s));
    let backward = |s| Case::of(Op::Conv2dMaxpoolBackwardKernel(s));
    let shapes = [
        shape([64, 28, 28, 1], [3, 3], [1, 1], 32, [2, 2], [2, 2], true),
        shape([2, 13, 13, 32], [3, 3], [1, 1], 64, [2, 2], [2, 2], true),
        shape([1, 1, 1, 1], [1, 1], [1, 1], 1, [1, 1], [1, 1], true),
        shape([1, 2, 2, 1], [1, 1], [1, 1], 4, [2, 2], [2, 2], false),
        // Odd sizes: a last row and column in no window.
        shape([3, 9, 12, 1], [3, 2], [1, 1], 5, [2, 2], [2, 2], false),
        shape([2, 10, 32, 1], [4, 3], [1, 1], 12, [3, 2], [3, 2], true),
        // Channels for one lane and for more than eight; gaps between windows, strides of the convolution.
        shape([5, 14, 20, 1], [3, 3], [2, 1], 4, [1, 2], [2, 3], true),
        shape([1, 11, 8, 1], [2, 3], [1, 1], 44, [2, 2], [2, 2], false),
        shape([2, 7, 9, 3], [3, 3], [1, 1], 8, [2, 2], [2, 2], false),
        shape([2, 8, 10, 5], [2, 2], [1, 2], 7, [2, 1], [3, 1], true),
    ];
    let mut table: Vec<Case> = shapes.into_iter().flat_map(|s| [forward(s), backward(s)]).collect();
    // Ties and zeros abound, and every choice is exact.
    table.extend(shapes.map(|s| forward(s).with(Numbers::Eighths)));
    let fold = shape([5, 21, 16, 1], [3, 3], [1, 1], 36, [2, 2], [2, 2], true);
    let odd = shape([3, 9, 11, 2], [3, 3], [1, 1], 7, [2, 2], [2, 2], true);
    for s in [fold, odd] {
        table.extend([forward(s).with(Numbers::Eighths).folded(), backward(s).folded()]);
    }
    // 86,240 windows.
    let long = shape([280, 30, 12, 1], [3, 2], [1, 1], 4, [1, 1], [1, 1], true);
    table.extend([backward(long), backward(long).with(Numbers::Eighths)]);
    table
}

fn products() -> Vec<Case> {
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
        biased(67, 33, 6).folded(),
    ]);
    table
}

fn small_dense_layers() -> Vec<Case> {
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

fn sums() -> Vec<Case> {
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

fn elementwise() -> Vec<Case> {
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

fn losses() -> Vec<Case> {
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

fn updates() -> Vec<Case> {
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::gpu::{AdapterClass, KERNELS, variants};
    use crate::model::{Loss, ModelFile};
    use crate::plan::{MAX_ITERATIONS, Plan};

    /// The class of adapters that can run every kernel.
    const ALL: AdapterClass = AdapterClass { lanes: Some(8), int64: true, hardware: true };

    #[test]
    fn every_kernel_of_the_table_is_run_by_some_case() {
        let mut left: HashSet<_> = KERNELS.iter().map(|kernel| (kernel.kind, kernel.variant)).collect();
        assert_eq!(left.len(), KERNELS.len(), "two kernels share a kind and a variant");
        for case in cases() {
            assert!(variants(&case.op, ALL).next().is_some(), "{}: no kernel fits", case.op.kind());
            for kernel in variants(&case.op, ALL) {
                left.remove(&(kernel.kind, kernel.variant));
            }
        }
        assert!(left.is_empty(), "no case runs {left:?}");
    }

    #[test]
    fn every_kernel_is_run_in_folded_groups() {
        let mut left: HashSet<_> = KERNELS.iter().map(|kernel| (kernel.kind, kernel.variant)).collect();
        for case in cases().iter().filter(|case| case.folded) {
            for kernel in variants(&case.op, ALL) {
                if kernel.groups(&case.op, super::super::side_of_square(kernel, &case.op))[1] > 1 {
                    left.remove(&(kernel.kind, kernel.variant));
                }
            }
        }
        // These are a single group by design.
        left.retain(|(kind, _)| !kind.ends_with("_metrics") && !kind.ends_with("_softmax_cross_entropy"));
        assert!(left.is_empty(), "no folded case of {left:?}");
    }

    #[test]
    fn every_step_of_the_tutorial_is_a_case() {
        let table = cases();
        let file = ModelFile::tutorial().unwrap();
        let network = file.model.network().unwrap();
        let plan = Plan::build(&network, Loss::default(), file.optimizer, 64).unwrap();
        let fused = plan.clone().fuse();
        for step in plan.steps.iter().chain(&fused.steps) {
            assert!(table.iter().any(|case| case.op == step.op), "{}: {:?}", step.name, step.op);
        }
    }

    #[test]
    fn names_are_unique_and_loops_short_enough() {
        let mut seen = HashSet::new();
        for case in cases() {
            let name = format!("{}: {}", case.op.kind(), case.name());
            assert!(case.op.longest_loop() <= MAX_ITERATIONS, "{name}");
            assert!(seen.insert(name.clone()), "twice: {name}");
        }
    }
}
