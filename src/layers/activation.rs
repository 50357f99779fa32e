use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::Activation;
use crate::optimizers::Regularizer;

/// An activation as a layer of its own: the Keras layer `Activation`.
///
/// Same shape out as in. Source: `keras/src/layers/activations/activation.py`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationLayer {
    /// Name in messages; by default `activation`, `activation_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The function.
    pub activation: Activation,
}

impl ActivationLayer {
    /// This function as a layer.
    pub fn new(activation: Activation) -> Self {
        ActivationLayer { name: None, activation }
    }
}

named!(ActivationLayer);

impl LayerKind for ActivationLayer {
    const CLASS: &'static str = "Activation";
    const STEM: &'static str = "activation";
    const SETTINGS: &'static [&'static str] = &["activation"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        Ok(Inferred { output: single(inputs)?, weights: Vec::new() })
    }

    fn applied(&self) -> Applied {
        self.activation.into()
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
