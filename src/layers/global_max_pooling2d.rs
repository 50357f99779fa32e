use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{Dtype, MaxpoolBackward, MaxpoolForward, PoolShape};
use crate::optimizers::Regularizer;

/// The maximum of each channel over the whole image: `y[n, c] = max_{h, w} x[n, h, w, c]`; the gradient goes to the first maximum in
/// row-major order. Source: `keras/src/layers/pooling/global_max_pooling2d.py`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalMaxPooling2D {
    /// Name in weight files and messages; by default `global_max_pooling2d`, `global_max_pooling2d_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the output is an image of one pixel, not a row of features; default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub keepdims: bool,
}

impl GlobalMaxPooling2D {
    /// A row of one value per channel.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether an image of one pixel is given instead of a row of features.
    pub fn keepdims(mut self, keepdims: bool) -> Self {
        self.keepdims = keepdims;
        self
    }

    fn shape(place: &Place<'_>, batch: usize) -> PoolShape {
        let [h, w, c] = place.image();
        PoolShape::valid([batch, h, w, c], [h, w], [1, 1])
    }
}

named!(GlobalMaxPooling2D);

impl LayerKind for GlobalMaxPooling2D {
    const CLASS: &'static str = "GlobalMaxPooling2D";
    const STEM: &'static str = "global_max_pooling2d";
    const SETTINGS: &'static [&'static str] = &["keepdims"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let [_, _, c] = image(single(inputs)?)?;
        let output = if self.keepdims { Shape::Image([1, 1, c]) } else { Shape::Flat(c) };
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
        let pool = Self::shape(place, b.batch);
        let y = b.output(place);
        let winner = b.leave(place, "winner", Dtype::U32, &pool.winner());
        b.step(
            Stage::Forward,
            place.step("forward"),
            MaxpoolForward(pool),
            vec![x[0].clone(), y.clone(), winner],
        )?;
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
        let args = vec![dy, b.left(place, "winner"), dx.clone()];
        let op = MaxpoolBackward(Self::shape(place, b.batch));
        b.step(Stage::Backward, place.step("backward"), op, args)?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        let axes = match graph.layout() {
            Layout::Last => [1, 2],
            Layout::First => [2, 3],
        };
        let attributes = vec![ints("axes", axes.to_vec()), int("keepdims", i64::from(self.keepdims))];
        graph.node(&place.step("max"), "ReduceMax", Vec::new(), attributes);
        if !self.keepdims {
            graph.lies(Layout::Last);
        }
    }
}
