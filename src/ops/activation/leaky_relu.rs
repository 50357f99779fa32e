use super::pointwise::{By, Names, OnnxForm, Pointwise, names};
use crate::ops::kit::*;

/// `y = x` where `x > 0`, else `slope * x`; `dx = dy` where `y > 0`, else `slope * dy`.
///
/// The sign of y is that of x, since no slope is negative. The derivative at 0 is the slope, as in TensorFlow.
/// Source: `leaky_relu` in `keras/src/activations/activations.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeakyRelu {
    /// Slope below 0; default 0.2.
    pub slope: f32,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        LeakyRelu { slope: 0.2 }
    }
}

impl Pointwise for LeakyRelu {
    const NAMES: Names = names!("leaky_relu");
    const SHADER: Source = shader!("activations/leaky_relu.wgsl");
    const BY: By = By::Output;
    const BENDS: &'static [f64] = &[0.0];
    const POSITIVE: bool = false;
    const FLOPS: [usize; 2] = [2, 2];

    fn onnx(self) -> OnnxForm {
        OnnxForm::Alpha("LeakyRelu", self.slope)
    }

    fn value<T: Real>(self, x: T) -> T {
        if x <= T::zero() { T::of(f64::from(self.slope)) * x } else { x }
    }

    fn gradient<T: Real>(self, y: T, dy: T) -> T {
        if y <= T::zero() { T::of(f64::from(self.slope)) * dy } else { dy }
    }

    /// Of one product, or of none.
    fn value_bound(self, x: f64) -> f64 {
        ULP * x.abs() + FLUSHED
    }

    fn gradient_bound(self, _: f64, dy: f64) -> f64 {
        ULP * dy.abs() + FLUSHED
    }

    fn constants(self) -> Constants {
        constants! { "SLOPE" => self.slope }
    }

    fn title(self) -> String {
        format!(", slope {}", self.slope)
    }

    fn samples() -> Vec<Self> {
        [0.2, 0.0, 1.5].map(|slope| LeakyRelu { slope }).to_vec()
    }
}
