//! Columns of several tensors side by side, each way.

use super::kit::*;

/// The columns of x among those of y: `y[r, first + c] = x[r, c]`; the others stay.
///
/// x `[rows, width]`, y `[rows, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct Concatenate {
    pub rows: usize,
    pub columns: usize,
    pub first: usize,
    pub width: usize,
}

impl OpKind for Concatenate {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("merging/concatenate.wgsl"),
        elements: &[Element::Real; 2],
        by_four: Some(|op| [op.columns, op.first, op.width].iter().all(|size| size.is_multiple_of(4))),
        invocations: |op, width| op.rows * op.width / width,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "concatenate"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &[self.rows, self.width]), changed("y", &[self.rows, self.columns])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        0
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        constants! { "COLUMNS" => self.columns, "FIRST" => self.first, "PART" => self.width }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        for (y, x) in y.chunks_mut(self.columns).zip(x.chunks(self.width)) {
            y[self.first..][..self.width].copy_from_slice(x);
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {} columns, {} from {}", self.rows, self.columns, self.width, self.first)
    }

    fn cases() -> Vec<Case<Self>> {
        vec![
            Case::of(Concatenate { rows: 64, columns: 64, first: 32, width: 32 }),
            Case::of(Concatenate { rows: 1, columns: 1, first: 0, width: 1 }),
            Case::of(Concatenate { rows: 7, columns: 12, first: 4, width: 8 }),
            Case::of(Concatenate { rows: 9, columns: 12, first: 2, width: 4 }),
            Case::of(Concatenate { rows: 130, columns: 9, first: 4, width: 5 }),
            Case::of(Concatenate { rows: 400, columns: 20, first: 0, width: 12 }).folded(),
            Case::of(Concatenate { rows: 400, columns: 7, first: 4, width: 3 }).folded(),
        ]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}

/// Some of the columns of y, the gradient of [`Concatenate`]: `x[r, c] = y[r, first + c]`.
///
/// y `[rows, columns]`, x `[rows, width]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct Slice {
    pub rows: usize,
    pub columns: usize,
    pub first: usize,
    pub width: usize,
}

impl OpKind for Slice {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("merging/slice.wgsl"),
        elements: &[Element::Real; 2],
        by_four: Some(|op| [op.columns, op.first, op.width].iter().all(|size| size.is_multiple_of(4))),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "slice"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("y", &[self.rows, self.columns]), written("x", &[self.rows, self.width])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        0
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        constants! { "COLUMNS" => self.columns, "FIRST" => self.first, "PART" => self.width }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(y), Arg::Out(x)] = args else { return Err(OtherArguments) };
        for (x, y) in x.chunks_mut(self.width).zip(y.chunks(self.columns)) {
            x.copy_from_slice(&y[self.first..][..self.width]);
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {} columns, {} from {}", self.rows, self.columns, self.width, self.first)
    }

    fn cases() -> Vec<Case<Self>> {
        vec![
            Case::of(Slice { rows: 64, columns: 64, first: 32, width: 32 }),
            Case::of(Slice { rows: 1, columns: 1, first: 0, width: 1 }),
            Case::of(Slice { rows: 7, columns: 12, first: 4, width: 8 }),
            Case::of(Slice { rows: 9, columns: 12, first: 2, width: 4 }),
            Case::of(Slice { rows: 130, columns: 9, first: 4, width: 5 }),
            Case::of(Slice { rows: 400, columns: 20, first: 0, width: 12 }).folded(),
            Case::of(Slice { rows: 400, columns: 7, first: 4, width: 3 }).folded(),
        ]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}
