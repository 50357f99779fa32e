use super::kit::*;
use super::outputs_loss::{Rows, any_input, cases, is_hit, row_bounds};

/// Loss and hit of each row and the gradient of the mean loss. Absolute errors, per row `r < batch_size`:
///
/// ```text
/// row_loss[r]    = (1/columns) sum_c |y[r, c] - y_true[r, c]|
/// row_correct[r] = 1 where the first maximum of y is that of y_true, else 0;
///                  of a single column, 1 where both or neither are above 1/2
/// dy[r, c]       = sign(y[r, c] - y_true[r, c]) / (columns * divisor),  sign(0) = 0
/// ```
///
/// `dy` is the gradient of the mean loss. Rows past the batch's size give 0 everywhere.
/// All matrices `[rows, columns]`, row_loss and row_correct `[rows]`.
/// Source: `mean_absolute_error` in `keras/src/losses/losses.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct MeanAbsoluteError {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for MeanAbsoluteError {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("loss/mean_absolute_error.wgsl"),
        elements: &[Element::F32, Element::F32, Element::F32, Element::U32, Element::F32],
        reads_batch: true,
        invocations: |op, _| op.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "mean_absolute_error"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let shape = [self.rows, self.columns];
        vec![
            read("y", &shape),
            read("y_true", &shape),
            written("row_loss", &[self.rows]),
            arg("row_correct", Access::Out, Dtype::U32, &[self.rows]),
            written("dy", &shape),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        5 * self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        self.columns
    }

    fn constants(&self) -> Constants {
        constants! { "COLUMNS" => self.columns }
    }

    fn samples(&self) -> Option<usize> {
        Some(self.rows)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(y), Arg::In(target), Arg::Out(row_loss), Arg::OutU32(row_correct), Arg::Out(dy)] = args
        else {
            return Err(OtherArguments);
        };
        mean_absolute_error(self.columns, batch, y, target, row_loss, row_correct, dy);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|rows, columns| MeanAbsoluteError { rows, columns })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let MeanAbsoluteError { rows, columns } = draw.case.op;
        any_input(draw, rows, columns)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        row_bounds(trial, bounds_of_rows(&Rows::of(trial, trial.case.op.columns)))
    }

    fn kinks(&self, args: &[&[f64]]) -> Kinks {
        let differences: Vec<f64> = args[0].iter().zip(args[1]).map(|(y, t)| y - t).collect();
        Kinks::at(&differences, &[0.0])
    }
}

fn mean_absolute_error<T: Real>(
    columns: usize,
    batch: &BatchParams,
    y: &[T],
    target: &[T],
    row_loss: &mut [T],
    row_correct: &mut [u32],
    dy: &mut [T],
) {
    let n = T::of(f64::from(batch.divisor));
    let c_count = T::of(columns as f64);
    for (r, dy) in dy.chunks_mut(columns).enumerate() {
        let y = &y[r * columns..][..columns];
        let t = &target[r * columns..][..columns];
        row_loss[r] = T::zero();
        row_correct[r] = 0;
        if r >= batch.batch_size as usize {
            dy.fill(T::zero());
            continue;
        }
        for c in 0..columns {
            let d = y[c] - t[c];
            row_loss[r] += d.abs();
            let sign = if d == T::zero() { d } else { d.signum() };
            dy[c] = sign / (c_count * n);
        }
        row_loss[r] /= c_count;
        row_correct[r] = u32::from(is_hit(y, 0.5, t));
    }
}

/// Absolute errors: differences, a sum of their magnitudes, divided; the gradient is a whole number divided by a product. Where
/// a difference may be taken as zero, so may its sign.
fn bounds_of_rows(rows: &Rows<'_>) -> [Vec<f64>; 2] {
    let columns = rows.columns as f64;
    let n = f64::from(rows.divisor);
    rows.bounds(|outputs, targets| {
        let differences = outputs.iter().zip(targets).map(|(y, t)| (y - t).abs());
        let sum: f64 = differences.clone().sum();
        let relative = ULP + sum_of_products(rows.columns) + DIVISION;
        let gradient = differences.map(|d| {
            let step = 1.0 / (columns * n);
            let unsure = d > 0.0 && d <= FLUSHED;
            step * (ULP + DIVISION) + FLUSHED + if unsure { step } else { 0.0 }
        });
        (sum / columns * relative + FLUSHED * columns, gradient.collect())
    })
}
