use super::activation::rough_sigmoid;
use super::kit::*;
use super::outputs_loss::{Rows, any_input, cases, is_hit, row_bounds};
use super::softmax::all_logits;

/// Loss and hit of each row and the gradient of the mean loss. Binary cross-entropy of sigmoid, on logits, per row
/// `r < batch_size`:
///
/// ```text
/// row_loss[r]     = (1/columns) sum_c max(z, 0) - z * t + ln(1 + exp(-|z|)),  z = logits[r, c], t = y_true[r, c]
/// row_correct[r]  = 1 where the first maximum of logits is that of y_true, else 0;
///                   of a single column, 1 where both or neither are true: its logit above 0, y_true above 1/2
/// dlogits[r, c]   = (1 / (1 + exp(-z)) - t) / (columns * divisor)
/// ```
///
/// `dlogits` is the gradient of the mean loss. Nothing is clipped. Rows past the batch's size give 0 everywhere.
/// All matrices `[rows, columns]`, row_loss and row_correct `[rows]`.
/// Source: `binary_crossentropy` in `keras/src/backend/tensorflow/nn.py`, which recovers the logits.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct SigmoidCrossEntropy {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for SigmoidCrossEntropy {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("loss/sigmoid_cross_entropy.wgsl"),
        elements: &[Element::F32, Element::F32, Element::F32, Element::U32, Element::F32],
        reads_batch: true,
        invocations: |op, _| op.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "sigmoid_cross_entropy"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let shape = [self.rows, self.columns];
        vec![
            read("logits", &shape),
            read("y_true", &shape),
            written("row_loss", &[self.rows]),
            arg("row_correct", Access::Out, Dtype::U32, &[self.rows]),
            written("dlogits", &shape),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        11 * self.rows * self.columns
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
        let [
            Arg::In(logits),
            Arg::In(target),
            Arg::Out(row_loss),
            Arg::OutU32(row_correct),
            Arg::Out(dlogits),
        ] = args
        else {
            return Err(OtherArguments);
        };
        sigmoid_cross_entropy(self.columns, batch, logits, target, row_loss, row_correct, dlogits);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        let mut table = cases(|rows, columns| SigmoidCrossEntropy { rows, columns });
        for (rows, columns) in [(66, 10), (37, 1), (3, 2)] {
            table.extend(all_logits(Case::of(SigmoidCrossEntropy { rows, columns })));
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let SigmoidCrossEntropy { rows, columns } = draw.case.op;
        any_input(draw, rows, columns)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        row_bounds(trial, bounds_of_rows(&Rows::of(trial, trial.case.op.columns)))
    }
}

fn sigmoid_cross_entropy<T: Real>(
    columns: usize,
    batch: &BatchParams,
    logits: &[T],
    target: &[T],
    row_loss: &mut [T],
    row_correct: &mut [u32],
    dlogits: &mut [T],
) {
    let n = T::of(f64::from(batch.divisor));
    let c_count = T::of(columns as f64);
    for (r, dz) in dlogits.chunks_mut(columns).enumerate() {
        let z = &logits[r * columns..][..columns];
        let t = &target[r * columns..][..columns];
        row_loss[r] = T::zero();
        row_correct[r] = 0;
        if r >= batch.batch_size as usize {
            dz.fill(T::zero());
            continue;
        }
        for c in 0..columns {
            row_loss[r] += z[c].max(T::zero()) - z[c] * t[c] + (-z[c].abs()).exp().ln_1p();
            let p = T::one() / (T::one() + (-z[c]).exp());
            dz[c] = (p - t[c]) / (c_count * n);
        }
        row_loss[r] /= c_count;
        row_correct[r] = u32::from(is_hit(z, 0.0, t));
    }
}

/// A row's loss sums three terms for each column; the third, log(1 + e) with e = exp(-|z|), is off by what its argument is, and
/// by its own error. The gradient: a sigmoid, from which something is taken away, divided by a product.
fn bounds_of_rows(rows: &Rows<'_>) -> [Vec<f64>; 2] {
    let (columns, n) = (rows.columns as f64, f64::from(rows.divisor));
    rows.bounds(|logits, targets| {
        let (mut magnitude, mut error) = (0.0, 0.0);
        let mut gradients = Vec::new();
        for (&z, &t) in logits.iter().zip(targets) {
            let e = (-z.abs()).exp();
            let sum_error = e * exp_error(z) + FLUSHED + (1.0 + e) * ULP;
            magnitude += z.max(0.0) + (z * t).abs() + e.ln_1p();
            error += sum_error / (1.0 + e) + log_error(1.0 + e, sum_error);
            let p = rough_sigmoid(z);
            let difference = (p.value - t).abs();
            let relative = 2.0 * ULP + DIVISION;
            gradients.push((p.error + difference * relative) / (columns * n) + FLUSHED);
        }
        let sum = error + magnitude * sum_of_products(3 * rows.columns);
        ((sum + magnitude * DIVISION) / columns + FLUSHED, gradients)
    })
}
