//! Lowering of the gradient of scores by what a layer gives, or by the input.

use super::gather::{self, Batch};
use super::{Layers, MAX_BATCH, backward, finish, forward, leading_to};
use crate::data::{DataForm, TargetKind};
use crate::layers::Applied;
use crate::layers::kit::Builder;
use crate::model::{Loss, Network};
use crate::ops::{Dtype, Function};
use crate::plan::{Plan, PlanError, Role, Stage, Tensor};

/// By what a score is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The model's input, as the first layer gets it.
    Input,
    /// The output of the layer with this number, its activation applied.
    Layer(usize),
}

/// A plan that gives gradients of scores in [`Phase::Predict`](crate::plan::Phase::Predict): write d_scores, run a row, read the rest.
///
/// A score is what goes into the last activation of the model where that is softmax or sigmoid and its targets are classes or labels, else
/// an output. Layers are as in prediction: nothing is dropped, and batch normalization takes its moving statistics as constants,
/// `dx = dy * gamma / sqrt(moving_variance + epsilon)`. No weight is trained here, so no gradient of a weight is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// The steps.
    pub plan: Plan,
    /// The gradient by the scores, `[batch, outputs]`, from which all goes back: 1 at the score that is asked for, else 0. Steps may
    /// overwrite it.
    pub d_scores: Tensor,
    /// What the scores are derived by, `[batch, ...]`.
    pub values: Tensor,
    /// The derivatives, `[batch, ...]`.
    pub gradient: Tensor,
}

impl Attribution {
    /// Lowers a network for batches of at most `batch` samples of this form.
    ///
    /// # Errors
    /// A batch size out of range, a tensor too large or a sum too long for the kernels.
    pub fn build(network: &Network, goal: Goal, batch: usize, form: DataForm) -> Result<Self, PlanError> {
        if batch == 0 || batch > MAX_BATCH {
            return Err(PlanError::BatchSize { asked: batch, limit: MAX_BATCH });
        }
        let network = &frozen(network);
        let mut b = Builder::new(network.weights(), batch);
        let Batch { input, target, .. } = gather::gather(&mut b, network, Loss::default(), form)?;
        // Nobody reads targets here.
        b.steps.retain(|step| step.stage != Stage::Target);
        let layers = forward(&mut b, network, &input, has_logits(network), goal.layer())?;
        let scores = layers.last();
        let d_scores = b.tensor("d_scores", Role::ActivationGradient, Dtype::F32, &scores.shape);
        let (values, gradient) = derive(&mut b, &layers, goal, d_scores.clone())?;
        // In this plan it is gradients that prediction is for.
        let back = b.steps.iter_mut().filter(|step| step.stage == Stage::Backward);
        back.for_each(|step| step.stage = Stage::Output);
        let plan = finish(b, network, [input, target, scores.clone(), scores], None);
        Ok(Attribution { plan: Plan { form, ..plan }, d_scores, values, gradient })
    }
}

impl Goal {
    fn layer(self) -> Option<usize> {
        match self {
            Goal::Input => None,
            Goal::Layer(index) => Some(index),
        }
    }
}

/// The same network with nothing to train: its layers are lowered as in prediction.
fn frozen(network: &Network) -> Network {
    let mut frozen = network.clone();
    for layer in &mut frozen.layers {
        layer.trainable = false;
        layer.weights.iter_mut().for_each(|weight| weight.trainable = false);
    }
    frozen
}

/// Whether scores are what goes into the last activation.
fn has_logits(network: &Network) -> bool {
    network.target != TargetKind::Values
        && matches!(network.last_activation(), Applied::Softmax | Applied::Each(Function::Sigmoid(_)))
}

/// The way back to the goal: what is there, and the gradient by it.
fn derive(
    b: &mut Builder,
    layers: &Layers<'_>,
    goal: Goal,
    d_scores: Tensor,
) -> Result<(Tensor, Tensor), PlanError> {
    let layer = goal.layer();
    let mut reached = leading_to(layers.network, |other| match layer {
        Some(index) => other.index == index,
        None => other.sources.contains(&None),
    });
    let slot = layer.unwrap_or(reached.len());
    reached.push(layer.is_none());
    let first = layer.map_or(0, |index| index + 1);
    let values = layers.given(layer);
    let mut gradients = backward(b, layers, d_scores, &reached, first)?;
    // Where no layer hands it on, it is 0: a tensor that nothing writes.
    let gradient = gradients.get_mut(slot).and_then(Option::take);
    let none = |b: &mut Builder| b.tensor("no_gradient", Role::ActivationGradient, Dtype::F32, &values.shape);
    let gradient = gradient.unwrap_or_else(|| none(b));
    Ok((values, gradient))
}
