//! Softmax and cross-entropy at once, on logits.

use super::batch_metrics::{batch_metrics, mean_of_rows_bounds};
use super::kit::*;
use super::outputs_loss::{input, row_bounds};
use super::softmax::{SoftmaxRow, all_logits};

/// Loss and hit of each row and the gradient of the mean loss. Cross-entropy of softmax, on logits, per row `r < batch_size`:
///
/// ```text
/// lse = m + ln sum_c exp(logits[r, c] - m),  m the row's maximum
/// row_loss[r]    = sum_c target[r, c] * (lse - logits[r, c])
/// row_correct[r] = 1 where the first maximum of logits is that of target, else 0
/// dlogits[r, c]  = (exp(logits[r, c] - lse) - target[r, c]) / divisor
/// ```
///
/// `dlogits` is the gradient of the mean loss for targets that sum to 1. Rows past the batch's size give 0 everywhere.
/// All matrices `[rows, columns]`, row_loss and row_correct `[rows]`.
/// Source: `categorical_crossentropy` in `keras/src/backend/tensorflow/nn.py`, which recovers the logits.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct SoftmaxCrossEntropy {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for SoftmaxCrossEntropy {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("loss/softmax_cross_entropy.wgsl"),
        sums: Some(Sums { terms: |op| op.columns, along: true }),
        elements: &[Element::F32, Element::F32, Element::F32, Element::U32, Element::F32],
        reads_batch: true,
        invocations: |op, _| op.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "softmax_cross_entropy"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let shape = [self.rows, self.columns];
        vec![
            read("logits", &shape),
            read("one_hot", &shape),
            written("row_loss", &[self.rows]),
            arg("row_correct", Access::Out, Dtype::U32, &[self.rows]),
            written("dlogits", &shape),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        8 * self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        3 * self.columns
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
        softmax_cross_entropy(self.columns, batch, logits, target, row_loss, row_correct, dlogits);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        let loss = |rows, columns| Case::of(SoftmaxCrossEntropy { rows, columns });
        let mut table = vec![
            loss(64, 10),
            loss(64, 10).batch(32, 128, 2),
            loss(1, 2),
            loss(7, 5).batch(1, 0, 0),
            loss(9, 4).batch(5, 3, 1).with(Numbers::Eighths),
            loss(300, 11).batch(257, 0, 0).folded(),
            loss(45, 130).batch(41, 0, 0).folded(),
        ];
        for case in [loss(65, 10), loss(3, 2), loss(9, 130), loss(40, 1000)] {
            table.extend(all_logits(case));
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let SoftmaxCrossEntropy { rows, columns } = draw.case.op;
        input(draw, rows, columns)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let (columns, batch) = (trial.case.op.columns, &trial.case.batch);
        row_bounds(trial, cross_entropy_bounds(columns, batch, trial.floats(0), trial.floats(1)))
    }
}

/// The gradient of the mean loss, and loss and number of hits of the batch: [`SoftmaxCrossEntropy`], and
/// [`BatchMetrics`](super::BatchMetrics) of its rows.
///
/// Logits, target and dlogits `[rows, columns]`; of loss and correct `[_]` only element `slot` is written.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named above")]
pub struct SoftmaxCrossEntropyMetrics {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for SoftmaxCrossEntropyMetrics {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("loss/softmax_cross_entropy_metrics.wgsl"),
        elements: &[Element::F32, Element::F32, Element::F32, Element::F32, Element::U32],
        workgroup: METRICS_LANES as u32,
        reads_batch: true,
        invocations: |_, _| METRICS_LANES,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "softmax_cross_entropy_metrics"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let shape = [self.rows, self.columns];
        let mut args = vec![read("logits", &shape), read("one_hot", &shape), written("dlogits", &shape)];
        args.extend(metrics());
        args
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        8 * self.rows * self.columns + 2 * self.rows
    }

    fn longest_loop(&self) -> usize {
        self.rows.div_ceil(METRICS_LANES) * 3 * self.columns
    }

    fn constants(&self) -> Constants {
        constants! { "ROWS" => self.rows, "COLUMNS" => self.columns }
    }

