//! How exactly a kernel must compute: what WGSL asks of each operation (section "Floating Point Accuracy" of its
//! specification). No number here was fitted to a device.
//!
//! Bounds are to first order in [`ULP`]; what is left out is below 1e-4 of a bound.

/// Relative error of one correctly rounded operation: WGSL lets it go to either neighbour.
pub(crate) const ULP: f64 = 1.0 / 8_388_608.0; // 2^-23
/// Relative error of a constant rounded to nearest.
pub(crate) const HALF_ULP: f64 = ULP / 2.0;
/// What is smaller than this may be taken as zero, wherever it arises.
pub(crate) const FLUSHED: f64 = f32::MIN_POSITIVE as f64;
/// Division: 2.5 ULP.
pub(crate) const DIVISION: f64 = 2.5 * ULP;
/// Square root: inherited from `1 / inverseSqrt(x)`, of 2 ULP.
pub(crate) const SQUARE_ROOT: f64 = DIVISION + 2.0 * ULP;

/// Absolute error of `log` on `[0.5, 2]`.
const LOG_NEAR_ONE: f64 = 1.0 / 2_097_152.0; // 2^-21
/// Relative error of `log` elsewhere: 3 ULP.
const LOG: f64 = 3.0 * ULP;

/// Error of a sum of `terms` products, relative to the sum of their magnitudes.
///
/// Rounding errors add like a random walk of `terms` steps of 2^-24 each; eight standard deviations for the worst of
/// millions of elements. A single product is rounded once.
pub(crate) fn sum_of_products(terms: usize) -> f64 {
    if terms <= 1 { ULP } else { 8.0 * HALF_ULP * (terms as f64).sqrt() }
}

/// Error of a sum of `terms` numbers that may be alike, as those of a picture's background are, relative to the sum of their
/// magnitudes.
///
/// Alike terms round alike: no addition takes back what another lost. Each is off by 2^-24 of the sum so far at most.
/// Source: Higham, "Accuracy and Stability of Numerical Algorithms", section 4.2.
pub(crate) fn sum_of_alike(terms: usize) -> f64 {
    sum_of_products(terms).max(HALF_ULP * terms as f64)
}

/// Relative error of `exp` of an exact number: 3 + 2|x| ULP.
pub(crate) fn exp_error(x: f64) -> f64 {
    (3.0 + 2.0 * x.abs()) * ULP
}

/// Absolute error of the `log` of a number that is off by no more than `error` itself: which of WGSL's two rules holds is
/// decided by the number as it was computed.
pub(crate) fn log_error(x: f64, error: f64) -> f64 {
    let relative = LOG * x.ln().abs();
    let near_one = x >= 0.5 - error && x <= 2.0 + error;
    if near_one { relative.max(LOG_NEAR_ONE) } else { relative }
}
