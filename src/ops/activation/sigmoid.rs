use super::pointwise::{By, Names, Pointwise, names};
use crate::ops::kit::*;

/// `y = 1 / (1 + exp(-x))`; `dx = dy * y * (1 - y)`.
///
/// Source: `sigmoid` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sigmoid;

impl Pointwise for Sigmoid {
    const NAMES: Names = names!("sigmoid");
    const SHADERS: [Source; 2] =
        [shader!("activations/sigmoid_forward.wgsl"), shader!("activations/sigmoid_backward.wgsl")];
    const BY: By = By::Output;
    const BENDS: bool = false;
    const FLOPS: [usize; 2] = [4, 3];

    fn value<T: Real>(self, x: T) -> T {
        T::one() / (T::one() + (-x).exp())
    }

    fn gradient<T: Real>(self, y: T, dy: T) -> T {
        dy * (y * (T::one() - y))
    }

    /// With e = exp(-|x|), a quotient of 1 or e by 1 + e.
    fn value_bound(self, x: f64) -> f64 {
        let e = (-x.abs()).exp();
        let e_error = e * exp_error(x) + FLUSHED;
        let (numerator, numerator_error) = if x >= 0.0 { (1.0, 0.0) } else { (e, e_error) };
        let relative = e_error / (1.0 + e) + ULP + DIVISION;
        (numerator_error + numerator * relative) / (1.0 + e) + FLUSHED
    }

    /// A difference and two products.
    fn gradient_bound(self, y: f64, dy: f64) -> f64 {
        3.0 * ULP * (dy * y * (1.0 - y)).abs() + FLUSHED
    }
}
