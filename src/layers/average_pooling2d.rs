use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{AveragePoolShape, AvgpoolBackward, AvgpoolForward, PoolShape};
use crate::optimizers::Regularizer;

/// The mean of each window, per channel: `y[n, i, j, c] = mean_{p, q} x[n, i*sh + p - top, j*sw + q - left, c]`, over the elements inside of
/// the image. Source: `keras/src/layers/pooling/average_pooling2d.py`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AveragePooling2D {
    /// Name in weight files and messages; by default `average_pooling2d`, `average_pooling2d_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Size of the window.
    pub pool_size: Pair,
    /// Step of the window; by default its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strides: Option<Pair>,
    /// What is put around an image: `valid` nothing, `same` places that do not count, so that a window begins at every
    /// stride; default `valid`.
    #[serde(default)]
    pub padding: Padding,
}

impl AveragePooling2D {
    /// A window of `pool_size` (`2` or `(2, 3)`) that moves by its own size.
    pub fn new(pool_size: impl Into<Pair>) -> Self {
        AveragePooling2D { name: None, pool_size: pool_size.into(), strides: None, padding: Padding::Valid }
    }

    /// Sets the step of the window.
    pub fn strides(mut self, strides: impl Into<Pair>) -> Self {
        self.strides = Some(strides.into());
        self
    }

    /// Sets what surrounds the image.
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// The step of the window.
    fn step_of_window(&self) -> Pair {
        self.strides.unwrap_or(self.pool_size)
    }

    fn windows(&self, place: &Place<'_>) -> Windows {
        let [h, w, _] = place.image();
        Windows::new([h, w], self.pool_size, self.step_of_window(), one_by_one(), self.padding)
    }

    /// The pooling of a batch.
    fn shape(&self, place: &Place<'_>, batch: usize) -> AveragePoolShape {
        let [in_h, in_w, channels] = place.image();
        let (Pair { height: pool_h, width: pool_w }, strides) = (self.pool_size, self.step_of_window());
        let Windows { out: [out_h, out_w], before: [top, left], .. } = self.windows(place);
        let (stride_h, stride_w) = (strides.height, strides.width);
        let pool =
            PoolShape { batch, in_h, in_w, channels, pool_h, pool_w, stride_h, stride_w, out_h, out_w };
        AveragePoolShape { pool, top, left }
    }
}

named!(AveragePooling2D);

impl LayerKind for AveragePooling2D {
    const CLASS: &'static str = "AveragePooling2D";
    const STEM: &'static str = "average_pooling2d";
    const SETTINGS: &'static [&'static str] = &["pool_size", "strides", "padding"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let [h, w, c] = image(single(inputs)?)?;
        let step = self.step_of_window();
        let [oh, ow] = slide("pool_size", [h, w], self.pool_size, step, one_by_one(), self.padding)?.out;
        Ok(Inferred { output: Shape::Image([oh, ow, c]), weights: Vec::new() })
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
        let op = AvgpoolForward(self.shape(place, b.batch));
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
        let op = AvgpoolBackward(self.shape(place, b.batch));
        b.step(Stage::Backward, place.step("backward"), op, vec![dy, dx.clone()])?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        graph.turn(Layout::First, place.name);
        let mut attributes =
            vec![pair("kernel_shape", self.pool_size), pair("strides", self.step_of_window())];
        let windows = self.windows(place);
        if windows.has_border() {
            attributes.extend([pads(&windows), int("count_include_pad", 0)]);
        }
        graph.node(&place.step("average_pool"), "AveragePool", Vec::new(), attributes);
    }
}
