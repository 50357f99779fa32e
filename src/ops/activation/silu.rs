use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use super::sigmoid::rough_sigmoid;
use crate::ops::kit::*;

/// `y = x * s` with `s = 1 / (1 + exp(-x))`; `dx = dy * (s + x * s * (1 - s))`.
///
/// Also known as swish. Source: `silu` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Silu;

impl Pointwise for Silu {
    const NAMES: Names = names!("silu");
    const SHADER: Source = shader!("activations/silu.wgsl");
    const BY: By = By::Input;
    const BENDS: &'static [f64] = &[];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [5, 8];

    fn onnx(self) -> OnnxForm {
        OnnxForm::Gate("Sigmoid")
    }

    fn value<T: Real>(self, x: T) -> T {
        x / (T::one() + (-x).exp())
    }

    fn gradient<T: Real>(self, x: T, dy: T) -> T {
        let s = T::one() / (T::one() + (-x).exp());
        dy * (s + x * (s * (T::one() - s)))
    }

    /// Of the product of x and its sigmoid.
    fn value_bound(self, x: f64) -> f64 {
        (Rough::exact(x) * rough_sigmoid(x)).error
    }

    /// Of its operations one by one.
    fn gradient_bound(self, x: f64, dy: f64) -> f64 {
        let s = rough_sigmoid(x);
        (Rough::exact(dy) * (s + Rough::exact(x) * (s * (Rough::exact(1.0) - s)))).error
    }
}
