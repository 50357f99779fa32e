use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use super::sigmoid::rough_sigmoid;
use crate::ops::kit::*;

/// `y = ln(1 + exp(x))`; `dx = dy / (1 + exp(-x))`.
///
/// Source: `softplus` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Softplus;

impl Pointwise for Softplus {
    const NAMES: Names = names!("softplus");
    const SHADER: Source = shader!("activations/softplus.wgsl");
    const BY: By = By::Input;
    const BENDS: &'static [f64] = &[];
    const POSITIVE: bool = true;
    const FLOPS: [usize; 2] = [5, 4];

    fn onnx(self) -> OnnxForm {
        OnnxForm::Operator("Softplus")
    }

    fn value<T: Real>(self, x: T) -> T {
        x.max(T::zero()) + (-x.abs()).exp().ln_1p()
    }

    fn gradient<T: Real>(self, x: T, dy: T) -> T {
        dy / (T::one() + (-x).exp())
    }

    /// Of `max(x, 0) + log(1 + e)` with e = exp(-|x|).
    fn value_bound(self, x: f64) -> f64 {
        let e = (-x.abs()).exp();
        let sum_error = e * exp_error(x) + FLUSHED + (1.0 + e) * ULP;
        let log = sum_error / (1.0 + e) + log_error(1.0 + e, sum_error);
        log + ULP * (x.max(0.0) + e.ln_1p())
    }

    /// Of the product with the sigmoid of x.
    fn gradient_bound(self, x: f64, dy: f64) -> f64 {
        (Rough { value: dy, error: 0.0 } * rough_sigmoid(x)).error
    }
}
