use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use crate::ops::kit::*;

/// `y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))`; `dx = dy * (1 - y^2)`.
///
/// Source: `tanh` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tanh;

/// Where the shader takes the series.
const NEAR: f64 = 0.25;

impl Pointwise for Tanh {
    const NAMES: Names = names!("tanh");
    const SHADER: Source = shader!("activations/tanh.wgsl");
    const BY: By = By::Output;
    const BENDS: &'static [f64] = &[];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [4, 4];

    fn onnx(self) -> OnnxForm {
        OnnxForm::Operator("Tanh")
    }

    fn value<T: Real>(self, x: T) -> T {
        x.tanh()
    }

    fn gradient<T: Real>(self, y: T, dy: T) -> T {
        dy * (T::one() - y * y)
    }

    /// Near 0 a series, elsewhere, with e = exp(-2|x|), the quotient of 1 - e by 1 + e.
    fn value_bound(self, x: f64) -> f64 {
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

    /// A square, a difference and a product.
    fn gradient_bound(self, y: f64, dy: f64) -> f64 {
        let difference = (1.0 - y * y).abs();
        dy.abs() * (y * y * ULP + difference * 2.0 * ULP) + FLUSHED
    }
}
