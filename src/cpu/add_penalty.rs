use super::Real;
use crate::plan::StepParams;

/// `loss[slot] = loss[slot] + penalty`.
///
/// penalty `[1]`; of loss `[_]` only element `slot` changes.
pub fn add_penalty<T: Real>(step: &StepParams, penalty: &[T], loss: &mut [T]) {
    loss[step.slot as usize] += penalty[0];
}
