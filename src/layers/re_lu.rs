use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::Relu;
use crate::optimizers::Regularizer;

/// `y = max(x, 0)` as a layer of its own. Source: `keras/src/layers/activations/relu.py`, with its defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReLU {
    /// Name in messages; by default `re_lu`, `re_lu_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl ReLU {
    /// The layer; it has nothing to set.
    pub fn new() -> Self {
        ReLU::default()
    }
}

named!(ReLU);

impl LayerKind for ReLU {
    const CLASS: &'static str = "ReLU";
    const STEM: &'static str = "re_lu";
    const SETTINGS: &'static [&'static str] = &[];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        Ok(Inferred { output: single(inputs)?, weights: Vec::new() })
    }

    fn applied(&self) -> Applied {
        Applied::Each(Relu.into())
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
