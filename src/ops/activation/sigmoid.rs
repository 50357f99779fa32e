use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use crate::ops::kit::*;

/// `y = 1 / (1 + exp(-x))`; `dx = dy * y * (1 - y)`.
///
/// Source: `sigmoid` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sigmoid;

impl Pointwise for Sigmoid {
    const NAMES: Names = names!("sigmoid");
    const SHADER: Source = shader!("activations/sigmoid.wgsl");
    const BY: By = By::Output;
    const BENDS: &'static [f64] = &[];
    const POSITIVE: bool = true;
    const FLOPS: [usize; 2] = [4, 3];

    fn onnx(self) -> OnnxForm {
        OnnxForm::Operator("Sigmoid")
    }

    fn value<T: Real>(self, x: T) -> T {
        T::one() / (T::one() + (-x).exp())
    }

    fn gradient<T: Real>(self, y: T, dy: T) -> T {
        dy * (y * (T::one() - y))
    }

    fn value_bound(self, x: f64) -> f64 {
        rough_sigmoid(x).error
    }

    /// A difference and two products.
    fn gradient_bound(self, y: f64, dy: f64) -> f64 {
        3.0 * ULP * (dy * y * (1.0 - y)).abs() + FLUSHED
    }
}

/// The sigmoid as shaders compute it: with e = exp(-|x|), a quotient of 1 or e by 1 + e.
pub(in crate::ops) fn rough_sigmoid(x: f64) -> Rough {
    let e = (-x.abs()).exp();
    let e_error = e * exp_error(x) + FLUSHED;
    let (numerator, numerator_error) = if x >= 0.0 { (1.0, 0.0) } else { (e, e_error) };
    let relative = e_error / (1.0 + e) + ULP + DIVISION;
    Rough {
        value: numerator / (1.0 + e),
        error: (numerator_error + numerator * relative) / (1.0 + e) + FLUSHED,
    }
}
