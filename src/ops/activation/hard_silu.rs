use super::hard_sigmoid::{END, hard_sigmoid, rough_hard_sigmoid};
use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use crate::ops::kit::*;

/// `y = x * min(max(x + 3, 0), 6) / 6`; `dx = dy * (2 x + 3) / 6` where `-3 < x < 3`, dy from 3 on, else 0.
///
/// Also known as hard swish. The derivatives at the bends are 0 and 1, as in TensorFlow. Source: `hard_silu` in
/// `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HardSilu;

impl Pointwise for HardSilu {
    const NAMES: Names = names!("hard_silu");
    const SHADER: Source = shader!("activations/hard_silu.wgsl");
    const BY: By = By::Input;
    const BENDS: &'static [f64] = &[-END, END];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [5, 5];

    fn onnx(self) -> OnnxForm {
        OnnxForm::Operator("HardSwish")
    }

    fn value<T: Real>(self, x: T) -> T {
        x * hard_sigmoid(x)
    }

    fn gradient<T: Real>(self, x: T, dy: T) -> T {
        let end = T::of(END);
        if x <= -end {
            T::zero()
        } else if x >= end {
            dy
        } else {
            dy * (x + x + end) / (end + end)
        }
    }

    fn value_bound(self, x: f64) -> f64 {
        if x.abs() >= END { 0.0 } else { (Rough::exact(x) * rough_hard_sigmoid(x)).error }
    }

    fn gradient_bound(self, x: f64, dy: f64) -> f64 {
        if x.abs() >= END {
            return 0.0;
        }
        (Rough::exact(dy) * (Rough::exact(x) * Rough::constant(1.0 / END) + Rough::exact(0.5))).error
    }
}
