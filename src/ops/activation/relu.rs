use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use crate::ops::kit::*;

/// `y = max(x, 0)`; `dx = dy` where `y > 0`, else 0: the derivative at 0 is 0, as in Keras.
///
/// Source: `relu` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Relu;

impl Pointwise for Relu {
    const NAMES: Names = names!("relu");
    const SHADER: Source = shader!("activations/relu.wgsl");
    const BY: By = By::Output;
    const BENDS: &'static [f64] = &[0.0];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [1, 1];

    fn onnx(self) -> OnnxForm {
        OnnxForm::Operator("Relu")
    }

    fn value<T: Real>(self, x: T) -> T {
        relu(x)
    }

    fn gradient<T: Real>(self, y: T, dy: T) -> T {
        relu_gradient(y, dy)
    }

    /// A choice of numbers that are there.
    fn value_bound(self, _: f64) -> f64 {
        0.0
    }

    fn gradient_bound(self, _: f64, _: f64) -> f64 {
        0.0
    }
}

/// Written with a comparison so that a NaN stays one.
pub(in crate::ops) fn relu<T: Real>(x: T) -> T {
    if x <= T::zero() { T::zero() } else { x }
}

pub(in crate::ops) fn relu_gradient<T: Real>(y: T, dy: T) -> T {
    if y <= T::zero() { T::zero() } else { dy }
}
