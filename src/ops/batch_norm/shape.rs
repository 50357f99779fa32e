//! Sizes of a normalization, and those that its kernels are tried on.

use crate::ops::kit::*;

/// Sizes of a batch of `samples` samples of `positions` positions each, with `columns` channels: `[samples * positions, columns]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct NormShape {
    pub samples: usize,
    pub positions: usize,
    pub columns: usize,
}

impl NormShape {
    /// Rows of a full batch.
    pub fn rows(&self) -> usize {
        self.samples * self.positions
    }

    /// Dimensions of a full batch.
    pub(super) fn x(&self) -> [usize; 2] {
        [self.rows(), self.columns]
    }

    /// How sums over rows are cut.
    pub(super) fn split(&self) -> Split {
        Split::of(self.rows())
    }

    /// Dimensions of sums in parts.
    pub(super) fn partial(&self) -> [usize; 2] {
        [self.split().parts, self.columns]
    }

    pub(super) fn constants(&self) -> Constants {
        constants! { "ROWS" => self.rows(), "COLUMNS" => self.columns, "POSITIONS" => self.positions }
    }

    pub(super) fn title(&self) -> String {
        format!("{} samples of {} positions, {} channels", self.samples, self.positions, self.columns)
    }

    pub(super) fn by_four(&self) -> bool {
        self.columns.is_multiple_of(4)
    }

    /// Rows of the samples that a batch has.
    pub(super) fn true_rows(&self, batch: &BatchParams) -> usize {
        (batch.batch_size as usize).min(self.samples) * self.positions
    }

    /// Rows of the samples of the whole batch, of which this one may be a part.
    pub(super) fn all_rows(&self, batch: &BatchParams) -> usize {
        batch.divisor as usize * self.positions
    }
}

/// Cases of one step: full and short batches, in training and not, one row, sums in several parts, over 65,535 rows, groups that fold.
pub(super) fn cases<O: OpKind>(op: impl Fn(NormShape) -> O) -> Vec<Case<O>> {
    let case = |samples, positions, columns| Case::of(op(NormShape { samples, positions, columns }));
    vec![
        case(64, 169, 32).training(3),
        case(64, 169, 32).batch(32, 128, 2).training(3),
        case(64, 1, 10).training(1),
        case(64, 1, 64),
        case(1, 1, 1).training(0),
        case(7, 9, 5).batch(1, 0, 0).training(2),
        case(9, 12, 12).batch(5, 3, 1).training(2),
        case(9, 12, 12).batch(5, 3, 1),
        case(5, 4, 130).training(4),
        case(300, 250, 3).batch(299, 0, 0).training(1),
        case(40, 128, 260).training(1).folded(),
        case(3, 2, 1040).training(1).folded(),
        case(40, 33, 65).batch(39, 0, 0).training(1).folded(),
    ]
}

/// The numbers of an argument: what is a mean of squares, or one over its root, is above zero.
pub(super) fn input<O>(draw: &mut Draw<'_, O>) -> Values {
    match draw.spec.name {
        "square_sum" | "moving_variance" | "inverse_deviation" => {
            Values::Floats(draw.floats().into_iter().map(|value| value.abs() + 0.05).collect())
        }
        _ => draw.plain(),
    }
}
