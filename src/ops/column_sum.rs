use super::kit::*;

/// The sum of each column, in parts.
///
/// `sum[c] = sum_r x[r, c]`, in parts: `partial[s]` is the sum over the `s`-th range of rows ([`Split`]).
///
/// x `[rows, columns]`, partial `[parts, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct ColumnSum {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for ColumnSum {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("dense/column_sum.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.columns.is_multiple_of(4)),
        sums: Some(Sums { terms: OpKind::longest_loop, along: false }),
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast)];

    fn kind(&self) -> &'static str {
        "column_sum"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let parts = Split::of(self.rows).parts;
        vec![read("x", &[self.rows, self.columns]), written("partial", &[parts, self.columns])]
    }

    fn split(&self) -> Option<Split> {
        Some(Split::of(self.rows))
    }

    fn flops(&self) -> usize {
        self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        Split::of(self.rows).terms_per_part
    }

    fn constants(&self) -> Constants {
        constants! { "ROWS" => self.rows, "COLUMNS" => self.columns }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(partial)] = args else { return Err(OtherArguments) };
        column_sum(self.rows, self.columns, x, partial);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        let columns = |rows, columns| Case::of(ColumnSum { rows, columns });
        vec![
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

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum(Split::of(trial.case.op.rows).range(0).len())
    }
}

fn fast(
    op: &ColumnSum,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::Out(partial)] = args else {
        return Err(OtherArguments);
    };
    let split = Split::of(op.rows);
    each_piece(partial, op.columns, &|part, partial| {
        sum_columns(split.range(part), [x], partial, |_| [], |[x], []| x);
    });
    Ok(())
}

fn column_sum<T: Real>(rows: usize, columns: usize, x: &[T], partial: &mut [T]) {
    let split = Split::of(rows);
    each_piece(partial, columns, &|part, partial| {
        partial.fill(T::zero());
        for r in split.range(part) {
            for (sum, &x) in partial.iter_mut().zip(&x[r * columns..][..columns]) {
                *sum += x;
            }
        }
    });
}
