use super::cross_entropy::PROBABILITIES;
use super::kit::*;
use super::outputs_loss::{Rows, any_input, cases, is_hit, row_bounds};

/// Loss and hit of each row and the gradient of the mean loss. Binary cross-entropy of outputs that are taken as probabilities,
/// per row `r < batch_size`:
///
/// ```text
/// p[c]           = clip(y[r, c]),  clipped to [1e-7, 1 - 1e-7]
/// row_loss[r]    = -(1/columns) sum_c y_true[r, c] * ln p[c] + (1 - y_true[r, c]) * ln(1 - p[c])
/// row_correct[r] = 1 where the first maximum of y is that of y_true, else 0;
///                  of a single column, 1 where both or neither are above 1/2
/// dy[r, c]       = (p[c] - y_true[r, c]) / (p[c] * (1 - p[c]) * columns * divisor),
///                  or 0 where y[r, c] is not within the bounds of clip
/// ```
///
/// `dy` is the gradient of the mean loss through clipping. Rows past the batch's size give 0 everywhere.
/// All matrices `[rows, columns]`, row_loss and row_correct `[rows]`.
/// Source: `binary_crossentropy` in `keras/src/backend/tensorflow/nn.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct BinaryCrossEntropy {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for BinaryCrossEntropy {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("loss/binary_cross_entropy.wgsl"),
        elements: &[Element::F32, Element::F32, Element::F32, Element::U32, Element::F32],
        reads_batch: true,
        invocations: |op, _| op.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "binary_cross_entropy"
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
        13 * self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        self.columns
    }

    fn constants(&self) -> Constants {
        let [least, largest] = PROBABILITIES;
        constants! { "COLUMNS" => self.columns, "LEAST" => least, "LARGEST" => largest }
    }

    fn samples(&self) -> Option<usize> {
        Some(self.rows)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(y), Arg::In(target), Arg::Out(row_loss), Arg::OutU32(row_correct), Arg::Out(dy)] = args
        else {
            return Err(OtherArguments);
        };
        binary_cross_entropy(self.columns, batch, y, target, row_loss, row_correct, dy);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|rows, columns| BinaryCrossEntropy { rows, columns })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let BinaryCrossEntropy { rows, columns } = draw.case.op;
        match any_input(draw, rows, columns) {
            Values::Floats(values) if draw.spec.name == "y" => Values::Floats(probabilities(values)),
            values => values,
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        row_bounds(trial, bounds_of_rows(&Rows::of(trial, trial.case.op.columns)))
    }
}

fn binary_cross_entropy<T: Real>(
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
    let [least, largest] = PROBABILITIES.map(|bound| T::of(f64::from(bound)));
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
            // What is not a number stays one.
            let (p, free) = match y[c] {
                y if y < least => (least, false),
                y if y > largest => (largest, false),
                y => (y, true),
            };
            let q = T::one() - p;
            row_loss[r] -= t[c] * p.ln() + (T::one() - t[c]) * q.ln();
            dy[c] = if free { (p - t[c]) / (p * q) / (c_count * n) } else { T::zero() };
        }
        row_loss[r] /= c_count;
        row_correct[r] = u32::from(is_hit(y, 0.5, t));
    }
}

/// Halves of numbers from -1 to 1, moved to 0 to 1; every seventh is at a bound of clip, near or past it.
fn probabilities(mut values: Vec<f32>) -> Vec<f32> {
    let [least, largest] = PROBABILITIES;
    let rare = [0.0, least, 2e-7, -0.25, largest, 1.0, 1.5];
    let numbers = values.iter_mut().filter(|value| value.abs() <= 1.0).enumerate();
    for (at, value) in numbers {
        *value = if at % 7 == 6 { rare[at / 7 % rare.len()] } else { (*value + 1.0) / 2.0 };
    }
    values
}

/// A row's loss sums products of two logarithms: that of p, whose error is its own, and that of a difference, rounded, as is
/// 1 - y_true. The gradient: two differences, a product, and a quotient, divided by a product. What a difference may lose as too
/// small is magnified by the quotient.
fn bounds_of_rows(rows: &Rows<'_>) -> [Vec<f64>; 2] {
    let (columns, n) = (rows.columns as f64, f64::from(rows.divisor));
    let [least, largest] = PROBABILITIES.map(f64::from);
    rows.bounds(|outputs, targets| {
        let (mut magnitude, mut error) = (0.0, 0.0);
        let mut gradients = Vec::new();
        for (&y, &t) in outputs.iter().zip(targets) {
            let p = y.clamp(least, largest);
            let q = 1.0 - p;
            let [with, without] = [t.abs() * p.ln().abs(), (1.0 - t).abs() * q.ln().abs()];
            magnitude += with + without;
            error += t.abs() * log_error(p, 0.0) + without * ULP;
            error += (1.0 - t).abs() * (ULP + log_error(q, q * ULP));
            let scale = 1.0 / (p * q * columns * n);
            let relative = 4.0 * ULP + 2.0 * DIVISION;
            let is_free = (least..=largest).contains(&y);
            gradients.push(if is_free {
                (p - t).abs() * scale * relative + FLUSHED * (1.0 + scale)
            } else {
                0.0
            });
        }
        let sum = error + magnitude * sum_of_products(2 * rows.columns);
        ((sum + magnitude * DIVISION) / columns + FLUSHED, gradients)
    })
}
