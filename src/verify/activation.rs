//! Bounds of activations, from the accuracy of `exp` and division in WGSL. Each gets the elements before the step.

use super::tolerance::{DIVISION, FLUSHED, HALF_ULP, ULP, exp_error, sum_of_products};

/// Of `1 / (1 + exp(-x))`: with e = exp(-|x|), a quotient of 1 or e by 1 + e.
pub(super) fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    let e_error = e * exp_error(x) + FLUSHED;
    let (numerator, numerator_error) = if x >= 0.0 { (1.0, 0.0) } else { (e, e_error) };
    let relative = e_error / (1.0 + e) + ULP + DIVISION;
    (numerator_error + numerator * relative) / (1.0 + e) + FLUSHED
}

/// Of `dy * (y * (1 - y))`: a difference and two products.
pub(super) fn sigmoid_gradient(y: f64, dy: f64) -> f64 {
    3.0 * ULP * (dy * y * (1.0 - y)).abs() + FLUSHED
}

/// Where the kernel takes the series.
const NEAR: f64 = 0.25;

/// Of tanh(x): near 0 a series, elsewhere, with e = exp(-2|x|), the quotient of 1 - e by 1 + e.
pub(super) fn tanh(x: f64) -> f64 {
    if x.abs() < NEAR {
        // The terms after the first are at most z/3 of it, z = x^2, and carry four roundings: of the coefficient, of z
        // twice, and of what follows in the bracket. Then one product and one sum. The next term is 1382/155925 z^5.
        let z = x * x;
        let relative = z / 3.0 * (HALF_ULP + 3.0 * ULP) + z / 3.0 * ULP + ULP + 0.0089 * z.powi(5);
        return x.abs() * relative + FLUSHED;
    }
    let e = (-2.0 * x.abs()).exp();
    let e_error = e * exp_error(2.0 * x) + FLUSHED;
    let of_difference = e_error + (1.0 - e) * ULP;
    let of_sum = e_error / (1.0 + e) + ULP;
    (of_difference + (1.0 - e) * (of_sum + DIVISION)) / (1.0 + e) + FLUSHED
}

/// Of `dy * (1 - y * y)`: a square, a difference and a product.
pub(super) fn tanh_gradient(y: f64, dy: f64) -> f64 {
    let difference = (1.0 - y * y).abs();
    dy.abs() * (y * y * ULP + difference * 2.0 * ULP) + FLUSHED
}

/// Of one product with a constant, or of none.
pub(super) fn scaled(value: f64) -> f64 {
    ULP * value.abs() + FLUSHED
}

/// Of `y * (dy - s)` over rows of `columns`, with `s = sum dy * y`.
pub(super) fn softmax_gradient(columns: usize, y: &[f32], dy: &[f32]) -> Vec<f64> {
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
