use super::gather_images::order;
use super::kit::*;

/// The loss and the gradient of each sample times its weight: `row_loss[r] *= w[r]` and `dy[r, c] *= w[r]`, with
/// `w[r] = weights[order[first + r]]`, for `r < batch_size`; rows past it stay.
///
/// Weights `[samples]`, order `[_]`, row_loss `[rows]`, dy `[rows, columns]`.
/// Source: `sample_weight` in `reduce_weighted_values` of `keras/src/losses/loss.py`, whose means are over samples.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct WeighRows {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for WeighRows {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("loss/weigh_rows.wgsl"),
        elements: &[Element::F32, Element::U32, Element::F32, Element::F32],
        reads_batch: true,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "weigh_rows"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let WeighRows { rows, columns } = *self;
        let weights = read("weights", &[DATA]).by(Extent::Samples);
        vec![weights, order(), changed("row_loss", &[rows]), changed("dy", &[rows, columns])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.rows * (self.columns + 1)
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        constants! { "COLUMNS" => self.columns }
    }

    fn samples(&self) -> Option<usize> {
        Some(self.rows)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(weights), Arg::InU32(order), Arg::Out(row_loss), Arg::Out(dy)] = args else {
            return Err(OtherArguments);
        };
        let rows = row_loss.iter_mut().zip(dy.chunks_mut(self.columns));
        for (r, (loss, dy)) in rows.take(batch.batch_size as usize).enumerate() {
            let weight = weights[order[batch.first as usize + r] as usize];
            *loss *= weight;
            dy.iter_mut().for_each(|dy| *dy *= weight);
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        let rows = |rows, columns| Case::of(WeighRows { rows, columns });
        vec![
            rows(64, 10),
            rows(64, 10).batch(23, 640, 3),
            rows(1, 1),
            rows(5, 1).batch(3, 2, 1),
            rows(7, 27).batch(4, 9, 0),
            rows(3, 70_001).folded(),
        ]
    }

    /// One product each.
    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let mut bounds = trial.last_within(ULP);
        bounds[2] = relative(&trial.outputs[2], ULP, 1);
        Ok(bounds)
    }
}
