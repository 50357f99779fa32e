use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::numbers::shown;
use crate::ops::{
    BatchNormBackwardInput, BatchNormBackwardScale, BatchNormForward, BatchNormSquares, BatchNormStatistics,
    BatchNormSums, BatchNormUpdate, ColumnSum, Dtype, NormShape,
};
use crate::optimizers::Regularizer;

/// Normalizes each channel by its mean and variance: `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`.
///
/// In training they are those of the batch, over its samples and their positions, and the moving ones follow:
/// `moving <- moving * momentum + batch * (1 - momentum)`; else they are the moving ones. The variance is the biased one, `1/n`. A layer that is
/// not trainable takes the moving ones in training too, and leaves them.
///
/// gamma, beta, moving_mean and moving_variance are all `[channels]`.
/// Source: `keras/src/layers/normalization/batch_normalization.py`; Ioffe and Szegedy 2015.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormalization {
    /// Name in weight files and messages; by default `batch_normalization`, `batch_normalization_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Share of the moving statistics that is kept at each batch, from 0 to 1; default 0.99.
    #[serde(default = "momentum")]
    pub momentum: f64,
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
    /// How the moving mean starts; default `zeros`.
    #[serde(default = "Initializer::zeros", skip_serializing_if = "Initializer::is_zeros")]
    pub moving_mean_initializer: Initializer,
    /// How the moving variance starts; default `ones`.
    #[serde(default = "Initializer::ones", skip_serializing_if = "Initializer::is_ones")]
    pub moving_variance_initializer: Initializer,
    /// Penalty on beta, which is added to the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta_regularizer: Option<Regularizer>,
    /// Penalty on gamma, which is added to the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gamma_regularizer: Option<Regularizer>,
}

fn momentum() -> f64 {
    0.99
}

fn epsilon() -> f64 {
    1e-3
}

impl Default for BatchNormalization {
    fn default() -> Self {
        BatchNormalization {
            name: None,
            momentum: momentum(),
            epsilon: epsilon(),
            center: true,
            scale: true,
            beta_initializer: Initializer::Zeros,
            gamma_initializer: Initializer::Ones,
            moving_mean_initializer: Initializer::Zeros,
            moving_variance_initializer: Initializer::Ones,
            beta_regularizer: None,
            gamma_regularizer: None,
        }
    }
}

impl BatchNormalization {
    /// With the defaults of Keras.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what is kept of the moving statistics at each batch.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
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

    /// Sets how the moving mean starts.
    pub fn moving_mean_initializer(mut self, initializer: Initializer) -> Self {
        self.moving_mean_initializer = initializer;
        self
    }

