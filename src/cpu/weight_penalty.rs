use super::Real;
use crate::model::Regularizer;
use crate::plan::Split;

/// `sum_i l1*|w[i]| + l2*w[i]^2`, in parts: `partial[s]` is the sum over the `s`-th range ([`Split`]).
///
/// kernel `[len]`, partial `[parts]`.
pub fn weight_penalty<T: Real>(regularizer: &Regularizer, kernel: &[T], partial: &mut [T]) {
    let split = Split::of(kernel.len());
    let (l1, l2) = (T::of(regularizer.l1), T::of(regularizer.l2));
    for (part, partial) in partial.iter_mut().enumerate() {
        *partial = kernel[split.range(part)].iter().map(|&w| l1 * w.abs() + l2 * (w * w)).sum();
    }
}
