use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::optimizers::Regularizer;

/// Makes each sample one row: `[n, h, w, c]` becomes `[n, h*w*c]`. No data moves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {
    /// Name in messages; by default `flatten`, `flatten_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Flatten {
    /// The layer; it has nothing to set.
    pub fn new() -> Self {
        Flatten::default()
    }
}

named!(Flatten);

impl LayerKind for Flatten {
    const CLASS: &'static str = "Flatten";
    const STEM: &'static str = "flatten";
    const SETTINGS: &'static [&'static str] = &[];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        Ok(Inferred { output: Shape::Flat(single(inputs)?.len()), weights: Vec::new() })
    }

    fn on_host(&self, _: &Place<'_>, sample: Vec<f32>) -> Option<Vec<f32>> {
        Some(sample)
    }

    fn applied(&self) -> Applied {
        Applied::Linear
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

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        graph.turn(Layout::Last, place.name);
        graph.node(&place.step("flatten"), "Flatten", Vec::new(), vec![int("axis", 1)]);
    }
}
