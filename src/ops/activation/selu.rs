use super::elu::rough_exp_minus_one;
use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use crate::ops::kit::*;

/// `y = scale * x` where `x >= 0`, else `scale * alpha * (exp(x) - 1)`, with scale 1.05070098 and alpha 1.67326324;
/// `dx = scale * dy` where `y >= 0`, else `dy * (y + scale * alpha)`.
///
/// The derivative at 0 is the scale, as in TensorFlow. Source: Klambauer and others, arXiv:1706.02515; `selu` in
/// `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Selu;

const SCALE: f64 = 1.050_700_987_355_480_5;
const ALPHA: f64 = 1.673_263_242_354_377_3;

impl Pointwise for Selu {
    const NAMES: Names = names!("selu");
    const SHADER: Source = shader!("activations/selu.wgsl");
    const BY: By = By::Output;
    const BENDS: &'static [f64] = &[0.0];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [5, 2];

    fn onnx(self) -> OnnxForm {
        OnnxForm::Operator("Selu")
    }

    fn value<T: Real>(self, x: T) -> T {
        if x < T::zero() { T::of(SCALE * ALPHA) * x.exp_m1() } else { T::of(SCALE) * x }
    }

    fn gradient<T: Real>(self, y: T, dy: T) -> T {
        if y < T::zero() { dy * (y + T::of(SCALE * ALPHA)) } else { dy * T::of(SCALE) }
    }

    fn value_bound(self, x: f64) -> f64 {
        let (scale, scale_alpha) = (Rough::constant(SCALE), Rough::constant(SCALE * ALPHA));
        if x < 0.0 { scale_alpha * rough_exp_minus_one(x) } else { scale * Rough::exact(x) }.error
    }

    fn gradient_bound(self, y: f64, dy: f64) -> f64 {
        let (scale, scale_alpha) = (Rough::constant(SCALE), Rough::constant(SCALE * ALPHA));
        (Rough::exact(dy) * if y < 0.0 { Rough::exact(y) + scale_alpha } else { scale }).error
    }

    fn constants(self) -> Constants {
        constants! { "SCALE" => SCALE as f32, "SCALE_ALPHA" => (SCALE * ALPHA) as f32 }
    }
}
