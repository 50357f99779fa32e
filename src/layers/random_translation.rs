use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::numbers::shown;
use crate::ops::{Dtype, FillMode, RandomShiftBackward, RandomShiftForward, ShiftShape};
use crate::optimizers::Regularizer;

/// In training, moves each image by a random share of its height and of its width; in evaluation and prediction it changes nothing.
///
/// The gradient is that of what is computed. TensorFlow moves gradients back as if they were images, which is the same for
/// `fill_mode = "constant"` alone: for others its gradients differ near the edge.
///
/// How far follows from the seed, the step, the layer's place in the model and the image's place in the batch, in whole 4096ths of a
/// pixel, so it is the same on every device. Of Keras's settings there is no `seed`: draws follow that of the run.
/// Source: `keras/src/layers/preprocessing/image_preprocessing/random_translation.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomTranslation {
    /// Name in messages; by default `random_translation`, `random_translation_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// By what share of the height images are moved down, in `[-1, 1]`: a number for up to that share in both
    /// directions, or the least and the largest share.
    pub height_factor: Factor,
    /// By what share of the width images are moved to the right, in the same form.
    pub width_factor: Factor,
    /// What lies outside an image. Keras's `wrap` is refused. Default `reflect`.
    #[serde(default)]
    pub fill_mode: FillMode,
    /// Whether a pixel is the nearest one, or blended from the four around; default `bilinear`.
    #[serde(default)]
    pub interpolation: Interpolation,
    /// What lies outside with `fill_mode = "constant"`; default 0.
    #[serde(default)]
    pub fill_value: f64,
}

/// The least and the largest of random shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "FactorForm", into = "[f64; 2]")]
pub struct Factor {
    /// The least.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

/// How a factor may be written in a model file.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a factor is a number such as 0.2, or the least and the largest such as [-0.1, 0.3]"
)]
enum FactorForm {
    Both(f64),
    Each([f64; 2]),
}

impl From<FactorForm> for Factor {
    fn from(form: FactorForm) -> Self {
        match form {
            FactorForm::Both(most) => most.into(),
            FactorForm::Each(ends) => ends.into(),
        }
    }
}

impl From<f64> for Factor {
    fn from(most: f64) -> Self {
        [-most, most].into()
    }
}

impl From<[f64; 2]> for Factor {
    fn from([one, other]: [f64; 2]) -> Self {
        let [low, high] = if one <= other { [one, other] } else { [other, one] };
        Factor { low, high }
    }
}

impl From<Factor> for [f64; 2] {
    fn from(factor: Factor) -> Self {
        [factor.low, factor.high]
    }
}

impl Factor {
    /// Least and largest shift of an axis of so many pixels, in parts of a pixel.
    fn shifts(&self, len: usize) -> [i32; 2] {
        [self.low, self.high].map(|share| (share * len as f64 * f64::from(ShiftShape::PIXEL)).round() as i32)
    }
}

/// How [`RandomTranslation`] finds what lies between pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// A blend of the four pixels around.
    #[default]
    Bilinear,
}

impl RandomTranslation {
    /// Moves images by these shares of their height and width, each up to so much either way (`0.2`) or between two ends (`[-0.1, 0.3]`).
    pub fn new(height_factor: impl Into<Factor>, width_factor: impl Into<Factor>) -> Self {
        RandomTranslation {
            name: None,
            height_factor: height_factor.into(),
            width_factor: width_factor.into(),
            fill_mode: FillMode::default(),
            interpolation: Interpolation::default(),
            fill_value: 0.0,
        }
    }

    /// Sets what lies outside an image.
    pub fn fill_mode(mut self, fill_mode: FillMode) -> Self {
        self.fill_mode = fill_mode;
        self
    }

    /// Sets how what lies between pixels is found.
    pub fn interpolation(mut self, interpolation: Interpolation) -> Self {
        self.interpolation = interpolation;
        self
    }

    /// Sets what lies outside with [`FillMode::Constant`].
    pub fn fill_value(mut self, fill_value: f64) -> Self {
        self.fill_value = fill_value;
        self
    }

    /// What moves images along one axis after the other, each by what its steps are called; an axis along which nothing moves is left
    /// out, unless both are.
    fn moves(&self, place: &Place<'_>, batch: usize) -> Vec<(&'static str, ShiftShape)> {
        let [h, w, c] = place.image();
        let shape = |word, before, len, after, factor: Factor| {
            let [low, high] = factor.shifts(len);
            let (layer, fill_mode, fill_value) = (place.index, self.fill_mode, self.fill_value as f32);
            let nearest = self.interpolation == Interpolation::Nearest;
            ShiftShape { batch, before, len, after, layer, word, low, high, fill_mode, fill_value, nearest }
        };
        let rows = ("rows", shape(0, 1, h, w * c, self.height_factor));
        let columns = ("columns", shape(1, h, w, c, self.width_factor));
        let stays = |shape: &ShiftShape| shape.low == 0 && shape.high == 0;
        match (stays(&rows.1), stays(&columns.1)) {
            (true, _) => vec![columns],
            (false, true) => vec![rows],
            (false, false) => vec![rows, columns],
        }
    }
}

named!(RandomTranslation);

