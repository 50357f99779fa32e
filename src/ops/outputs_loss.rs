//! What losses of a layer's outputs have in common.

use super::kit::*;

/// Cases of a loss of outputs: full and short batches, one row, many columns, ties, and folded ones.
pub(super) fn cases<O: OpKind>(loss: impl Fn(usize, usize) -> O) -> Vec<Case<O>> {
    let of = |rows, columns| Case::of(loss(rows, columns));
    vec![
        of(64, 10),
        of(64, 10).batch(32, 128, 2),
        of(1, 1),
        of(1, 2),
        of(9, 130),
        of(40, 1000),
        of(7, 5).batch(1, 0, 0),
        of(9, 4).batch(5, 3, 1).with(Numbers::Eighths),
        of(65, 10).with(Numbers::Equal),
        of(300, 11).batch(257, 0, 0).folded(),
        of(37, 1).batch(30, 2, 1),
        of(20, 1).with(Numbers::Eighths),
    ]
}

/// Outputs and targets of a loss of so many columns: the targets of rows past the batch's size are hostile, as its outputs.
pub(super) fn input<O>(draw: &mut Draw<'_, O>, rows: usize, columns: usize) -> Values {
    match draw.spec.name {
        "one_hot" => targets(draw, columns),
        _ => Values::Floats(draw.rows_of_batch(rows)),
    }
}

/// Whether a row of outputs tells the class of its targets: the first of the largest does. A single column is above its
/// threshold for class 1 and not above it for class 0, and its target above 1/2.
pub(super) fn is_hit<T: Real>(outputs: &[T], threshold: f64, targets: &[T]) -> bool {
    match (outputs, targets) {
        (&[y], &[t]) => (y > T::of(threshold)) == (t > T::of(0.5)),
        _ => first_maximum(outputs) == first_maximum(targets),
    }
}

/// Outputs and targets of a loss that takes any targets: every fourth row of them is made of the case's floats.
pub(super) fn any_input<O>(draw: &mut Draw<'_, O>, rows: usize, columns: usize) -> Values {
    if draw.spec.name != "y_true" {
        return Values::Floats(draw.rows_of_batch(rows));
    }
    let any = draw.rows_of_batch(rows);
    let mut targets = targets(draw, columns);
    if let Values::Floats(targets) = &mut targets {
        for (target, any) in targets.chunks_mut(columns).zip(any.chunks(columns)).skip(2).step_by(4) {
            target.copy_from_slice(any);
        }
    }
    targets
}

/// One-hot targets: by turns the first largest logit (a hit), the last largest (a miss when there are two), any class,
/// and two classes with half each. A single column is by turns 1, 0, 1 and 1/2.
pub(super) fn targets<O>(draw: &mut Draw<'_, O>, columns: usize) -> Values {
    let logits = draw.before[0].floats();
    let mut targets = vec![0.0; logits.len()];
    for (r, (target, row)) in targets.chunks_mut(columns).zip(logits.chunks(columns)).enumerate() {
        if r >= draw.case.batch.batch_size as usize {
            target.fill(HOSTILE_F32);
            continue;
        }
        if let [only] = target {
            *only = [1.0, 0.0, 1.0, 0.5][r % 4];
            continue;
        }
        let largest = row.iter().copied().fold(f32::MIN, f32::max);
        let any = draw.stream.below(columns as u32) as usize;
        let class = match r % 4 {
            0 => row.iter().position(|&z| z == largest),
            1 => row.iter().rposition(|&z| z == largest),
            _ => Some(any),
        };
        target[class.unwrap_or(any)] = 1.0;
        if r % 4 == 3 {
            target[any] = 0.5;
            target[draw.stream.below(columns as u32) as usize] += 0.5;
        }
    }
    Values::Floats(targets)
}

/// The outputs and targets of the rows of a batch; rows past its size are exactly zero.
pub(super) struct Rows<'a> {
    pub(super) columns: usize,
    batch_size: u32,
    pub(super) divisor: u32,
    pub(super) outputs: &'a [f32],
    pub(super) targets: &'a [f32],
}

impl<'a> Rows<'a> {
    /// Those of a trial whose first arguments are outputs and targets, with so many columns.
    pub(super) fn of<O>(trial: &Trial<'a, O>, columns: usize) -> Self {
        let BatchParams { batch_size, divisor, .. } = trial.case.batch;
        Rows { columns, batch_size, divisor, outputs: trial.floats(0), targets: trial.floats(1) }
    }

    /// Bounds of the loss of each row and of the gradient, from those of one row; rows past the batch's size are zero.
    pub(super) fn bounds(&self, of_row: impl Fn(&[f64], &[f64]) -> (f64, Vec<f64>)) -> [Vec<f64>; 2] {
        let wide = |row: &[f32]| row.iter().copied().map(f64::from).collect::<Vec<_>>();
        let (mut losses, mut gradients) = (Vec::new(), Vec::new());
        let rows = self.outputs.chunks(self.columns).zip(self.targets.chunks(self.columns));
        for (r, (outputs, targets)) in rows.enumerate() {
            let (loss, gradient) = if r < self.batch_size as usize {
                of_row(&wide(outputs), &wide(targets))
            } else {
                (0.0, vec![0.0; self.columns])
            };
            losses.push(loss);
            gradients.extend(gradient);
        }
        [losses, gradients]
    }
}

/// Bounds of the arguments of a loss of rows: of the loss of each row, and of the gradient.
pub(super) fn row_bounds<O>(trial: &Trial<'_, O>, [loss, gradient]: [Vec<f64>; 2]) -> Bounds {
    let mut bounds = trial.last(Bound::Each(gradient));
    bounds[2] = Bound::Each(loss);
    Ok(bounds)
}
