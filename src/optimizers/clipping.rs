use super::check::Check;
use super::error::OptimizerError;

/// How gradients are cut before an update, as Keras 3 does it. A norm is the root of the sum of squares.
///
/// Source: `keras/src/optimizers/base_optimizer.py`, `_clip_gradients`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clipping {
    /// `clipvalue`: each element to `[-limit, limit]`.
    Value(f64),
    /// `clipnorm`: `g * limit / max(norm, limit)`, the norm taken over each weight tensor by itself.
    Norm(f64),
    /// `global_clipnorm`: the same with the norm over all gradients together.
    GlobalNorm(f64),
}

/// `clipvalue`, `clipnorm` and `global_clipnorm` are above 0, and at most one of them is there.
pub(super) fn check(check: Check, clippings: [Option<f64>; 3]) -> Result<(), OptimizerError> {
    let names = ["clipvalue", "clipnorm", "global_clipnorm"];
    let mut set = names.into_iter().zip(clippings).filter_map(|(name, limit)| Some((name, limit?)));
    if let Some((name, limit)) = set.next() {
        check.positive(name, limit)?;
    }
    match set.next() {
        Some((name, limit)) => {
            let expected = "left out: only one of `clipvalue`, `clipnorm` and `global_clipnorm` can be set";
            check.that(name, limit, false, expected)
        }
        None => Ok(()),
    }
}
