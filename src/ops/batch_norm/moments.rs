//! Sums over the samples of a batch.

use super::shape::{NormShape, cases, input};
use crate::ops::kit::*;

/// The sum of each channel over the rows of true samples: `sum[c] = sum_r x[r, c]`, in parts: `partial[s]` is the sum over the `s`-th range
/// of rows ([`Split`]). Zeros where nothing is trained.
///
/// x `[rows, columns]`, partial `[parts, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormSums {
    /// The sizes.
    pub shape: NormShape,
}

impl OpKind for BatchNormSums {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/batch_norm_sums.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.shape.by_four()),
        sums: Some(Sums { terms: OpKind::longest_loop, along: false }),
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast_sums)];

    fn kind(&self) -> &'static str {
        "batch_norm_sums"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &self.shape.x()), written("partial", &self.shape.partial())]
    }

    fn split(&self) -> Option<Split> {
        Some(self.shape.split())
    }

    fn flops(&self) -> usize {
        self.shape.rows() * self.shape.columns
    }

    fn longest_loop(&self) -> usize {
        self.shape.split().terms_per_part
    }

    fn constants(&self) -> Constants {
        self.shape.constants()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.shape.samples)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(partial)] = args else { return Err(OtherArguments) };
        sums(&self.shape, batch, partial, |r, c| x[r * self.shape.columns + c]);
        Ok(())
    }

    fn title(&self) -> String {
        self.shape.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|shape| BatchNormSums { shape })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum(trial.case.op.shape.split().range(0).len())
    }
}

/// The sum of the squares of each channel's distances from its mean, over the rows of true samples:
/// `square_sum[c] = sum_r (x[r, c] - sum[c]/n)^2`, where n is their number, in parts as [`BatchNormSums`]. Zeros where nothing is trained.
///
/// x `[rows, columns]`, sum `[columns]`, partial `[parts, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormSquares {
    /// The sizes.
    pub shape: NormShape,
}

impl OpKind for BatchNormSquares {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/batch_norm_squares.wgsl"),
        elements: &[Element::Real, Element::Real, Element::Real],
        by_four: Some(|op| op.shape.by_four()),
        sums: Some(Sums { terms: OpKind::longest_loop, along: false }),
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast_squares)];

    fn kind(&self) -> &'static str {
        "batch_norm_squares"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![
            read("x", &self.shape.x()),
            read("sum", &[self.shape.columns]),
            written("partial", &self.shape.partial()),
        ]
    }

    fn split(&self) -> Option<Split> {
        Some(self.shape.split())
    }

    fn flops(&self) -> usize {
        self.shape.rows() * self.shape.columns * 3
    }

    fn longest_loop(&self) -> usize {
        self.shape.split().terms_per_part
    }

    fn constants(&self) -> Constants {
        self.shape.constants()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.shape.samples)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(sum), Arg::Out(partial)] = args else { return Err(OtherArguments) };
        let n = T::of(self.shape.true_rows(batch) as f64);
        sums(&self.shape, batch, partial, |r, c| {
            let distance = x[r * self.shape.columns + c] - sum[c] / n;
            distance * distance
        });
        Ok(())
    }

    fn title(&self) -> String {
        self.shape.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|shape| BatchNormSquares { shape })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let (shape, batch) = (trial.case.op.shape, trial.case.batch);
        let (x, sum) = (trial.floats(0), trial.floats(1));
        let n = Rough::exact(shape.true_rows(&batch) as f32);
        let terms = shape.split().range(0).len();
        let mut bounds = vec![0.0; shape.split().parts * shape.columns];
        for (part, bounds) in bounds.chunks_mut(shape.columns).enumerate() {
            for r in rows(&shape, &batch, part) {
                for (c, bound) in bounds.iter_mut().enumerate() {
                    let distance = Rough::exact(x[r * shape.columns + c]) - Rough::exact(sum[c]).over(n);
                    let square = distance * distance;
                    *bound += square.error + square.value * sum_of_alike(terms);
                }
            }
        }
        Ok(trial.last(Bound::Each(bounds)))
    }
}

/// The rows of a part that are of true samples, where something is trained.
fn rows(shape: &NormShape, batch: &BatchParams, part: usize) -> std::ops::Range<usize> {
    let range = shape.split().range(part);
    let end = if batch.training == 1 { shape.true_rows(batch) } else { 0 };
    range.start..range.end.min(end).max(range.start)
}

fn fast_sums(
    op: &BatchNormSums,
    batch: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::Out(partial)] = args else {
        return Err(OtherArguments);
    };
    each_piece(partial, op.shape.columns, &|part, partial| {
        sum_columns(rows(&op.shape, batch, part), [x], partial, |_| [], |[x], []| x);
    });
    Ok(())
}

fn fast_squares(
    op: &BatchNormSquares,
    batch: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::In(sum), Arg::Out(partial)] = args else {
        return Err(OtherArguments);
    };
    let n = op.shape.true_rows(batch) as f32;
    each_piece(partial, op.shape.columns, &|part, partial| {
        let square = |[x]: [Lanes; 1], [mean]: [Lanes; 1]| (x - mean) * (x - mean);
        sum_columns(rows(&op.shape, batch, part), [x], partial, |c| [sum[c] / n], square);
    });
    Ok(())
}

fn sums<T: Real>(
    shape: &NormShape,
    batch: &BatchParams,
    partial: &mut [T],
    term: impl Fn(usize, usize) -> T + Sync,
) {
    each_piece(partial, shape.columns, &|part, partial| {
        partial.fill(T::zero());
        for r in rows(shape, batch, part) {
            for (c, sum) in partial.iter_mut().enumerate() {
                *sum += term(r, c);
            }
        }
    });
}
