use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{self, AddTo, Copy};
use crate::optimizers::Regularizer;

/// The sum of its inputs, element by element; along an axis where one of them has 1, it is added to every place of the others, and a row of
/// features to every position of images.
///
/// Source: `keras/src/layers/merging/add.py`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// Name in weight files and messages; by default `add`, `add_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Add {
    /// Of two inputs or more.
    pub fn new() -> Self {
        Self::default()
    }
}

named!(Add);

impl LayerKind for Add {
    const CLASS: &'static str = "Add";
    const STEM: &'static str = "add";
    const SETTINGS: &'static [&'static str] = &[];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let output = stretched(inputs)?;
        Ok(Inferred { output, weights: Vec::new() })
    }

    fn applied(&self) -> Applied {
        Applied::Linear
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        Vec::new()
    }

    fn keeps_sign(&self) -> bool {
        false
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let x = stretch_all(place, b, x)?;
        let y = b.output(place);
        let op = ops::Add { len: y.len() };
        b.step(Stage::Forward, place.step("forward"), op, vec![x[0].clone(), x[1].clone(), y.clone()])?;
        for (number, x) in x.iter().enumerate().skip(2) {
            let name = place.step(&format!("forward_{number}"));
            b.step(Stage::Forward, name, AddTo { len: y.len() }, vec![x.clone(), y.clone()])?;
        }
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
        // One input may have the gradient itself, which what follows may change in place.
        let mut first = Some(dy.clone());
        let mut gradients = Vec::new();
        for (number, x) in x.iter().enumerate() {
            gradients.push(match wants[number] {
                false => None,
                true if is_stretched(place, number) => Some(gathered(place, b, number, x, dy.clone())?),
                true => match first.take() {
                    Some(dy) => Some(Tensor { shape: x.shape.clone(), ..dy }),
                    None => {
                        let dx = b.input_gradient(place, number, x);
                        let name = place.step(&format!("backward_{number}"));
                        b.step(Stage::Backward, name, Copy { len: dy.len() }, vec![dy.clone(), dx.clone()])?;
                        Some(dx)
                    }
                },
            });
        }
        Ok(gradients)
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        let others = graph.align(place);
        graph.merge(place, "add", "Add", others);
    }
}
