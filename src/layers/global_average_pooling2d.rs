use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{AveragePoolShape, AvgpoolBackward, AvgpoolForward, Dtype, MAX_ITERATIONS, PoolShape};
use crate::optimizers::Regularizer;

/// The mean of each channel over the whole image: `y[n, c] = mean_{h, w} x[n, h, w, c]`.
///
/// Source: `keras/src/layers/pooling/global_average_pooling2d.py`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAveragePooling2D {
    /// Name in weight files and messages; by default `global_average_pooling2d`, `global_average_pooling2d_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the output is an image of one pixel, not a row of features; default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub keepdims: bool,
}

impl GlobalAveragePooling2D {
    /// A row of one value per channel.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether an image of one pixel is given instead of a row of features.
    pub fn keepdims(mut self, keepdims: bool) -> Self {
        self.keepdims = keepdims;
        self
    }

    /// The poolings that give the mean one after the other: one, or, of more positions than a kernel may add up, that of each row and
    /// that of the rows, which count alike.
    fn shapes(place: &Place<'_>, batch: usize) -> Vec<AveragePoolShape> {
        let [h, w, c] = place.image();
        let pool =
            |w, window, strides| AveragePoolShape::valid(PoolShape::valid([batch, h, w, c], window, strides));
        match h * w <= MAX_ITERATIONS {
            true => vec![pool(w, [h, w], [1, 1])],
            false => vec![pool(w, [1, w], [1, w]), pool(1, [h, 1], [h, 1])],
        }
    }
}

named!(GlobalAveragePooling2D);

impl LayerKind for GlobalAveragePooling2D {
    const CLASS: &'static str = "GlobalAveragePooling2D";
    const STEM: &'static str = "global_average_pooling2d";
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
        let shapes = Self::shapes(place, b.batch);
        let (mut x, last) = (x[0].clone(), shapes.len() - 1);
        for (number, shape) in shapes.into_iter().enumerate() {
            let y = match number == last {
                true => b.output(place),
                false => b.tensor(&place.weight("rows"), Role::Activation, Dtype::F32, &shape.pool.y()),
            };
            let name = place.step(if number == last { "forward" } else { "forward_rows" });
            b.step(Stage::Forward, name, AvgpoolForward(shape), vec![x, y.clone()])?;
            x = y;
        }
        Ok(x)
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
        let mut dy = dy;
        for (number, shape) in Self::shapes(place, b.batch).into_iter().enumerate().rev() {
            let dx = match number {
                0 => b.input_gradient(place, 0, &x[0]),
                _ => {
                    let name = place.weight("d_rows");
                    b.tensor(&name, Role::ActivationGradient, Dtype::F32, &shape.pool.x())
                }
            };
            let name = place.step(if number == 0 { "backward" } else { "backward_rows" });
            b.step(Stage::Backward, name, AvgpoolBackward(shape), vec![dy, dx.clone()])?;
            dy = dx;
        }
        Ok(vec![Some(dy)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        let axes = match graph.layout() {
            Layout::Last => [1, 2],
            Layout::First => [2, 3],
        };
        let attributes = vec![ints("axes", axes.to_vec()), int("keepdims", i64::from(self.keepdims))];
        graph.node(&place.step("mean"), "ReduceMean", Vec::new(), attributes);
        if !self.keepdims {
            graph.lies(Layout::Last);
        }
    }
}
