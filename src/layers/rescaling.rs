use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::numbers::shown;
use crate::ops::Rescale;
use crate::optimizers::Regularizer;

/// `y = x * scale + offset`. At the beginning of a model it gets bytes as they are, 0 to 255; other layers get them
/// divided by 255.
///
/// `x * (1/255)`, as Keras computes it, differs from `x / 255` in the last bit for 126 of the 256 bytes.
/// Source: `keras/src/layers/preprocessing/rescaling.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescaling {
    /// Name in weight files and messages; by default `rescaling`, `rescaling_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The factor.
    pub scale: f64,
    /// What is added; default 0.
    #[serde(default)]
    pub offset: f64,
}

impl Rescaling {
    /// By this factor.
    pub fn new(scale: f64) -> Self {
        Rescaling { name: None, scale, offset: 0.0 }
    }

    /// Sets what is added.
    pub fn offset(mut self, offset: f64) -> Self {
        self.offset = offset;
        self
    }
}

named!(Rescaling);

impl LayerKind for Rescaling {
    const CLASS: &'static str = "Rescaling";
    const STEM: &'static str = "rescaling";
    const SETTINGS: &'static [&'static str] = &["scale", "offset"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        for (name, value) in [("scale", self.scale), ("offset", self.offset)] {
            if !(value as f32).is_finite() {
                return Err(format!(
                    "{name} is {}, but must be a number that a 32-bit float can hold",
                    shown(value)
                ));
            }
        }
        Ok(Inferred { output: single(inputs)?, weights: Vec::new() })
    }

    fn takes_bytes(&self) -> bool {
        true
    }

    fn on_host(&self, _: &Place<'_>, mut sample: Vec<f32>) -> Option<Vec<f32>> {
        sample.iter_mut().for_each(|x| *x = *x * self.scale as f32 + self.offset as f32);
        Some(sample)
    }

    fn applied(&self) -> Applied {
        Applied::Linear
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        Vec::new()
    }

    fn keeps_sign(&self) -> bool {
        self.scale > 0.0 && self.offset == 0.0
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let y = b.output(place);
        let op = Rescale { len: y.len(), scale: self.scale as f32, offset: self.offset as f32 };
        b.step(Stage::Forward, place.step("forward"), op, vec![x[0].clone(), y.clone()])?;
        Ok(y)
    }

    fn backward(
        &self,
        place: &Place<'_>,
        b: &mut Builder,
        x: &[Tensor],
        dy: Tensor,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor>>, PlanError> {
        if !wants[0] {
            return Ok(vec![None]);
        }
        let dx = b.input_gradient(place, 0, &x[0]);
        let op = Rescale { len: dx.len(), scale: self.scale as f32, offset: 0.0 };
        b.step(Stage::Backward, place.step("backward"), op, vec![dy, dx.clone()])?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        let scale = graph.floats(place.weight("scale"), &[self.scale as f32]);
        graph.node(&place.step("scale"), "Mul", vec![scale], Vec::new());
        let offset = graph.floats(place.weight("offset"), &[self.offset as f32]);
        graph.node(&place.step("offset"), "Add", vec![offset], Vec::new());
    }
}
