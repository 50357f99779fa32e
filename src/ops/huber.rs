use super::kit::*;
use super::outputs_loss::{Rows, any_input, cases, is_hit, row_bounds};

/// Loss and hit of each row and the gradient of the mean loss. Squares of small errors and magnitudes of large ones, per
/// row `r < batch_size`:
///
/// ```text
/// d[c]           = y[r, c] - y_true[r, c]
/// row_loss[r]    = (1/columns) sum_c of d[c]^2 / 2 where |d[c]| <= delta, else of delta * (|d[c]| - delta / 2)
/// row_correct[r] = 1 where the first maximum of y is that of y_true, else 0;
///                  of a single column, 1 where both or neither are above 1/2
/// dy[r, c]       = min(max(d[c], -delta), delta) / (columns * divisor)
/// ```
///
/// `dy` is the gradient of the mean loss. Rows past the batch's size give 0 everywhere.
/// All matrices `[rows, columns]`, row_loss and row_correct `[rows]`.
/// Source: `huber` in `keras/src/losses/losses.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "all are named in the formula")]
pub struct Huber {
    pub rows: usize,
    pub columns: usize,
    pub delta: f32,
}

impl OpKind for Huber {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("loss/huber.wgsl"),
        elements: &[Element::F32, Element::F32, Element::F32, Element::U32, Element::F32],
        reads_batch: true,
        invocations: |op, _| op.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "huber"
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
        8 * self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        self.columns
    }

    fn constants(&self) -> Constants {
        constants! { "COLUMNS" => self.columns, "DELTA" => self.delta }
    }

    fn samples(&self) -> Option<usize> {
        Some(self.rows)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(y), Arg::In(target), Arg::Out(row_loss), Arg::OutU32(row_correct), Arg::Out(dy)] = args
        else {
            return Err(OtherArguments);
        };
        huber(self, batch, [y, target], row_loss, row_correct, dy);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}, delta {}", self.rows, self.columns, self.delta)
    }

    fn cases() -> Vec<Case<Self>> {
        let mut table = cases(|rows, columns| Huber { rows, columns, delta: 1.0 });
        table.push(Case::of(Huber { rows: 30, columns: 7, delta: 0.1 }));
        table.push(Case::of(Huber { rows: 12, columns: 5, delta: 0.25 }).with(Numbers::Eighths));
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let Huber { rows, columns, .. } = draw.case.op;
        any_input(draw, rows, columns)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        row_bounds(trial, bounds_of_rows(trial.case.op.delta, &Rows::of(trial, trial.case.op.columns)))
    }

    fn kinks(&self, args: &[&[f64]]) -> Kinks {
        // The slope bends there, and a difference across it is less exact than elsewhere.
        let past: Vec<f64> =
            args[0].iter().zip(args[1]).map(|(y, t)| (y - t).abs() - f64::from(self.delta)).collect();
        Kinks::at(&past, &[0.0])
    }
}

fn huber<T: Real>(
    op: &Huber,
    batch: &BatchParams,
    [y, target]: [&[T]; 2],
    row_loss: &mut [T],
    row_correct: &mut [u32],
    dy: &mut [T],
) {
    let (columns, delta) = (op.columns, T::of(f64::from(op.delta)));
    let n = T::of(f64::from(batch.divisor));
    let (c_count, half) = (T::of(columns as f64), T::of(0.5));
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
            // What is not a number stays one.
            let (loss, slope) = match d {
                d if d > delta => (delta * (d - half * delta), delta),
                d if d < -delta => (delta * (-d - half * delta), -delta),
                d => (half * d * d, d),
            };
            row_loss[r] += loss;
            dy[c] = slope / (c_count * n);
        }
        row_loss[r] /= c_count;
        row_correct[r] = u32::from(is_hit(y, 0.5, t));
    }
}

/// A term is a square of a difference, halved, or delta times a difference of |d| and delta / 2, which is at least |d| / 2: the
/// error of |d| counts twice in both, and is followed by one rounding and by the product's. The gradient is a difference divided
/// by a product. Where either branch may be taken, both give the same to first order.
fn bounds_of_rows(delta: f32, rows: &Rows<'_>) -> [Vec<f64>; 2] {
    let (columns, delta) = (rows.columns as f64, f64::from(delta));
    let n = f64::from(rows.divisor);
    rows.bounds(|outputs, targets| {
        let differences = outputs.iter().zip(targets).map(|(y, t)| (y - t).abs());
        let terms = differences.clone().map(|d| {
            let capped = d.min(delta);
            capped * (d - capped / 2.0)
        });
        let relative = 3.0 * ULP + sum_of_products(rows.columns) + DIVISION;
        let gradient = differences.map(|d| d.min(delta) / (columns * n) * (2.0 * ULP + DIVISION) + FLUSHED);
        (terms.sum::<f64>() / columns * relative + FLUSHED * columns, gradient.collect())
    })
}
