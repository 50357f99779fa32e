use std::f64::consts::FRAC_2_PI;

use super::pointwise::{By, Names, OnnxForm, OnnxInput, OnnxNode, Pointwise, names};
use crate::ops::kit::*;

/// `y = x / 2 * (1 + tanh(u))` with `u = sqrt(2 / pi) * (x + 0.044715 x^3)`, which is `x * s` with `s = 1 / (1 + exp(-2 u))`;
/// `dx = dy * (s + x * s * (1 - s) * 2 du/dx)`.
///
/// [`Gelu`](super::Gelu) as it is often approximated. Source: `gelu` with `approximate=True` in
/// `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GeluTanh;

/// What stands before the cube.
const CUBE: f64 = 0.044715;

/// `2u = SLOPE * x + BEND * x^3`, these two.
fn coefficients() -> [f64; 2] {
    let slope = 2.0 * FRAC_2_PI.sqrt();
    [slope, slope * CUBE]
}

impl Pointwise for GeluTanh {
    const NAMES: Names = names!("gelu_tanh");
    const SHADER: Source = shader!("activations/gelu_tanh.wgsl");
    const BY: By = By::Input;
    const BENDS: &'static [f64] = &[];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [9, 18];

    fn onnx(self) -> OnnxForm {
        const NODES: &[OnnxNode] = &[
            OnnxNode::new("Pow", &[OnnxInput::Constant(3.0)]),
            OnnxNode::new("Mul", &[OnnxInput::Constant(CUBE as f32)]),
            OnnxNode::new("Add", &[OnnxInput::X]),
            OnnxNode::new("Mul", &[OnnxInput::Constant(0.797_884_6)]),
            OnnxNode::new("Tanh", &[]),
            OnnxNode::new("Add", &[OnnxInput::Constant(1.0)]),
            OnnxNode::new("Mul", &[OnnxInput::X]),
            OnnxNode::new("Mul", &[OnnxInput::Constant(0.5)]),
        ];
        OnnxForm::Nodes(NODES)
    }

    fn value<T: Real>(self, x: T) -> T {
        let [slope, bend] = coefficients().map(T::of);
        x / (T::one() + (-(slope * x + bend * x * x * x)).exp())
    }

    fn gradient<T: Real>(self, x: T, dy: T) -> T {
        let [slope, bend] = coefficients().map(T::of);
        let s = T::one() / (T::one() + (-(slope * x + bend * x * x * x)).exp());
        let change = slope + T::of(3.0) * bend * x * x;
        dy * (s + x * (s * (T::one() - s) * change))
    }

    fn value_bound(self, x: f64) -> f64 {
        let [v, e, _] = rough_parts(x);
        let one = Rough::exact(1.0);
        (Rough::exact(x) * if v.value >= 0.0 { one } else { e }.over(one + e)).error
    }

    fn gradient_bound(self, x: f64, dy: f64) -> f64 {
        let [v, e, change] = rough_parts(x);
        let one = Rough::exact(1.0);
        let q = one.over(one + e);
        let s = if v.value >= 0.0 { one } else { e } * q;
        (Rough::exact(dy) * (s + Rough::exact(x) * (e * q * q * change))).error
    }

    fn constants(self) -> Constants {
        let [slope, bend] = coefficients().map(|coefficient| coefficient as f32);
        constants! { "SLOPE" => slope, "BEND" => bend }
    }
}

/// v = 2u, exp(-|v|) and dv/dx as the shader computes them.
fn rough_parts(x: f64) -> [Rough; 3] {
    let [slope, bend] = coefficients().map(Rough::constant);
    let square = Rough::exact(x) * Rough::exact(x);
    let v = Rough::exact(x) * (slope + bend * square);
    [v, (-v.abs()).exp(), slope + Rough::exact(3.0) * bend * square]
}