    fn samples(&self) -> Option<usize> {
        Some(self.rows)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(logits), Arg::In(target), Arg::Out(dlogits), Arg::Out(loss), Arg::OutU32(correct)] =
            args
        else {
            return Err(OtherArguments);
        };
        softmax_cross_entropy_metrics(self.columns, batch, logits, target, dlogits, loss, correct);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        let fused = |rows, columns| Case::of(SoftmaxCrossEntropyMetrics { rows, columns });
        let mut table = vec![
            fused(64, 10),
            fused(64, 10).batch(32, 128, 937),
            fused(1, 2),
            fused(7, 5).batch(1, 0, 0),
            fused(9, 4).batch(5, 3, 1).with(Numbers::Eighths),
            fused(300, 11).batch(257, 0, 2),
        ];
        for case in [fused(65, 10), fused(3, 2), fused(9, 130)] {
            table.extend(all_logits(case));
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let SoftmaxCrossEntropyMetrics { rows, columns } = draw.case.op;
        match draw.spec.name {
            "logits" | "one_hot" => input(draw, rows, columns),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let (columns, batch) = (trial.case.op.columns, &trial.case.batch);
        let [loss, gradient] = cross_entropy_bounds(columns, batch, trial.floats(0), trial.floats(1));
        let mut bounds = trial.exact();
        bounds[2] = Bound::Each(gradient);
        bounds[3] = Bound::Each(mean_of_rows_bounds(batch, &loss, trial.outputs[3].floats()));
        Ok(bounds)
    }
}

fn softmax_cross_entropy<T: Real>(
    columns: usize,
    batch: &BatchParams,
    logits: &[T],
    target: &[T],
    row_loss: &mut [T],
    row_correct: &mut [u32],
    dlogits: &mut [T],
) {
    let n = T::of(f64::from(batch.divisor));
    for (r, dz) in dlogits.chunks_mut(columns).enumerate() {
        let z = &logits[r * columns..][..columns];
        let t = &target[r * columns..][..columns];
        row_loss[r] = T::zero();
        row_correct[r] = 0;
        if r >= batch.batch_size as usize {
            dz.fill(T::zero());
            continue;
        }
        let m = z.iter().fold(z[0], |m, &z| m.max(z));
        let sum: T = z.iter().map(|&z| (z - m).exp()).sum();
        for c in 0..columns {
            row_loss[r] += t[c] * (sum.ln() - (z[c] - m));
            dz[c] = ((z[c] - m).exp() / sum - t[c]) / n;
        }
        row_correct[r] = u32::from(first_maximum(z) == first_maximum(t));
    }
}

pub(super) fn softmax_cross_entropy_metrics<T: Real>(
    columns: usize,
    batch: &BatchParams,
    logits: &[T],
    target: &[T],
    dlogits: &mut [T],
    loss: &mut [T],
    correct: &mut [u32],
) {
    let rows = logits.len() / columns;
    let mut row_loss = vec![T::zero(); rows];
    let mut row_correct = vec![0; rows];
    softmax_cross_entropy(columns, batch, logits, target, &mut row_loss, &mut row_correct, dlogits);
    batch_metrics(batch, &row_loss, &row_correct, loss, correct);
}

/// Bounds of the loss of each row and of the logits' gradient; rows past the batch's size are exactly zero.
pub(super) fn cross_entropy_bounds(
    columns: usize,
    batch: &BatchParams,
    logits: &[f32],
    targets: &[f32],
) -> [Vec<f64>; 2] {
    let n = f64::from(batch.divisor);
    let mut losses = Vec::new();
    let mut gradients = Vec::new();
    for (r, (logits, targets)) in logits.chunks(columns).zip(targets.chunks(columns)).enumerate() {
        if r >= batch.batch_size as usize {
            losses.push(0.0);
            gradients.extend(vec![0.0; columns]);
            continue;
        }
        let row = SoftmaxRow::new(logits);
        losses.push(loss_bound(&row, logits, targets));
        gradients.extend(logits.iter().zip(targets).map(|(&z, &t)| {
            let [p, p_error] = row.probability(z);
            let difference = (p - f64::from(t)).abs();
            // The difference is rounded once, and divided.
            (p_error + difference * (ULP + DIVISION)) / n + FLUSHED
        }));
    }
    [losses, gradients]
}

/// Of `sum_c t_c (ln s - d_c)` with `d_c = z_c - m`, over the classes with a target.
fn loss_bound(row: &SoftmaxRow, logits: &[f32], targets: &[f32]) -> f64 {
    let [ln_s, ln_s_error] = row.ln_s();
    let wanted: Vec<_> = logits.iter().zip(targets).filter(|(_, t)| **t != 0.0).collect();
    let terms = wanted.iter().map(|&(&z, &t)| {
        let d = f64::from(z) - row.m;
        let term = (ln_s - d).abs();
        // Rounded: d, and its difference from ln s.
        let term_error = ln_s_error + d.abs() * ULP + term * ULP;
        f64::from(t).abs() * (term_error + term * sum_of_products(wanted.len()))
    });
    terms.sum::<f64>() + FLUSHED
}
