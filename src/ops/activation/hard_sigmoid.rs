use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use crate::ops::kit::*;

/// `y = min(max(x + 3, 0), 6) / 6`; `dx = dy / 6` where `0 < y < 1`, else 0: the derivative at both bends is 0, as in TensorFlow.
///
/// Source: `hard_sigmoid` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HardSigmoid;

/// It bends here and at its negative.
pub(super) const END: f64 = 3.0;

impl Pointwise for HardSigmoid {
    const NAMES: Names = names!("hard_sigmoid");
    const SHADER: Source = shader!("activations/hard_sigmoid.wgsl");
    const BY: By = By::Output;
    const BENDS: &'static [f64] = &[-END, END];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [4, 3];

    /// ONNX adds 1/2 by default.
    fn onnx(self) -> OnnxForm {
        OnnxForm::Alpha("HardSigmoid", 1.0 / 6.0)
    }

    fn value<T: Real>(self, x: T) -> T {
        hard_sigmoid(x)
    }

    fn gradient<T: Real>(self, y: T, dy: T) -> T {
        if y <= T::zero() || y >= T::one() { T::zero() } else { dy / T::of(2.0 * END) }
    }

    fn value_bound(self, x: f64) -> f64 {
        rough_hard_sigmoid(x).error
    }

    fn gradient_bound(self, y: f64, dy: f64) -> f64 {
        if y > 0.0 && y < 1.0 { (Rough::exact(dy) * Rough::constant(0.5 / END)).error } else { 0.0 }
    }
}

/// Written with comparisons so that a NaN stays one.
pub(super) fn hard_sigmoid<T: Real>(x: T) -> T {
    let end = T::of(END);
    if x <= -end {
        T::zero()
    } else if x >= end {
        T::one()
    } else {
        (x + end) / (end + end)
    }
}

/// As shaders compute it, with the rounded sixth.
pub(super) fn rough_hard_sigmoid(x: f64) -> Rough {
    if x.abs() >= END {
        return Rough::exact(hard_sigmoid(x));
    }
    (Rough::exact(x) + Rough::exact(END)) * Rough::constant(0.5 / END)
}
