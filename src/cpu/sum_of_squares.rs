use super::Real;
use crate::plan::Split;

/// `sum_i x[i]^2`, in parts: `partial[s]` is the sum over the `s`-th range ([`Split`]).
///
/// x `[len]`, partial `[parts]`.
pub fn sum_of_squares<T: Real>(x: &[T], partial: &mut [T]) {
    let split = Split::of(x.len());
    for (part, partial) in partial.iter_mut().enumerate() {
        *partial = x[split.range(part)].iter().map(|&x| x * x).sum();
    }
}
