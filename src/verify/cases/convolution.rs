//! Convolutions, poolings, and both at once.

use crate::plan::{ConvPoolShape, ConvShape, Op, PoolShape};
use crate::verify::{Case, Numbers};

pub(super) fn convolutions() -> Vec<Case> {
    let forward = |conv| Case::of(Op::Conv2dForward { conv, relu: false });
    let with_relu = |conv| Case::of(Op::Conv2dForward { conv, relu: true });
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
        // Blocks of 12 eights, of 11, of 7 with one too many, and of one; bands of rows; batches that leave places for images empty.
        valid([3, 40, 15, 32], [3, 3], [2, 1], 104),
        valid([5, 9, 20, 16], [3, 2], [3, 2], 88),
        valid([9, 6, 6, 48], [1, 2], [1, 1], 8),
        // Two blocks to a weight, channels for two tiles of 8 lanes, short last bands, blocks, tiles of rows and parts.
        valid([3, 29, 15, 72], [3, 3], [1, 1], 160),
        valid([2, 5, 6, 88], [2, 2], [1, 1], 208),
        // Bands of a single row.
        valid([1, 4, 140, 8], [2, 2], [1, 1], 8),
    ];
    let mut table: Vec<Case> = shapes.into_iter().flat_map(all).collect();
    // One for each kernel, and for sums in several blocks.
    table.extend([2, 3, 5, 6, 9, 12, 13, 14, 15, 16].map(|at| with_relu(shapes[at])));
    let exact = valid([4, 11, 10, 3], [3, 3], [1, 1], 12);
    table.extend(all(exact).map(|case| case.with(Numbers::Eighths)));
    let fold = valid([7, 10, 9, 6], [3, 2], [1, 1], 24);
    table.extend(all(fold).map(Case::folded));
    table.extend(all(valid([24, 10, 9, 16], [3, 3], [1, 1], 72)).map(Case::folded));
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

pub(super) fn poolings() -> Vec<Case> {
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
        // The largest window whose elements, and none of them, have a byte's numbers, and one more.
        valid([1, 17, 18, 4], [15, 17], [1, 1]),
        valid([1, 17, 16, 4], [16, 16], [1, 1]),
        valid([1, 33, 17, 3], [32, 16], [1, 1]),
    ];
    let mut table: Vec<Case> = shapes
        .into_iter()
        .flat_map(|s| [forward(s), forward(s).with(Numbers::Eighths), backward(s)])
        .collect();
    let ties = valid([2, 7, 9, 4], [3, 3], [2, 2]);
    table.extend([forward(ties).with(Numbers::Equal), backward(ties).with(Numbers::Eighths)]);
    for fold in [valid([3, 17, 19, 12], [2, 2], [1, 1]), valid([3, 9, 11, 5], [2, 2], [1, 1])] {
        table.extend([forward(fold).with(Numbers::Eighths).folded(), backward(fold).folded()]);
    }
    table
}

pub(super) fn pooled_convolutions() -> Vec<Case> {
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
        // Channels in eights, for one lane, two, three and five; windows of one, two and four to a run, one row to a part.
        shape([3, 14, 20, 1], [3, 3], [2, 1], 8, [1, 2], [2, 4], true),
        shape([5, 15, 28, 1], [3, 3], [1, 1], 16, [2, 2], [2, 2], false),
        shape([2, 9, 12, 1], [2, 4], [1, 1], 24, [3, 1], [3, 1], true),
        shape([1, 11, 32, 1], [2, 3], [1, 1], 40, [2, 3], [3, 3], true),
    ];
    let mut table: Vec<Case> = shapes.into_iter().flat_map(|s| [forward(s), backward(s)]).collect();
    // Ties and zeros abound, and every choice is exact.
    table.extend(shapes.map(|s| forward(s).with(Numbers::Eighths)));
    let fold = shape([5, 21, 16, 1], [3, 3], [1, 1], 72, [2, 2], [2, 2], true);
    let odd = shape([3, 9, 11, 2], [3, 3], [1, 1], 7, [2, 2], [2, 2], true);
    for s in [fold, odd] {
        table.extend([forward(s).with(Numbers::Eighths).folded(), backward(s).folded()]);
    }
    // 86,240 windows.
    let long = shape([280, 30, 12, 1], [3, 2], [1, 1], 8, [1, 1], [1, 1], true);
    table.extend([backward(long), backward(long).with(Numbers::Eighths)]);
    table
}
