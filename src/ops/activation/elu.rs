use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use crate::ops::kit::*;

/// `y = x` where `x > 0`, else `exp(x) - 1`; `dx = dy` where `y > 0`, else `dy * (y + 1)`.
///
/// Source: Clevert, Unterthiner and Hochreiter, arXiv:1511.07289; `elu` with `alpha=1.0` in
/// `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Elu;

impl Pointwise for Elu {
    const NAMES: Names = names!("elu");
    const SHADER: Source = shader!("activations/elu.wgsl");
    const BY: By = By::Output;
    // Its derivative does not jump there, but that of its derivative.
    const BENDS: &'static [f64] = &[0.0];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [4, 2];

    fn onnx(self) -> OnnxForm {
        OnnxForm::Operator("Elu")
    }

    fn value<T: Real>(self, x: T) -> T {
        if x <= T::zero() { x.exp_m1() } else { x }
    }

    fn gradient<T: Real>(self, y: T, dy: T) -> T {
        if y <= T::zero() { dy * (y + T::one()) } else { dy }
    }

    fn value_bound(self, x: f64) -> f64 {
        if x <= 0.0 { rough_exp_minus_one(x).error } else { 0.0 }
    }

    fn gradient_bound(self, y: f64, dy: f64) -> f64 {
        if y <= 0.0 { (Rough::exact(dy) * (Rough::exact(y) + Rough::exact(1.0))).error } else { 0.0 }
    }
}

/// Where the shader takes the series.
const NEAR: f64 = -0.5;
/// What stands before x^2, x^3, ... in it.
const SERIES: [f64; 7] =
    [1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0, 1.0 / 40320.0];
/// What stands before the next term.
const NEXT: f64 = 1.0 / 362_880.0;

/// `exp(x) - 1` for `x <= 0` as shaders compute it: the series near 0, elsewhere the difference.
pub(super) fn rough_exp_minus_one(x: f64) -> Rough {
    let x = Rough::exact(x);
    if x.value <= NEAR {
        return x.exp() - Rough::exact(1.0);
    }
    let sum = x + x * x * Rough::polynomial(&SERIES.map(Rough::constant), x);
    // The terms that are left out alternate and fall.
    Rough { error: sum.error + NEXT * x.value.powi(9).abs(), ..sum }
}