impl LayerKind for RandomTranslation {
    const CLASS: &'static str = "RandomTranslation";
    const STEM: &'static str = "random_translation";
    const SETTINGS: &'static [&'static str] =
        &["height_factor", "width_factor", "fill_mode", "interpolation", "fill_value"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let dims @ [h, w, _] = image(single(inputs)?)?;
        for (name, Factor { low, high }) in
            [("height_factor", self.height_factor), ("width_factor", self.width_factor)]
        {
            if !(-1.0 <= low && low <= high && high <= 1.0) {
                return Err(format!(
                    "{name} is from {} to {}, but must lie between -1 and 1",
                    shown(low),
                    shown(high)
                ));
            }
        }
        if !(self.fill_value as f32).is_finite() {
            return Err(format!(
                "fill_value is {}, but must be a finite 32-bit float",
                shown(self.fill_value)
            ));
        }
        if h.max(w) > ShiftShape::LONGEST {
            return Err(format!(
                "its images are {h}x{w}, but it takes at most {} pixels along an axis; make them smaller before it",
                ShiftShape::LONGEST
            ));
        }
        Ok(Inferred { output: Shape::Image(dims), weights: Vec::new() })
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
        self.fill_mode != FillMode::Constant || self.fill_value == 0.0
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let (y, mut from) = (b.output(place), x[0].clone());
        let moves = self.moves(place, b.batch);
        for (number, (name, shape)) in moves.iter().enumerate() {
            let to = match number + 1 == moves.len() {
                true => y.clone(),
                false => b.tensor(&place.weight(name), Role::Activation, Dtype::F32, &y.shape),
            };
            let args = vec![from, to.clone()];
            b.step(Stage::Forward, place.step(&format!("forward_{name}")), RandomShiftForward(*shape), args)?;
            from = to;
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
        if !wants[0] {
            return Ok(vec![None]);
        }
        let (dx, mut from) = (b.input_gradient(place, 0, &x[0]), dy);
        for (number, (name, shape)) in self.moves(place, b.batch).iter().enumerate().rev() {
            let between = place.weight(&format!("d_{name}"));
            let to = match number {
                0 => dx.clone(),
                _ => b.tensor(&between, Role::ActivationGradient, Dtype::F32, &dx.shape),
            };
            let name = place.step(&format!("backward_{name}"));
            b.step(Stage::Backward, name, RandomShiftBackward(*shape), vec![from, to.clone()])?;
            from = to;
        }
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, _: &Place<'_>, _: &mut Graph<'_>) {
        // Nothing is moved in prediction.
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Layer;

    #[test]
    fn files_say_how_images_are_moved() {
        // (settings, the layer or what is said)
        let moved = RandomTranslation::new(0.2, [-0.1, 0.3]);
        let rows = [
            ("height_factor = 0.2\nwidth_factor = [-0.1, 0.3]", Ok(moved.clone())),
            ("height_factor = [0.2, -0.2]\nwidth_factor = [0.3, -0.1]", Ok(moved.clone())),
            (
                "height_factor = -0.2\nwidth_factor = [-0.1, 0.3]\nfill_mode = \"nearest\"\ninterpolation = \"nearest\"",
                Ok(moved.fill_mode(FillMode::Nearest).interpolation(Interpolation::Nearest)),
            ),
            ("height_factor = 0.2", Err("missing field `width_factor`")),
            (
                "height_factor = [0.2]\nwidth_factor = 0",
                Err("a factor is a number such as 0.2, or the least"),
            ),
            (
                "height_factor = 0\nwidth_factor = 0\nfill_mode = \"wrap\"",
                Err("`wrap` is in Keras, but not here"),
            ),
            (
                "height_factor = 0\nwidth_factor = 0\nfill_mode = \"mirror\"",
                Err("unknown variant `mirror`, expected one of"),
            ),
        ];
        for (settings, expected) in rows {
            let layer = Layer::parse("RandomTranslation", toml::from_str(settings).unwrap()).unwrap();
            match (layer, expected) {
                (Ok(layer), Ok(expected)) => assert_eq!(layer, Layer::from(expected), "{settings}"),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{settings}: {error}")
                }
                (layer, expected) => panic!("{settings}: {layer:?} for {expected:?}"),
            }
        }
    }

    #[test]
    fn factors_that_cannot_be_are_refused() {
        for factor in [1.5, -1.01, f64::NAN, f64::INFINITY] {
            for layer in [
                RandomTranslation::new(factor, 0.0),
                RandomTranslation::new(0.0, [0.5, factor]),
                RandomTranslation::new(0.0, [factor, 0.5]),
            ] {
                let problem = layer.infer(&[Shape::Image([4, 4, 1])]).unwrap_err();
                assert!(problem.contains("must lie between -1 and 1"), "{layer:?}: {problem}");
            }
        }
        let wide = RandomTranslation::new(0.0, 0.1).infer(&[Shape::Image([1, 40_000, 1])]).unwrap_err();
        assert!(wide.contains("at most 32768 pixels along an axis"), "{wide}");
        let filled = RandomTranslation::new(0.0, 0.1).fill_value(1e40).infer(&[Shape::Image([4, 4, 1])]);
        assert!(filled.unwrap_err().contains("fill_value is 1e40"));
    }
}