    /// Sets how the moving variance starts.
    pub fn moving_variance_initializer(mut self, initializer: Initializer) -> Self {
        self.moving_variance_initializer = initializer;
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

    fn shape(place: &Place<'_>, batch: usize) -> NormShape {
        let columns = place.channels();
        NormShape { samples: batch, positions: place.output.len() / columns, columns }
    }

    /// Adds the sums over the batch; returns those of values and of squares.
    fn sums(place: &Place<'_>, b: &mut Builder, x: &Tensor) -> Result<[Tensor; 2], PlanError> {
        let shape = Self::shape(place, b.batch);
        let sum = b.leave_statistics(place, "sum", shape.columns);
        let op = BatchNormSums { shape };
        b.step_in_parts(Stage::Forward, place.step("sums"), op, vec![x.clone()], sum.clone())?;
        let square_sum = b.leave_statistics(place, "square_sum", shape.columns);
        let op = BatchNormSquares { shape };
        let args = vec![x.clone(), sum.clone()];
        b.step_in_parts(Stage::Forward, place.step("squares"), op, args, square_sum.clone())?;
        Ok([sum, square_sum])
    }

    /// gamma or beta, zeros where there is none.
    fn factor(place: &Place<'_>, b: &mut Builder, what: &str, used: bool) -> Tensor {
        if used { b.weight(place, what) } else { b.zeros(place.channels()) }
    }

    /// Where the gradient of gamma or beta goes, which that of x needs as well.
    fn gradient(place: &Place<'_>, b: &mut Builder, what: &str) -> Tensor {
        let name = format!("d_{}.{what}", place.name);
        b.trained(place, what)
            .unwrap_or_else(|| b.tensor(&name, Role::ActivationGradient, Dtype::F32, &[place.channels()]))
    }
}

named!(BatchNormalization);

impl LayerKind for BatchNormalization {
    const CLASS: &'static str = "BatchNormalization";
    const STEM: &'static str = "batch_normalization";
    const SETTINGS: &'static [&'static str] = &["momentum", "epsilon", "center", "scale"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let output = single(inputs)?;
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(format!("momentum is {}, but must be from 0 to 1", shown(self.momentum)));
        }
        check_epsilon(self.epsilon)?;
        let channels = || output.dims().last().copied().into_iter().collect::<Vec<_>>();
        check("gamma_regularizer", self.gamma_regularizer)?;
        check("beta_regularizer", self.beta_regularizer)?;
        let gamma = self.scale.then(|| WeightSpec::trainable("gamma", channels(), self.gamma_initializer));
        let beta = self.center.then(|| WeightSpec::trainable("beta", channels(), self.beta_initializer));
        let moving = [
            WeightSpec::fixed("moving_mean", channels(), self.moving_mean_initializer),
            WeightSpec::fixed("moving_variance", channels(), self.moving_variance_initializer),
        ];
        Ok(Inferred { output, weights: gamma.into_iter().chain(beta).chain(moving).collect() })
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
            OfTorch { ours: "moving_mean", theirs: "running_mean", axes: Axes::Same },
            OfTorch { ours: "moving_variance", theirs: "running_var", axes: Axes::Same },
        ]
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let shape = Self::shape(place, b.batch);
        b.keep(&x[0]);
        let [sum, square_sum] = match place.trainable {
            true => Self::sums(place, b, &x[0])?,
            false => [b.zeros(shape.columns), b.zeros(shape.columns)],
        };
        let moving = ["moving_mean", "moving_variance"].map(|what| b.weight(place, what));
        let mean = b.leave_statistics(place, "mean", shape.columns);
        let inverse = b.leave_statistics(place, "inverse_deviation", shape.columns);
        let op = BatchNormStatistics { shape, trained: place.trainable, epsilon: self.epsilon as f32 };
        let [moving_mean, moving_variance] = moving.clone();
        let args = vec![
            sum.clone(),
            square_sum.clone(),
            moving_mean,
            moving_variance,
            mean.clone(),
            inverse.clone(),
        ];
        b.step(Stage::Forward, place.step("statistics"), op, args)?;
        let gamma = Self::factor(place, b, "gamma", self.scale);
        let beta = Self::factor(place, b, "beta", self.center);
        let y = b.output(place);
        let args = vec![x[0].clone(), mean, inverse, gamma, beta, y.clone()];
        b.step(Stage::Forward, place.step("forward"), BatchNormForward { shape, scale: self.scale }, args)?;
        if place.trainable {
            let op = BatchNormUpdate { shape, momentum: self.momentum as f32 };
            b.after_loss(place.step("moving"), op, vec![sum, square_sum], moving.to_vec());
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
        let shape = Self::shape(place, b.batch);
        let [mean, inverse] = ["mean", "inverse_deviation"].map(|what| b.left(place, what));
        let gamma = Self::factor(place, b, "gamma", self.scale);
        let [d_beta, d_gamma] = match place.trainable {
            true => ["beta", "gamma"].map(|what| Self::gradient(place, b, what)),
            false => [b.zeros(shape.columns), b.zeros(shape.columns)],
        };
        if place.trainable {
            let op = BatchNormBackwardScale { shape };
            let args = vec![dy.clone(), x[0].clone(), mean.clone(), inverse.clone()];
            b.step_in_parts(Stage::Backward, place.step("backward_gamma"), op, args, d_gamma.clone())?;
            let op = ColumnSum { rows: shape.rows(), columns: shape.columns };
            let args = vec![dy.clone()];
            b.step_in_parts(Stage::Backward, place.step("backward_beta"), op, args, d_beta.clone())?;
        }
        if !wants[0] {
            return Ok(vec![None]);
        }
        let op = BatchNormBackwardInput { shape, trained: place.trainable, scale: self.scale };
        let args = vec![x[0].clone(), mean, inverse, gamma, d_beta, d_gamma, dy.clone()];
        b.step(Stage::Backward, place.step("backward_input"), op, args)?;
        Ok(reshaped(x, dy))
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        if matches!(place.output, Shape::Image(_)) {
            graph.turn(Layout::First, place.name);
        }
        let channels = place.channels();
        let mut weight = |what: &str, otherwise: f32| match graph.weight(place, what) {
            Some(name) => name,
            None => graph.floats(place.weight(what), &vec![otherwise; channels]),
        };
        let weights = vec![
            weight("gamma", 1.0),
            weight("beta", 0.0),
            weight("moving_mean", 0.0),
            weight("moving_variance", 1.0),
        ];
        let attributes = vec![float("epsilon", self.epsilon as f32)];
        graph.node(&place.step("batch_normalization"), "BatchNormalization", weights, attributes);
    }
}
