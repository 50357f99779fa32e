use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{
    ColumnSum, Dtype, LayerNormBackwardInput, LayerNormBackwardScale, LayerNormBackwardSums,
    LayerNormForward, LayerNormShape, LayerNormStatistics,
};
use crate::optimizers::Regularizer;

/// Normalizes each position of an image, or each sample of features, by its own mean and variance: `y = gamma * (x -
/// mean) / sqrt(variance + epsilon) + beta`.
///
/// They are those of the channels of one position, or of the features of one sample, in training as in prediction. The variance is
/// the biased one, `1/n`. Of Keras's axes there is -1 alone, the last one, which is its default.
///
/// gamma and beta are both `[channels]`.
/// Source: `keras/src/layers/normalization/layer_normalization.py`; Ba, Kiros and Hinton 2016.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNormalization {
    /// Name in weight files and messages; by default `layer_normalization`, `layer_normalization_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Added to the variance; default 0.001.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
    /// Whether there is a beta; default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub center: bool,
    /// Whether there is a gamma; default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub scale: bool,
    /// How beta starts; default `zeros`.
    #[serde(default = "Initializer::zeros", skip_serializing_if = "Initializer::is_zeros")]
    pub beta_initializer: Initializer,
    /// How gamma starts; default `ones`.
    #[serde(default = "Initializer::ones", skip_serializing_if = "Initializer::is_ones")]
    pub gamma_initializer: Initializer,
    /// Penalty on beta, which is added to the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta_regularizer: Option<Regularizer>,
    /// Penalty on gamma, which is added to the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gamma_regularizer: Option<Regularizer>,
}

fn epsilon() -> f64 {
    1e-3
}

impl Default for LayerNormalization {
    fn default() -> Self {
        LayerNormalization {
            name: None,
            epsilon: epsilon(),
            center: true,
            scale: true,
            beta_initializer: Initializer::Zeros,
            gamma_initializer: Initializer::Ones,
            beta_regularizer: None,
            gamma_regularizer: None,
        }
    }
}

impl LayerNormalization {
    /// With the defaults of Keras.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what is added to a variance.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Sets whether there is a beta.
    pub fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Sets whether there is a gamma.
    pub fn scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }

    /// Sets how beta starts.
    pub fn beta_initializer(mut self, initializer: Initializer) -> Self {
        self.beta_initializer = initializer;
        self
    }

    /// Sets how gamma starts.
    pub fn gamma_initializer(mut self, initializer: Initializer) -> Self {
        self.gamma_initializer = initializer;
        self
    }

    /// Sets the penalty of beta.
    pub fn beta_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.beta_regularizer = Some(regularizer);
        self
    }

    /// Sets the penalty of gamma.
    pub fn gamma_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.gamma_regularizer = Some(regularizer);
        self
    }

    fn shape(place: &Place<'_>, batch: usize) -> LayerNormShape {
        let columns = place.channels();
        LayerNormShape { rows: batch * (place.output.len() / columns), columns }
    }

    /// gamma or beta, zeros where there is none.
    fn factor(place: &Place<'_>, b: &mut Builder, what: &str, used: bool) -> Tensor {
        if used { b.weight(place, what) } else { b.zeros(place.channels()) }
    }
}

named!(LayerNormalization);

