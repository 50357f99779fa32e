use super::kit::*;
use super::outputs_loss::{Rows, cases, is_hit, row_bounds, targets};

/// Least and largest probability that [`CrossEntropy`] takes the logarithm of, as in Keras.
pub const PROBABILITIES: [f32; 2] = [1e-7, 1.0 - 1e-7];

/// Loss and hit of each row and the gradient of the mean loss. Cross-entropy of outputs that are taken as probabilities, per
/// row `r < batch_size`:
///
/// ```text
/// q[c]           = y[r, c] / s,  s = sum_c y[r, c]
/// row_loss[r]    = -sum_c target[r, c] * ln clip(q[c]),  clipped to [1e-7, 1 - 1e-7]
/// row_correct[r] = 1 where the first maximum of y is that of target, else 0;
///                  of a single column, 1 where both or neither are above 1/2
/// dy[r, c]       = (sum_d u[d] * q[d] - u[c]) / (s * divisor),
///                  u[c] = target[r, c] / q[c] where q[c] is within the bounds of clip, else 0
/// ```
///
/// `dy` is the gradient of the mean loss through clipping and renormalisation. Rows past the batch's size give 0
/// everywhere; a row of outputs that sum to 0 has no loss (NaN), as in Keras.
/// All matrices `[rows, columns]`, row_loss and row_correct `[rows]`.
/// Source: `categorical_crossentropy` in `keras/src/backend/tensorflow/nn.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct CrossEntropy {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for CrossEntropy {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("loss/cross_entropy.wgsl"),
        elements: &[Element::F32, Element::F32, Element::F32, Element::U32, Element::F32],
        reads_batch: true,
        invocations: |op, _| op.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "cross_entropy"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let shape = [self.rows, self.columns];
        vec![
            read("y", &shape),
            read("one_hot", &shape),
            written("row_loss", &[self.rows]),
            arg("row_correct", Access::Out, Dtype::U32, &[self.rows]),
            written("dy", &shape),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        9 * self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        3 * self.columns
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
        cross_entropy(self.columns, batch, y, target, row_loss, row_correct, dy);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|rows, columns| CrossEntropy { rows, columns })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let CrossEntropy { rows, columns } = draw.case.op;
        if draw.spec.name == "one_hot" {
            return targets(draw, columns);
        }
        let mut values = draw.floats();
        probabilities(&mut values, columns);
        values[draw.case.batch.batch_size as usize * (draw.len / rows)..].fill(HOSTILE_F32);
        Values::Floats(values)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        row_bounds(trial, bounds_of_rows(&Rows::of(trial, trial.case.op.columns)))
    }
}

fn cross_entropy<T: Real>(
    columns: usize,
    batch: &BatchParams,
    y: &[T],
    target: &[T],
    row_loss: &mut [T],
    row_correct: &mut [u32],
    dy: &mut [T],
) {
    let n = T::of(f64::from(batch.divisor));
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
        let s: T = y.iter().copied().sum();
        let q: Vec<T> = y.iter().map(|&y| y / s).collect();
        let mut u = vec![T::zero(); columns];
        for c in 0..columns {
            // What is not a number stays one.
            let clipped = match q[c] {
                q if q < least => least,
                q if q > largest => largest,
                q => q,
            };
            row_loss[r] -= t[c] * clipped.ln();
            if q[c] >= least && q[c] <= largest {
                u[c] = t[c] / q[c];
            }
        }
        let sum: T = u.iter().zip(&q).map(|(&u, &q)| u * q).sum();
        for c in 0..columns {
            dy[c] = (sum - u[c]) / (s * n);
        }
        row_correct[r] = u32::from(is_hit(y, 0.5, t));
    }
}

/// Outputs to be taken as probabilities: by turns positive ones, some that are 0 or just above, one that is all of the row,
/// and small negative ones among them. No row's sum cancels.
fn probabilities(values: &mut [f32], columns: usize) {
    for (r, row) in values.chunks_mut(columns).enumerate() {
        let largest = r % columns;
        for (c, value) in row.iter_mut().enumerate() {
            *value = match r % 4 {
                _ if c == largest => value.abs() + 0.5,
                0 => value.abs(),
                1 => value.abs() * [0.0, 2e-7][c % 2],
                2 => 0.0,
                _ => *value * 0.1 / columns as f32,
            };
        }
    }
}

/// Cross-entropy of `q = y / s`, `s` the row's sum. Where q may be clipped or not, both gradients are right.
fn bounds_of_rows(rows: &Rows<'_>) -> [Vec<f64>; 2] {
    let n = f64::from(rows.divisor);
    let [least, largest] = PROBABILITIES.map(f64::from);
    rows.bounds(|outputs, targets| {
        let s: f64 = outputs.iter().sum();
        let magnitude: f64 = outputs.iter().map(|y| y.abs()).sum();
        let additions = if rows.columns == 1 { 0.0 } else { sum_of_products(rows.columns) };
        let s_error = additions * magnitude / s.abs();
        let q: Vec<[f64; 2]> =
            outputs.iter().map(|y| y / s).map(|q| [q, q.abs() * (s_error + DIVISION) + FLUSHED]).collect();
        let wanted = targets.iter().filter(|&&t| t != 0.0).count();
        let (mut loss, mut free, mut free_error, mut unsure) = (0.0, 0.0, 0.0, 0.0);
        for (&[q, error], t) in q.iter().zip(targets) {
            let clipped = q.clamp(least, largest);
            let ln = clipped.ln().abs();
            let ln_error = error / (clipped - error).max(least) + log_error(clipped, error);
            loss += t * (ln_error + ln * sum_of_products(wanted));
            let is_free = (least..=largest).contains(&q);
            free += if is_free { *t } else { 0.0 };
            free_error += t * sum_of_products(wanted);
            let near = (q - least).abs().min((q - largest).abs());
            unsure += if near <= error { *t } else { 0.0 };
        }
        let gradient = q.iter().zip(targets).map(|(&[q, error], t)| {
            let near = (q - least).abs().min((q - largest).abs()) <= error;
            let is_free = near || (least..=largest).contains(&q);
            let quotient = if is_free { t / q } else { 0.0 };
            let quotient_error = quotient * (error / (q - error).max(least) + DIVISION);
            let own = if near { quotient } else { 0.0 };
            let difference = (free - quotient).abs() + own + unsure;
            let of_difference = free_error + unsure + quotient_error + own + difference * ULP;
            let relative = s_error + 2.0 * ULP + DIVISION;
            (of_difference + difference * relative) / (s.abs() * n) + FLUSHED
        });
        (loss + FLUSHED, gradient.collect())
    })
}
