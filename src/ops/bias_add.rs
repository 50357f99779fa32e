use super::kit::*;

/// A bias added to each row: `y[r, c] += bias[c]`.
///
/// bias `[columns]`, y `[rows, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct BiasAdd {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for BiasAdd {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("dense/bias_add.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.columns.is_multiple_of(4)),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "bias_add"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("bias", &[self.columns]), changed("y", &[self.rows, self.columns])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        constants! { "COLUMNS" => self.columns }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(bias), Arg::Out(y)] = args else { return Err(OtherArguments) };
        bias_add(bias, y);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        let bias = |rows, columns| Case::of(BiasAdd { rows, columns });
        vec![
            bias(64, 64),
            bias(64, 10),
            bias(1, 1),
            bias(3, 5),
            bias(7, 12),
            bias(2, 130),
            bias(130, 4).with(Numbers::Eighths),
            // Sums of uniform numbers are exact, as these are multiples of one step.
            bias(66, 20).with(Numbers::Large),
            bias(37, 36).folded(),
        ]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last_within(ULP))
    }
}

pub(super) fn bias_add<T: Real>(bias: &[T], y: &mut [T]) {
    each_piece(y, bias.len(), &|_, row| {
        for (y, &b) in row.iter_mut().zip(bias) {
            *y += b;
        }
    });
}
