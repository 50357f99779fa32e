//! Softmax of rows, each way.

use super::kit::*;

/// Softmax of each row: `probabilities[r, c] = exp(logits[r, c] - m) / sum_d exp(logits[r, d] - m)` with `m` the row's maximum.
///
/// Both `[rows, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct Softmax {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for Softmax {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("activations/softmax.wgsl"),
        elements: &[Element::F32, Element::F32],
        sums: Some(Sums { terms: |op| op.columns, along: true }),
        invocations: |op, _| op.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "softmax"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("logits", &[self.rows, self.columns]), written("probabilities", &[self.rows, self.columns])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        4 * self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        3 * self.columns
    }

    fn constants(&self) -> Constants {
        constants! { "COLUMNS" => self.columns }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(logits), Arg::Out(probabilities)] = args else { return Err(OtherArguments) };
        softmax(self.columns, logits, probabilities);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        let softmax = |rows, columns| Case::of(Softmax { rows, columns });
        let mut table =
            vec![softmax(64, 10), softmax(1, 1), softmax(130, 7).folded(), softmax(45, 130).folded()];
        for case in [softmax(65, 10), softmax(3, 2), softmax(9, 130), softmax(5, 1000)] {
            table.extend(all_logits(case));
        }
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last(Bound::Each(softmax_bounds(trial.case.op.columns, trial.floats(0)))))
    }
}

/// Gradient of the softmax of each row in place: `dy[r, c] = y[r, c] * (dy[r, c] - sum_d dy[r, d] * y[r, d])`; y is the
/// layer's output.
///
/// Both `[rows, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct SoftmaxBackward {
    pub rows: usize,
    pub columns: usize,
}

impl OpKind for SoftmaxBackward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("activations/softmax_backward.wgsl"),
        elements: &[Element::F32, Element::F32],
        invocations: |op, _| op.rows,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "softmax_backward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("y", &[self.rows, self.columns]), changed("dy", &[self.rows, self.columns])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        4 * self.rows * self.columns
    }

    fn longest_loop(&self) -> usize {
        2 * self.columns
    }

    fn constants(&self) -> Constants {
        constants! { "COLUMNS" => self.columns }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(y), Arg::Out(dy)] = args else { return Err(OtherArguments) };
        softmax_backward(self.columns, y, dy);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} rows of {}", self.rows, self.columns)
    }

    fn cases() -> Vec<Case<Self>> {
        let back = |rows, columns| Case::of(SoftmaxBackward { rows, columns });
        vec![
            back(64, 10),
            back(1, 1),
            back(3, 2),
            back(5, 1000),
            back(130, 7).folded(),
            back(65, 10).with(Numbers::Eighths),
        ]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let bounds = softmax_gradient_bounds(trial.case.op.columns, trial.floats(0), trial.floats(1));
        Ok(trial.last(Bound::Each(bounds)))
    }
}

/// The same rows on every kind of logits.
pub(super) fn all_logits<O: std::marker::Copy>(case: Case<O>) -> [Case<O>; 5] {
    let all = [Numbers::Uniform, Numbers::Large, Numbers::Huge, Numbers::Equal, Numbers::Eighths];
    all.map(|numbers| case.with(numbers))
}

fn softmax<T: Real>(columns: usize, logits: &[T], probabilities: &mut [T]) {
    each_piece_by(probabilities, columns, logits, columns, &|_, p, z| {
        let m = z.iter().fold(z[0], |m, &z| m.max(z));
        let mut sum = T::zero();
        for (p, &z) in p.iter_mut().zip(z) {
            *p = (z - m).exp();
            sum += *p;
        }
        for p in p {
            *p /= sum;
        }
    });
}

fn softmax_backward<T: Real>(columns: usize, y: &[T], dy: &mut [T]) {
    each_piece_by(dy, columns, y, columns, &|_, dy, y| {
        let sum: T = dy.iter().zip(y).map(|(&dy, &y)| dy * y).sum();
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = y * (*dy - sum);
        }
    });
}

/// A row's softmax in f64 with its errors.
pub(super) struct SoftmaxRow {
    /// Largest logit.
    pub(super) m: f64,
    /// Sum of `exp(z - m)`.
    s: f64,
    /// Relative error of the sum.
    s_error: f64,
}

/// Relative error of `exp(d)` with `d = z - m` rounded once: that of exp, and `|d|` ULP of the difference.
fn difference_exp_error(d: f64) -> f64 {
    exp_error(d) + d.abs() * ULP
}

impl SoftmaxRow {
    pub(super) fn new(logits: &[f32]) -> Self {
        let m = logits.iter().fold(f64::MIN, |m, &z| m.max(f64::from(z)));
        let terms =
            logits.iter().map(|&z| f64::from(z) - m).map(|d| (d.exp(), d.exp() * difference_exp_error(d)));
        let (s, error) = terms.fold((0.0, 0.0), |(s, error), (e, of_e)| (s + e, error + of_e + FLUSHED));
        // All terms are positive: the sum is its own magnitude.
        let additions = if logits.len() > 1 { sum_of_products(logits.len()) } else { 0.0 };
        SoftmaxRow { m, s, s_error: error / s + additions }
    }

    /// Probability and its absolute error.
    pub(super) fn probability(&self, z: f32) -> [f64; 2] {
        let d = f64::from(z) - self.m;
        let p = d.exp() / self.s;
        [p, p * (difference_exp_error(d) + self.s_error + DIVISION) + 2.0 * FLUSHED]
    }

    /// `ln s` and its absolute error.
    pub(super) fn ln_s(&self) -> [f64; 2] {
        let ln_s = self.s.ln();
        [ln_s, self.s_error + log_error(self.s, self.s * self.s_error)]
    }
}

/// Bounds of the probabilities of `[_, columns]` logits.
fn softmax_bounds(columns: usize, logits: &[f32]) -> Vec<f64> {
    logits
        .chunks(columns)
        .flat_map(|logits| {
            let row = SoftmaxRow::new(logits);
            logits.iter().map(move |&z| row.probability(z)[1])
        })
        .collect()
}

/// Of `y * (dy - s)` over rows of `columns`, with `s = sum dy * y`.
fn softmax_gradient_bounds(columns: usize, y: &[f32], dy: &[f32]) -> Vec<f64> {
    let rows = y.chunks(columns).zip(dy.chunks(columns));
    rows.flat_map(|(y, dy)| {
        let terms = || y.iter().zip(dy).map(|(&y, &dy)| [f64::from(y), f64::from(dy)]);
        let s: f64 = terms().map(|[y, dy]| y * dy).sum();
        let magnitude: f64 = terms().map(|[y, dy]| (y * dy).abs()).sum();
        let s_error = magnitude * sum_of_products(columns) + FLUSHED * columns as f64;
        terms()
            .map(move |[y, dy]| y.abs() * (s_error + 2.0 * ULP * (dy - s).abs()) + FLUSHED)
            .collect::<Vec<_>>()
    })
    .collect()
}
