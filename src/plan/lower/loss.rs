//! Lowering of the loss.

use super::super::{PlanError, Role, Stage, Tensor};
use crate::layers::Applied;
use crate::layers::kit::Builder;
use crate::model::Loss;
use crate::ops::{
    ActivationForward, BatchMetrics, BinaryCrossEntropy, Copy, CrossEntropy, Function, Huber,
    MeanAbsoluteError, MeanSquaredError, SigmoidCrossEntropy, Softmax, SoftmaxCrossEntropy, WeighRows,
};
use crate::ops::{DATA, Dtype, Op};

/// What a loss is computed from.
pub(super) struct Given<'a> {
    /// Of the last layer, or, where the loss is fused with its activation, what goes into that.
    pub(super) outputs: &'a Tensor,
    pub(super) target: &'a Tensor,
    /// The weights of all samples, and the order in which samples are taken.
    pub(super) weights: Option<[Tensor; 2]>,
}

/// Whether the loss is computed from what goes into the last activation, fused with it.
pub(super) fn takes_logits(loss: Loss, last: Applied) -> bool {
    match loss {
        Loss::CategoricalCrossentropy(_) => last == Applied::Softmax,
        Loss::BinaryCrossentropy(_) => matches!(last, Applied::Each(Function::Sigmoid(_))),
        Loss::MeanSquaredError | Loss::MeanAbsoluteError | Loss::Huber(_) => false,
    }
}

/// Cross-entropy of the last activation of logits, and the metrics; returns the gradient of the logits and the probabilities,
/// which that activation gives.
pub(super) fn of_logits(
    b: &mut Builder,
    last: Applied,
    given: &Given<'_>,
) -> Result<(Tensor, Tensor), PlanError> {
    let (logits, rows, columns) = (given.outputs, b.batch, given.target.shape[1]);
    let shape = [rows, columns];
    let probabilities = b.tensor("probabilities", Role::Activation, Dtype::F32, &shape);
    let args = vec![logits.clone(), probabilities.clone()];
    let op: Op = if let Applied::Each(function) = last {
        let len = probabilities.len();
        b.step(Stage::Output, "output/copy".to_owned(), Copy { len }, args)?;
        let (name, op) = (format!("output/{}", function.name()), ActivationForward { len, function });
        b.step(Stage::Output, name, op, vec![probabilities.clone()])?;
        SigmoidCrossEntropy { rows, columns }.into()
    } else {
        b.step(Stage::Output, "output/softmax".to_owned(), Softmax { rows, columns }, args)?;
        SoftmaxCrossEntropy { rows, columns }.into()
    };
    let dlogits = loss_step(b, op, "d_logits", given)?;
    Ok((dlogits, probabilities))
}

/// A loss of the last layer's outputs, and the metrics; returns the gradient of the outputs.
pub(super) fn of_outputs(b: &mut Builder, loss: Loss, given: &Given<'_>) -> Result<Tensor, PlanError> {
    let (rows, columns) = (b.batch, given.target.shape[1]);
    let op: Op = match loss {
        Loss::CategoricalCrossentropy(_) => CrossEntropy { rows, columns }.into(),
        Loss::BinaryCrossentropy(_) => BinaryCrossEntropy { rows, columns }.into(),
        Loss::MeanSquaredError => MeanSquaredError { rows, columns }.into(),
        Loss::MeanAbsoluteError => MeanAbsoluteError { rows, columns }.into(),
        Loss::Huber(settings) => Huber { rows, columns, delta: settings.delta as f32 }.into(),
    };
    loss_step(b, op, "d_outputs", given)
}

/// The loss and hit of each row, from which the metrics are made; returns the gradient, a tensor of this name.
fn loss_step(b: &mut Builder, op: Op, gradient: &str, given: &Given<'_>) -> Result<Tensor, PlanError> {
    let Given { outputs, target, ref weights } = *given;
    let (rows, columns) = (b.batch, target.shape[1]);
    let gradient = b.tensor(gradient, Role::ActivationGradient, Dtype::F32, &target.shape);
    let row_loss = b.tensor("row_loss", Role::Scratch, Dtype::F32, &[rows]);
    let row_correct = b.tensor("row_correct", Role::Scratch, Dtype::U32, &[rows]);
    let loss = b.tensor("loss", Role::Metrics, Dtype::F32, &[DATA]);
    let correct = b.tensor("correct", Role::Metrics, Dtype::U32, &[DATA]);
    let args = vec![outputs.clone(), target.clone(), row_loss.clone(), row_correct.clone(), gradient.clone()];
    b.step(Stage::Loss, format!("loss/{}", op.kind()), op, args)?;
    if let Some([weights, order]) = weights {
        let args = vec![weights.clone(), order.clone(), row_loss.clone(), gradient.clone()];
        b.step(Stage::Loss, "loss/weigh_rows".to_owned(), WeighRows { rows, columns }, args)?;
    }
    let args = vec![row_loss, row_correct, loss, correct];
    b.step(Stage::Loss, "loss/batch_metrics".to_owned(), BatchMetrics { rows }, args)?;
    Ok(gradient)
}
