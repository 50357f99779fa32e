use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{self, Dtype};
use crate::optimizers::Regularizer;

/// The product of its inputs, element by element; along an axis where one of them has 1, it is multiplied with every place of the others, and
/// a row of features with every position of images.
///
/// Source: `keras/src/layers/merging/multiply.py`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multiply {
    /// Name in weight files and messages; by default `multiply`, `multiply_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Multiply {
    /// Of two inputs or more.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Multiply {
    /// `y = a * b`.
    fn product(
        b: &mut Builder,
        stage: Stage,
        name: String,
        factors: [&Tensor; 2],
        y: &Tensor,
    ) -> Result<(), PlanError> {
        let op = ops::Multiply { len: y.len() };
        b.step(stage, name, op, vec![factors[0].clone(), factors[1].clone(), y.clone()])
    }

    /// Name of the product of all inputs up to this one.
    fn product_up_to(number: usize) -> String {
        format!("product_{number}")
    }
}

named!(Multiply);

impl LayerKind for Multiply {
    const CLASS: &'static str = "Multiply";
    const STEM: &'static str = "multiply";
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
        x.iter().for_each(|x| b.keep(x));
        let mut product = x[0].clone();
        for (number, factor) in x.iter().enumerate().skip(1) {
            let y = match number + 1 == x.len() {
                true => b.output(place),
                false => b.leave(place, &Self::product_up_to(number), Dtype::F32, &factor.shape),
            };
            let name = place.step(&format!("forward_{number}"));
            Self::product(b, Stage::Forward, name, [&product, factor], &y)?;
            product = y;
        }
        Ok(product)
    }

    fn backward(
        &self,
        place: &Place<'_>,
        b: &mut Builder,
        x: &[Tensor],
        dy: Tensor,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor>>, PlanError> {
        let (inputs, x) = (x, all_stretched(place, b, x));
        let mut gradients: Vec<Option<Tensor>> = vec![None; x.len()];
        let mut dy = dy;
        for number in (1..x.len()).rev() {
            // y = before * x[number]
            let before = match number {
                1 => x[0].clone(),
                _ => b.left(place, &Self::product_up_to(number - 1)),
            };
            if wants[number] {
                let dx = b.input_gradient(place, number, &x[number]);
                let name = place.step(&format!("backward_{number}"));
                Self::product(b, Stage::Backward, name, [&dy, &before], &dx)?;
                gradients[number] = Some(gathered(place, b, number, &inputs[number], dx)?);
            }
            if !wants[..number].contains(&true) {
                return Ok(gradients);
            }
            let name = format!("d_{}.{}", place.name, Self::product_up_to(number - 1));
            let d_before = b.tensor(&name, Role::ActivationGradient, Dtype::F32, &before.shape);
            let name = place.step(&format!("backward_before_{number}"));
            Self::product(b, Stage::Backward, name, [&dy, &x[number]], &d_before)?;
            dy = d_before;
        }
        if wants[0] {
            gradients[0] = Some(gathered(place, b, 0, &inputs[0], dy)?);
        }
        Ok(gradients)
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        let others = graph.align(place);
        graph.merge(place, "multiply", "Mul", others);
    }
}
