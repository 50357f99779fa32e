use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops;
use crate::optimizers::Regularizer;

/// In training, mirrors each image with probability 1/2; in evaluation and prediction it changes nothing.
///
/// Which images are mirrored follows from the seed, the step, the layer's place in the model and the image's place in the batch, so it
/// is the same on every device. Of Keras's settings there is no `seed`: draws follow that of the run.
/// Source: `keras/src/layers/preprocessing/image_preprocessing/random_flip.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct RandomFlip {
    /// Name in messages; by default `random_flip`, `random_flip_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How images are mirrored; default `horizontal_and_vertical`.
    #[serde(default)]
    pub mode: FlipMode,
}

/// How [`RandomFlip`] mirrors an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum FlipMode {
    /// Left becomes right.
    Horizontal,
    /// Top becomes bottom.
    Vertical,
    /// Both at once, or neither: one draw decides, as in Keras. For each by itself, take two layers.
    #[default]
    HorizontalAndVertical,
}

impl RandomFlip {
    /// Mirrors images in this way.
    pub fn new(mode: FlipMode) -> Self {
        RandomFlip { name: None, mode }
    }

    fn op(&self, place: &Place<'_>, batch: usize) -> ops::RandomFlip {
        let [height, width, channels] = place.image();
        let [horizontal, vertical] = match self.mode {
            FlipMode::Horizontal => [true, false],
            FlipMode::Vertical => [false, true],
            FlipMode::HorizontalAndVertical => [true, true],
        };
        ops::RandomFlip { batch, height, width, channels, layer: place.index, horizontal, vertical }
    }
}

named!(RandomFlip);

impl LayerKind for RandomFlip {
    const CLASS: &'static str = "RandomFlip";
    const STEM: &'static str = "random_flip";
    const SETTINGS: &'static [&'static str] = &["mode"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        Ok(Inferred { output: Shape::Image(image(single(inputs)?)?), weights: Vec::new() })
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
        let (y, op) = (b.output(place), self.op(place, b.batch));
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
        let (dx, op) = (b.input_gradient(place, 0, &x[0]), self.op(place, b.batch));
        b.step(Stage::Backward, place.step("backward"), op, vec![dy, dx.clone()])?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, _: &Place<'_>, _: &mut Graph<'_>) {
        // Nothing is mirrored in prediction.
    }
}
