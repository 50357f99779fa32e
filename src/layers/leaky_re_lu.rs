use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::numbers::shown;
use crate::ops::LeakyRelu;
use crate::optimizers::Regularizer;

/// Slope below 0, where none is given.
const SLOPE: f64 = 0.3;

/// `y = x` where `x > 0`, else `negative_slope * x`, as a layer of its own. The derivative at 0 is the slope.
///
/// Source: `keras/src/layers/activations/leaky_relu.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakyReLU {
    /// Name in messages; by default `leaky_re_lu`, `leaky_re_lu_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Slope below 0, finite and not negative; default 0.3.
    #[serde(default = "layer_slope")]
    pub negative_slope: f64,
}

fn layer_slope() -> f64 {
    SLOPE
}

impl LeakyReLU {
    /// A slope of 0.3 below 0.
    pub fn new() -> Self {
        LeakyReLU { name: None, negative_slope: SLOPE }
    }

    /// Sets the slope below 0.
    pub fn negative_slope(mut self, slope: f64) -> Self {
        self.negative_slope = slope;
        self
    }
}

impl Default for LeakyReLU {
    fn default() -> Self {
        LeakyReLU::new()
    }
}

named!(LeakyReLU);

impl LayerKind for LeakyReLU {
    const CLASS: &'static str = "LeakyReLU";
    const STEM: &'static str = "leaky_re_lu";
    const SETTINGS: &'static [&'static str] = &["negative_slope"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let slope = self.negative_slope;
        if !(slope >= 0.0 && (slope as f32).is_finite()) {
            return Err(format!(
                "negative_slope is {}, but must be a number of at least 0 that a 32-bit float can hold",
                shown(slope)
            ));
        }
        Ok(Inferred { output: single(inputs)?, weights: Vec::new() })
    }

    fn applied(&self) -> Applied {
        Applied::Each(LeakyRelu { slope: self.negative_slope as f32 }.into())
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        Vec::new()
    }

    fn keeps_sign(&self) -> bool {
        true
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        Ok(Tensor { shape: b.batched(place.output), ..x[0].clone() })
    }

    fn backward(
        &self,
        _: &Place<'_>,
        _: &mut Builder,
        x: &[Tensor],
        dy: Tensor,
        _: &[bool],
    ) -> Result<Vec<Option<Tensor>>, PlanError> {
        Ok(reshaped(x, dy))
    }

    fn onnx(&self, _: &Place<'_>, _: &mut Graph<'_>) {}
}
