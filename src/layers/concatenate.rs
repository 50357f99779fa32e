use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{self, Slice};
use crate::optimizers::Regularizer;

/// Its inputs side by side along the last axis: channels of images, or features. Source: `keras/src/layers/merging/concatenate.py`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concatenate {
    /// Name in weight files and messages; by default `concatenate`, `concatenate_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Concatenate {
    /// Of two inputs or more.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Concatenate {
    /// Where the columns of each input begin, how many there are, and the number of all.
    fn columns(place: &Place<'_>) -> (Vec<[usize; 2]>, usize) {
        let mut end = 0;
        let widths = place.inputs.iter().map(|shape| shape.dims().last().copied().unwrap_or(1));
        let columns = widths.map(|width| {
            end += width;
            [end - width, width]
        });
        (columns.collect(), end)
    }
}

named!(Concatenate);

impl LayerKind for Concatenate {
    const CLASS: &'static str = "Concatenate";
    const STEM: &'static str = "concatenate";
    const SETTINGS: &'static [&'static str] = &[];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        several(inputs)?;
        let head = |shape: &Shape| shape.dims().split_last().map(|(_, head)| head.to_vec());
        if let Some(other) = inputs.iter().find(|shape| head(shape) != head(&inputs[0])) {
            return Err(format!(
                "its inputs must have the same sizes but for the last, but are {:?} and {:?}",
                inputs[0].dims(),
                other.dims()
            ));
        }
        let last = inputs.iter().filter_map(|shape| shape.dims().last().copied());
        let last = last.fold(0usize, usize::saturating_add);
        let output = match inputs[0] {
            Shape::Image([h, w, _]) => Shape::Image([h, w, last]),
            Shape::Flat(_) => Shape::Flat(last),
        };
        Ok(Inferred { output, weights: Vec::new() })
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
        let y = b.output(place);
        let (parts, columns) = Self::columns(place);
        let rows = y.len() / columns;
        for (number, (x, [first, width])) in x.iter().zip(parts).enumerate() {
            let op = ops::Concatenate { rows, columns, first, width };
            let name = place.step(&format!("forward_{number}"));
            b.step(Stage::Forward, name, op, vec![x.clone(), y.clone()])?;
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
        let (parts, columns) = Self::columns(place);
        let rows = dy.len() / columns;
        let mut gradients = Vec::new();
        for (number, (x, [first, width])) in x.iter().zip(parts).enumerate() {
            if !wants[number] {
                gradients.push(None);
                continue;
            }
            let dx = b.input_gradient(place, number, x);
            let op = Slice { rows, columns, first, width };
            let name = place.step(&format!("backward_{number}"));
            b.step(Stage::Backward, name, op, vec![dy.clone(), dx.clone()])?;
            gradients.push(Some(dx));
        }
        Ok(gradients)
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        let others = graph.align(place);
        let image = matches!(place.output, Shape::Image(_));
        let axis = if image && graph.layout() == Layout::First { 1 } else { -1 };
        graph.node(&place.step("concat"), "Concat", others, vec![int("axis", axis)]);
    }
}
