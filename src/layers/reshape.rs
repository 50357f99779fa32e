use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::optimizers::Regularizer;

/// The same values in other dimensions, in row-major order. Source: `keras/src/layers/reshaping/reshape.py`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshape {
    /// Name in weight files and messages; by default `reshape`, `reshape_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Dimensions of a sample: `[features]` or `[h, w, c]`. One of them may be -1: it follows from the others.
    pub target_shape: Vec<i64>,
}

impl Reshape {
    /// Into `[features]` or `[h, w, c]`, of which one may be -1.
    pub fn new(target_shape: impl Into<Vec<i64>>) -> Self {
        Reshape { name: None, target_shape: target_shape.into() }
    }

    /// The dimensions for samples of so many values.
    fn dims(&self, len: usize) -> Result<Vec<usize>, String> {
        let target = &self.target_shape;
        let fails = |why: &str| format!("target_shape {target:?} {why}");
        let known = target.iter().filter(|&&dim| dim != -1).map(|&dim| usize::try_from(dim));
        let known: Vec<usize> = known.collect::<Result<_, _>>().map_err(|_| {
            fails("holds a negative size; only -1 may stand for one that follows from the others")
        })?;
        if known.contains(&0) {
            return Err(fails(&format!(
                "holds a size of 0, but the {len} values of its input need sizes of at least 1"
            )));
        }
        let product = known.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
        let product = product
            .ok_or_else(|| fails(&format!("has more values than can be counted; its input has {len}")))?;
        match target.len() - known.len() {
            0 if product == len => Ok(known),
            1 if len.is_multiple_of(product) => {
                let whole = |&dim: &i64| usize::try_from(dim).unwrap_or(len / product);
                Ok(target.iter().map(whole).collect())
            }
            0 | 1 => Err(fails(&format!("does not hold the {len} values of its input"))),
            _ => Err(fails("leaves several sizes open with -1; only one can follow from the others")),
        }
    }
}

named!(Reshape);

impl LayerKind for Reshape {
    const CLASS: &'static str = "Reshape";
    const STEM: &'static str = "reshape";
    const SETTINGS: &'static [&'static str] = &["target_shape"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let dims = self.dims(single(inputs)?.len())?;
        let output = match dims[..] {
            [features] => Shape::Flat(features),
            [h, w, c] => Shape::Image([h, w, c]),
            _ => {
                return Err(format!(
                    "target_shape must be [features] or [h, w, c], but is {:?}",
                    self.target_shape
                ));
            }
        };
        Ok(Inferred { output, weights: Vec::new() })
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
        let dims: Vec<i64> =
            [-1].into_iter().chain(place.output.dims().into_iter().map(|dim| dim as i64)).collect();
        let dims = graph.integers(place.step("shape"), &dims);
        graph.node(&place.step("reshape"), "Reshape", vec![dims], Vec::new());
    }
}
