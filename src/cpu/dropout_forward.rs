use super::Real;
use crate::plan::{DropoutShape, StepParams};
use crate::random::{Purpose, philox4x32};

/// `y[i] = x[i] / (1 - rate)` where `draw[i] >= rate`, else 0; outside training `y = x`.
///
/// `draw[i]` are the upper 24 bits, as a number in `[0, 1)`, of word `i % 4` of the generator's block
/// `(i / 4, step, layer, Purpose::Dropout)` under the run's seed. x and y `[len]`.
/// Source: `keras/src/layers/regularization/dropout.py`.
pub fn dropout_forward<T: Real>(s: &DropoutShape, step: &StepParams, x: &[T], y: &mut [T]) {
    let scale = T::of(f64::from(s.scale));
    for (i, (y, &x)) in y.iter_mut().zip(x).enumerate() {
        *y = match (step.training, is_kept(s, step, i)) {
            (0, _) => x,
            (_, true) => scale * x,
            (_, false) => T::zero(),
        };
    }
}

/// Whether a training step keeps element `i`.
pub(super) fn is_kept(s: &DropoutShape, step: &StepParams, i: usize) -> bool {
    let counter = [(i / 4) as u32, step.step, s.layer as u32, Purpose::Dropout as u32];
    let words = philox4x32(counter, [step.seed_low, step.seed_high]);
    words[i % 4] >> 8 >= s.threshold
}
