use super::activation;
use super::bias_add::bias_add;
use super::kit::*;
use super::sum_partials::sum_partials;

/// The sum of parts, in order, plus a bias, ReLU where `relu` asks for it: [`SumPartials`](super::SumPartials),
/// [`BiasAdd`](super::BiasAdd).
///
/// partial `[parts, rows, columns]`, bias `[columns]`, y `[rows, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named above")]
pub struct SumPartialsBias {
    pub parts: usize,
    pub rows: usize,
    pub columns: usize,
    pub relu: bool,
}

impl OpKind for SumPartialsBias {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("dense/sum_partials_bias.wgsl"),
        elements: &[Element::Real, Element::Real, Element::Real],
        by_four: Some(|op| op.columns.is_multiple_of(4)),
        sums: Some(Sums { terms: OpKind::longest_loop, along: false }),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "sum_partials_bias"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let SumPartialsBias { parts, rows, columns, .. } = *self;
        vec![
            read("partial", &[parts, rows, columns]),
            read("bias", &[columns]),
            written("y", &[rows, columns]),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        (self.parts + 2) * self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        self.parts
    }

    fn constants(&self) -> Constants {
        constants! {
            "PARTS" => self.parts,
            "ROWS" => self.rows,
            "COLUMNS" => self.columns,
            "RELU" => self.relu,
        }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(partial), Arg::In(bias), Arg::Out(y)] = args else { return Err(OtherArguments) };
        sum_partials_bias(self.relu, partial, bias, y);
        Ok(())
    }

    fn title(&self) -> String {
        let relu = if self.relu { ", relu" } else { "" };
        format!("{} parts of {} rows of {}{relu}", self.parts, self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        let sum = |parts, rows, columns, relu| Case::of(SumPartialsBias { parts, rows, columns, relu });
        vec![
            sum(15, 64, 64, true),
            sum(15, 64, 64, false),
            sum(1, 1, 1, true),
            sum(2, 3, 5, false),
            sum(1024, 2, 9, true),
            sum(3, 7, 12, true).with(Numbers::Eighths),
            sum(2, 50, 44, true).folded(),
            sum(2, 50, 43, false).folded(),
            sum(33, 21, 44, true).folded(),
            sum(33, 21, 43, false).folded(),
        ]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum_of_products(trial.case.op.parts + 1)
    }
}

pub(super) fn sum_partials_bias<T: Real>(relu: bool, partial: &[T], bias: &[T], y: &mut [T]) {
    sum_partials(partial, y);
    bias_add(bias, y);
    if relu {
        change(y, activation::relu);
    }
}
