use super::gather_images::order;
use super::kit::*;

/// `x[i, c] = values[order[first + i], c]` for `i < batch_size`, else 0: rows of numbers as they are.
///
/// Values `[samples, width]`, order `[_]`, x `[batch, width]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct GatherValues {
    pub batch: usize,
    pub width: usize,
}

impl OpKind for GatherValues {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/gather_values.wgsl"),
        elements: &[Element::Real, Element::U32, Element::Real],
        reads_batch: true,
        by_four: Some(|op| op.width.is_multiple_of(4)),
        invocations: reals,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "gather_values"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let GatherValues { batch, width } = *self;
        let values = read("values", &[DATA, width]).by(Extent::Samples);
        vec![values, order(), written("x", &[batch, width])]
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
        constants! { "COLUMNS" => self.width }
    }

    fn samples(&self) -> Option<usize> {
        Some(self.batch)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(values), Arg::InU32(order), Arg::Out(x)] = args else { return Err(OtherArguments) };
        let width = self.width;
        each_piece(x, width, &|i, row| {
            if i < batch.batch_size as usize {
                let sample = order[batch.first as usize + i] as usize;
                row.copy_from_slice(&values[sample * width..][..width]);
            } else {
                row.fill(T::zero());
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.batch, self.width)
    }

    fn cases() -> Vec<Case<Self>> {
        let rows = |batch, width| Case::of(GatherValues { batch, width });
        vec![
            rows(64, 784),
            rows(64, 784).batch(23, 640, 3),
            rows(1, 1),
            rows(3, 5),
            rows(7, 27).batch(4, 9, 0),
            rows(2, 130),
            rows(5, 3072).folded(),
        ]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}
