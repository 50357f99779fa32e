use super::kit::*;

/// Loss and number of hits of the batch: `loss[slot] = (1/divisor) sum_r row_loss[r]` and
/// `correct[slot] = sum_r row_correct[r]`, over `r < batch_size`.
///
/// row_loss and row_correct `[rows]`; of loss and correct `[_]` only element `slot` is written.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct BatchMetrics {
    pub rows: usize,
}

impl OpKind for BatchMetrics {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("loss/batch_metrics.wgsl"),
        elements: &[Element::F32, Element::U32, Element::F32, Element::U32],
        workgroup: METRICS_LANES as u32,
        reads_batch: true,
        invocations: |_, _| METRICS_LANES,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "batch_metrics"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let row_correct = arg("row_correct", Access::In, Dtype::U32, &[self.rows]);
        let mut args = vec![read("row_loss", &[self.rows]), row_correct];
        args.extend(metrics());
        args
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        2 * self.rows
    }

    fn longest_loop(&self) -> usize {
        self.rows.div_ceil(METRICS_LANES)
    }

    fn constants(&self) -> Constants {
        Vec::new()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.rows)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(row_loss), Arg::InU32(row_correct), Arg::Out(loss), Arg::OutU32(correct)] = args else {
            return Err(OtherArguments);
        };
        batch_metrics(batch, row_loss, row_correct, loss, correct);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows", self.rows)
    }

    fn cases() -> Vec<Case<Self>> {
        let metrics = |rows| Case::of(BatchMetrics { rows });
        vec![
            metrics(64),
            metrics(64).batch(32, 128, 937),
            metrics(1),
            metrics(63),
            metrics(65).batch(65, 65, 1),
            metrics(200).batch(130, 7, 2),
            metrics(70_001),
        ]
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            "row_loss" => Values::Floats(draw.rows_of_batch(draw.case.op.rows)),
            "row_correct" => hits(draw),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let mut bounds = trial.exact();
        bounds[2] =
            Bound::Each(metrics_bounds(&trial.case.batch, trial.floats(0), trial.outputs[2].floats()));
        Ok(bounds)
    }
}

/// Hits and misses; rows past the batch's size are hostile.
fn hits(draw: &mut Draw<'_, BatchMetrics>) -> Values {
    let mut values: Vec<u32> = (0..draw.len).map(|_| draw.stream.below(2)).collect();
    values[draw.case.batch.batch_size as usize..].fill(HOSTILE_U32);
    Values::Integers(values)
}

pub(super) fn batch_metrics<T: Real>(
    batch: &BatchParams,
    row_loss: &[T],
    row_correct: &[u32],
    loss: &mut [T],
    correct: &mut [u32],
) {
    let n = batch.batch_size as usize;
    let slot = batch.slot as usize;
    loss[slot] = row_loss[..n].iter().copied().sum::<T>() / T::of(f64::from(batch.divisor));
    correct[slot] = row_correct[..n].iter().sum();
}

/// `loss[slot]` is a sum of `batch_size` terms, divided; the other slots are left alone.
fn metrics_bounds(batch: &BatchParams, row_loss: &[f32], loss: &[f64]) -> Vec<f64> {
    let n = batch.batch_size as usize;
    let slot = batch.slot as usize;
    let magnitude: f64 = row_loss[..n].iter().map(|&x| f64::from(x).abs()).sum();
    // With one row there is nothing to add, but a division all the same.
    let sum = if n == 1 { 0.0 } else { sum_of_products(n) * magnitude };
    let mut bounds = vec![0.0; loss.len()];
    bounds[slot] = sum / f64::from(batch.divisor) + DIVISION * loss[slot].abs() + FLUSHED;
    bounds
}

/// Likewise, of rows that are off by these bounds themselves; no loss of a row is negative, so that the mean is their magnitude.
pub(super) fn mean_of_rows_bounds(batch: &BatchParams, row_bounds: &[f64], loss: &[f64]) -> Vec<f64> {
    let n = batch.batch_size as usize;
    let slot = batch.slot as usize;
    let rows = row_bounds[..n].iter().sum::<f64>() / f64::from(batch.divisor);
    let mut bounds = vec![0.0; loss.len()];
    bounds[slot] = rows + (sum_of_products(n) + DIVISION) * (loss[slot].abs() + rows) + FLUSHED;
    bounds
}
