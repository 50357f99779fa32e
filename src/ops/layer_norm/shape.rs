//! Sizes of a layer normalization, and those that its kernels are tried on.

use crate::ops::kit::*;

/// Sizes of `rows` rows of `columns` values each: `[rows, columns]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct LayerNormShape {
    pub rows: usize,
    pub columns: usize,
}

impl LayerNormShape {
    pub(super) fn x(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    /// How sums over rows are cut.
    pub(super) fn split(&self) -> Split {
        Split::of(self.rows)
    }

    pub(super) fn constants(&self) -> Constants {
        constants! { "ROWS" => self.rows, "COLUMNS" => self.columns }
    }

    pub(super) fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    pub(super) fn by_four(&self) -> bool {
        self.columns.is_multiple_of(4)
    }
}

/// Cases of one step: rows of one value and of many, over 65,535 rows, sums in several parts, groups that fold, rows whose values
/// are all alike.
pub(super) fn cases<O: OpKind>(op: impl Fn(LayerNormShape) -> O) -> Vec<Case<O>> {
    let case = |rows, columns| Case::of(op(LayerNormShape { rows, columns }));
    vec![
        case(64 * 169, 32),
        case(64, 10),
        case(64, 64),
        case(1, 1),
        case(3, 1),
        case(63, 5),
        case(20, 130),
        case(3, 12_000),
        case(2, 10_001),
        case(75_000, 3),
        case(66_000, 4),
        case(65, 10).with(Numbers::Eighths),
        case(33, 100).with(Numbers::Large),
        case(34, 7).with(Numbers::Large),
        case(12, 8).with(Numbers::Equal),
        case(7, 9).with(Numbers::Equal),
        case(5120, 260).folded(),
        case(1320, 65).folded(),
    ]
}

/// Cases of one step with a gamma, and some without.
pub(super) fn scaled<O: OpKind>(op: impl Fn(LayerNormShape, bool) -> O) -> Vec<Case<O>> {
    let mut table = cases(|shape| op(shape, true));
    table.extend(cases(|shape| op(shape, false)).into_iter().take(8));
    table
}

/// The numbers of an argument: what is one over a deviation is above zero.
pub(super) fn input<O>(draw: &mut Draw<'_, O>) -> Values {
    match draw.spec.name {
        "inverse_deviation" => {
            Values::Floats(draw.floats().into_iter().map(|value| value.abs() + 0.05).collect())
        }
        _ => draw.plain(),
    }
}

/// What is added to gamma: 1 where zeros are given for it.
pub(super) fn unit(scale: bool) -> f32 {
    if scale { 0.0 } else { 1.0 }
}

/// The mean of terms that were computed as these, added up in any order.
pub(super) fn rough_mean(terms: impl ExactSizeIterator<Item = Rough>) -> Rough {
    let n = terms.len();
    let (mut sum, mut magnitude) = (Rough::exact(0.0), 0.0);
    for term in terms {
        sum.value += term.value;
        sum.error += term.error + FLUSHED;
        magnitude += term.value.abs() + term.error;
    }
    sum.error += magnitude * sum_of_alike(n);
    sum.over(Rough::exact(n as f64))
}
