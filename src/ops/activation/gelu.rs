use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2, TAU};

use super::pointwise::{By, Names, OnnxForm, OnnxInput, OnnxNode, Pointwise, names};
use crate::ops::kit::*;

/// `y = x * p(x)` with `p(x) = (1 + erf(x / sqrt(2))) / 2`, the share of the normal distribution below x;
/// `dx = dy * (p(x) + x * exp(-x^2 / 2) / sqrt(2 pi))`.
///
/// Source: Hendrycks and Gimpel, arXiv:1606.08415; `gelu` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gelu;

/// Where the shader takes the polynomial of x^2.
const NEAR: f64 = 1.0;
/// That polynomial: what stands before x^0, x^2, ...
const CENTER: [f64; 6] = [
    0.3989423f32 as f64,
    -0.06649036f32 as f64,
    0.009973323f32 as f64,
    -0.00118633f32 as f64,
    0.00011348639f32 as f64,
    -7.654208e-6f32 as f64,
];
/// By how much of itself it is off; a test looks.
const CENTER_MISSED: f64 = 3.5e-8;
/// The polynomial of the tail: what stands before t^1, t^2, ...
const TAIL: [f64; 9] = [
    0.1059887f32 as f64,
    0.105537005f32 as f64,
    0.10257355f32 as f64,
    0.061819475f32 as f64,
    0.13419136f32 as f64,
    -0.11062538f32 as f64,
    0.21215631f32 as f64,
    -0.14231087f32 as f64,
    0.030669857f32 as f64,
];
/// By how much of the tail it is off, up to [`LAST`]; a test looks.
const TAIL_MISSED: f64 = 3e-8;
/// From here on the tail is flushed.
const LAST: f64 = 13.5;

impl Pointwise for Gelu {
    const NAMES: Names = names!("gelu");
    const SHADER: Source = shader!("activations/gelu.wgsl");
    const BY: By = By::Input;
    const BENDS: &'static [f64] = &[];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [39, 43];

    fn onnx(self) -> OnnxForm {
        const NODES: &[OnnxNode] = &[
            OnnxNode::new("Div", &[OnnxInput::Constant(SQRT_2 as f32)]),
            OnnxNode::new("Erf", &[]),
            OnnxNode::new("Add", &[OnnxInput::Constant(1.0)]),
            OnnxNode::new("Mul", &[OnnxInput::X]),
            OnnxNode::new("Mul", &[OnnxInput::Constant(0.5)]),
        ];
        OnnxForm::Nodes(NODES)
    }

    fn value<T: Real>(self, x: T) -> T {
        x * share_below(x)
    }

    fn gradient<T: Real>(self, x: T, dy: T) -> T {
        let density = (x * x * T::of(-0.5)).exp() / T::of(TAU.sqrt());
        dy * (share_below(x) + x * density)
    }

    fn value_bound(self, x: f64) -> f64 {
        (Rough::exact(x) * rough_share(x)).error
    }

    fn gradient_bound(self, x: f64, dy: f64) -> f64 {
        let density = rough_exponential(x) * Rough::constant(density_at_zero());
        (Rough::exact(dy) * (rough_share(x) + Rough::exact(x) * density)).error
    }

    fn constants(self) -> Constants {
        constants! { "DENSITY" => density_at_zero() as f32 }
    }
}

/// The density of the normal distribution at 0.
fn density_at_zero() -> f64 {
    1.0 / TAU.sqrt()
}

/// `(1 + erf(x / sqrt(2))) / 2`, in f64. The complement of erf keeps small shares exact.
fn share_below<T: Real>(x: T) -> T {
    T::of(libm::erfc(-x.f64() * FRAC_1_SQRT_2) / 2.0)
}

fn rough_exponential(x: f64) -> Rough {
    (Rough::exact(-0.5) * Rough::exact(x) * Rough::exact(x)).exp()
}

/// The share as the shader computes it, operation by operation.
fn rough_share(x: f64) -> Rough {
    let one = Rough::exact(1.0);
    if x.abs() < NEAR {
        let x = Rough::exact(x);
        let center = Rough::polynomial(&CENTER.map(Rough::exact), x * x);
        return Rough::exact(0.5) + x * center.missed(CENTER_MISSED);
    }
    let a = Rough::exact(x.abs());
    let t = one.over(one + Rough::exact(17.0 / 64.0) * a);
    let scaled = t * Rough::polynomial(&TAIL.map(Rough::exact), t);
    let tail = rough_exponential(x) * scaled.missed(if a.value > LAST { 1.0 } else { TAIL_MISSED });
    if x >= 0.0 { one - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The polynomials alone, in f64.
    #[test]
    fn the_polynomials_are_off_as_far_as_the_bound_says() {
        let at = |coefficients: &[f64], x: f64| coefficients.iter().rfold(0.0, |sum, c| c + x * sum);
        let [mut of_center, mut of_tail] = [0.0f64; 2];
        for step in 1..=13_500 {
            let x = f64::from(step) / 1000.0;
            if x < NEAR {
                let center = libm::erf(x * FRAC_1_SQRT_2) / (2.0 * x);
                of_center = of_center.max((at(&CENTER, x * x) / center - 1.0).abs());
            }
            let t = 1.0 / (1.0 + 17.0 / 64.0 * x);
            let tail = share_below(-x) / (-0.5 * x * x).exp();
            of_tail = of_tail.max((t * at(&TAIL, t) / tail - 1.0).abs());
        }
        assert!(of_center <= CENTER_MISSED && of_center > 0.9 * CENTER_MISSED, "{of_center}");
        assert!(of_tail <= TAIL_MISSED && of_tail > 0.9 * TAIL_MISSED, "{of_tail}");
        assert!(share_below(-LAST) < FLUSHED);
    }

    /// From tables of the normal distribution.
    #[test]
    fn shares_are_those_of_the_normal_distribution() {
        for (x, share) in [(0.0, 0.5), (1.0, 0.841_344_746_068_542_9), (-3.0, 1.349_898_031_630_094_6e-3)] {
            assert!((share_below(x) / share - 1.0f64).abs() < 1e-14, "{x}");
        }
    }
}