impl LayerKind for LayerNormalization {
    const CLASS: &'static str = "LayerNormalization";
    const STEM: &'static str = "layer_normalization";
    const SETTINGS: &'static [&'static str] = &["epsilon", "center", "scale"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let output = single(inputs)?;
        check_epsilon(self.epsilon)?;
        check("gamma_regularizer", self.gamma_regularizer)?;
        check("beta_regularizer", self.beta_regularizer)?;
        let channels = || output.dims().last().copied().into_iter().collect::<Vec<_>>();
        let gamma = self.scale.then(|| WeightSpec::trainable("gamma", channels(), self.gamma_initializer));
        let beta = self.center.then(|| WeightSpec::trainable("beta", channels(), self.beta_initializer));
        Ok(Inferred { output, weights: gamma.into_iter().chain(beta).collect() })
    }

    fn applied(&self) -> Applied {
        Applied::Linear
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        let of = |what, used: bool, regularizer: Option<Regularizer>| {
            regularizer.filter(|one| used && !one.is_none()).map(|one| (what, one))
        };
        let gamma = of("gamma", self.scale, self.gamma_regularizer);
        gamma.into_iter().chain(of("beta", self.center, self.beta_regularizer)).collect()
    }

    fn keeps_sign(&self) -> bool {
        false
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn of_torch(&self) -> &'static [OfTorch] {
        &[
            OfTorch { ours: "gamma", theirs: "weight", axes: Axes::Same },
            OfTorch { ours: "beta", theirs: "bias", axes: Axes::Same },
        ]
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let shape = Self::shape(place, b.batch);
        b.keep(&x[0]);
        let mean = b.leave(place, "mean", Dtype::F32, &[shape.rows]);
        let inverse = b.leave(place, "inverse_deviation", Dtype::F32, &[shape.rows]);
        let op = LayerNormStatistics { shape, epsilon: self.epsilon as f32 };
        let args = vec![x[0].clone(), mean.clone(), inverse.clone()];
        b.step(Stage::Forward, place.step("statistics"), op, args)?;
        let gamma = Self::factor(place, b, "gamma", self.scale);
        let beta = Self::factor(place, b, "beta", self.center);
        let y = b.output(place);
        let args = vec![x[0].clone(), mean, inverse, gamma, beta, y.clone()];
        b.step(Stage::Forward, place.step("forward"), LayerNormForward { shape, scale: self.scale }, args)?;
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
        let shape = Self::shape(place, b.batch);
        let [mean, inverse] = ["mean", "inverse_deviation"].map(|what| b.left(place, what));
        if let Some(d_gamma) = b.trained(place, "gamma") {
            let op = LayerNormBackwardScale { shape };
            let args = vec![dy.clone(), x[0].clone(), mean.clone(), inverse.clone()];
            b.step_in_parts(Stage::Backward, place.step("backward_gamma"), op, args, d_gamma)?;
        }
        if let Some(d_beta) = b.trained(place, "beta") {
            let op = ColumnSum { rows: shape.rows, columns: shape.columns };
            b.step_in_parts(Stage::Backward, place.step("backward_beta"), op, vec![dy.clone()], d_beta)?;
        }
        if !wants[0] {
            return Ok(vec![None]);
        }
        let gamma = Self::factor(place, b, "gamma", self.scale);
        let [of_gradient, of_product] = ["gradient_mean", "product_mean"]
            .map(|what| b.tensor(&place.weight(what), Role::ActivationGradient, Dtype::F32, &[shape.rows]));
        let before = [x[0].clone(), mean, inverse, gamma];
        let means = [of_gradient, of_product];
        let args = [&before[..], std::slice::from_ref(&dy), &means].concat();
        let op = LayerNormBackwardSums { shape, scale: self.scale };
        b.step(Stage::Backward, place.step("backward_sums"), op, args)?;
        let args = [&before[..], &means, std::slice::from_ref(&dy)].concat();
        let op = LayerNormBackwardInput { shape, scale: self.scale };
        b.step(Stage::Backward, place.step("backward_input"), op, args)?;
        Ok(reshaped(x, dy))
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        graph.turn(Layout::Last, place.name);
        let channels = place.channels();
        let mut weight = |what: &str, otherwise: f32| match graph.weight(place, what) {
            Some(name) => name,
            None => graph.floats(place.weight(what), &vec![otherwise; channels]),
        };
        let weights = vec![weight("gamma", 1.0), weight("beta", 0.0)];
        let attributes = vec![int("axis", -1), float("epsilon", self.epsilon as f32)];
        graph.node(&place.step("layer_normalization"), "LayerNormalization", weights, attributes);
    }
}
