use super::pointwise::{By, Names, OnnxForm, OnnxInput, OnnxNode, Pointwise, names};
use crate::ops::kit::*;

/// `y = min(max(x, 0), 6)`; `dx = dy` where `0 < y < 6`, else 0: the derivative at both bends is 0, as in TensorFlow.
///
/// Source: `relu6` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Relu6;

/// The largest value.
const MOST: f64 = 6.0;

impl Pointwise for Relu6 {
    const NAMES: Names = names!("relu6");
    const SHADER: Source = shader!("activations/relu6.wgsl");
    const BY: By = By::Output;
    const BENDS: &'static [f64] = &[0.0, MOST];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [2, 2];

    fn onnx(self) -> OnnxForm {
        const ENDS: &[OnnxInput] = &[OnnxInput::Constant(0.0), OnnxInput::Constant(MOST as f32)];
        const NODES: &[OnnxNode] = &[OnnxNode::new("Clip", ENDS)];
        OnnxForm::Nodes(NODES)
    }

    /// Written with comparisons so that a NaN stays one.
    fn value<T: Real>(self, x: T) -> T {
        let most = T::of(MOST);
        if x <= T::zero() {
            T::zero()
        } else if x >= most {
            most
        } else {
            x
        }
    }

    fn gradient<T: Real>(self, y: T, dy: T) -> T {
        if y <= T::zero() || y >= T::of(MOST) { T::zero() } else { dy }
    }

    /// A choice of numbers that are there.
    fn value_bound(self, _: f64) -> f64 {
        0.0
    }

    fn gradient_bound(self, _: f64, _: f64) -> f64 {
        0.0
    }
}
