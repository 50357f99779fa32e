//! Taking batches from the data set.

use crate::plan::{AugmentShape, Op};
use crate::verify::Case;

pub(super) fn gathering() -> Vec<Case> {
    let images = |batch, pixels| Case::of(Op::GatherImages { batch, pixels });
    let both = |batch, pixels, classes| Case::of(Op::GatherBatch { batch, pixels, classes });
    let labels = |batch, classes| Case::of(Op::OneHot { batch, classes });
    let augment = |x, noise| Case::of(Op::AugmentImages(AugmentShape::new(x, noise))).training(9);
    let plain = |x| Case::of(Op::AugmentImages(AugmentShape::new(x, 0.1)));
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
        both(3, 129, 4).folded(),
        both(5, 3072, 130).folded(),
        both(13, 8, 256),
        labels(64, 10),
        labels(64, 10).batch(23, 640, 3),
        labels(1, 2),
        labels(5, 3).batch(2, 1, 1),
        labels(13, 256).folded(),
        // 4,300,000 elements: 67,188 groups of 64.
        labels(4300, 1000).batch(4299, 2, 0),
        augment([64, 28, 28, 1], 0.0),
        augment([64, 28, 28, 1], 0.1).batch(23, 640, 3),
        augment([1, 1, 1, 1], 0.5),
        augment([7, 3, 9, 3], 0.1).batch(4, 9, 0),
        augment([6, 32, 32, 3], 0.0).folded(),
        augment([5, 13, 11, 2], 0.3).folded(),
        plain([5, 13, 11, 2]),
    ]
}
