use super::Real;
use crate::plan::StepParams;

/// `target[i, c] = 1` where `c = labels[order[first + i]]` and `i < batch_size`, else 0.
///
/// Labels `[samples]` bytes, order `[_]`, target `[batch, classes]`.
pub fn one_hot<T: Real>(classes: usize, step: &StepParams, labels: &[u8], order: &[u32], target: &mut [T]) {
    target.fill(T::zero());
    for i in 0..step.batch_size as usize {
        let sample = order[step.first as usize + i] as usize;
        target[i * classes + labels[sample] as usize] = T::one();
    }
}
