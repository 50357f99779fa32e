use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::numbers::shown;
use crate::ops::{DropoutBackward, DropoutForward, DropoutShape};
use crate::optimizers::Regularizer;

/// In training, sets each value to 0 with probability `rate` and multiplies the others by `1 / (1 - rate)`; in evaluation
/// and prediction it changes nothing.
///
/// What is dropped follows from the seed, the step, the layer's place in the model and the element, so it is the same on
/// every device. Source: Srivastava et al., "Dropout", JMLR 2014; `keras/src/layers/regularization/dropout.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Name in messages; by default `dropout`, `dropout_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Share that is dropped, in `[0, 1)`.
    pub rate: f64,
}

impl Dropout {
    /// Drops this share of the values.
    pub fn new(rate: f64) -> Self {
        Dropout { name: None, rate }
    }
}

named!(Dropout);

impl Dropout {
    /// The dropout of so many values.
    fn shape(&self, place: &Place<'_>, len: usize) -> DropoutShape {
        DropoutShape::new(len, place.index, self.rate)
    }
}

impl LayerKind for Dropout {
    const CLASS: &'static str = "Dropout";
    const STEM: &'static str = "dropout";
    const SETTINGS: &'static [&'static str] = &["rate"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let rate = self.rate;
        if !(0.0..1.0).contains(&rate) {
            return Err(format!("rate is {}, but must be at least 0 and below 1", shown(rate)));
        }
        Ok(Inferred { output: single(inputs)?, weights: Vec::new() })
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
        let y = b.output(place);
        let op = DropoutForward(self.shape(place, y.len()));
        b.step(Stage::Forward, place.step("forward"), op, vec![x[0].clone(), y.clone()])?;
        Ok(y)
    }

    fn backward(
        &self,
        place: &Place<'_>,
        b: &mut Builder,
        x: &[Tensor],
        dy: Tensor,
        _: &[bool],
    ) -> Result<Vec<Option<Tensor>>, PlanError> {
        let op = DropoutBackward(self.shape(place, dy.len()));
        b.step(Stage::Backward, place.step("backward"), op, vec![dy.clone()])?;
        Ok(reshaped(x, dy))
    }

    fn onnx(&self, _: &Place<'_>, _: &mut Graph<'_>) {
        // Nothing is dropped in prediction.
    }
}
