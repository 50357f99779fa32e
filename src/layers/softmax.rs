use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::optimizers::Regularizer;

/// `y_i = exp(x_i) / sum_j exp(x_j)` over the last axis, as a layer of its own.
///
/// Source: `keras/src/layers/activations/softmax.py`, with its default axis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {
    /// Name in messages; by default `softmax`, `softmax_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Softmax {
    /// Over the last axis.
    pub fn new() -> Self {
        Softmax::default()
    }
}

named!(Softmax);

impl LayerKind for Softmax {
    const CLASS: &'static str = "Softmax";
    const STEM: &'static str = "softmax";
    const SETTINGS: &'static [&'static str] = &[];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        Ok(Inferred { output: single(inputs)?, weights: Vec::new() })
    }

    fn applied(&self) -> Applied {
        Applied::Softmax
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
