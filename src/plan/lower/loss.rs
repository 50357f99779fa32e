//! Lowering of the loss.

use super::super::op::{DATA, Dtype, Op};
use super::super::{PlanError, Role, Stage, Tensor};
use super::Lowering;
use crate::model::Loss;

impl Lowering {
    /// Loss and metrics; returns the gradient of the logits and the probabilities.
    pub(super) fn objective(
        &mut self,
        loss: Loss,
        logits: &Tensor,
        target: &Tensor,
    ) -> Result<(Tensor, Tensor), PlanError> {
        let Loss::CategoricalCrossentropy = loss;
        let (rows, columns) = (self.batch, target.shape[1]);
        let shape = [rows, columns];
        let probabilities = self.tensor("probabilities", Role::Activation, Dtype::F32, &shape);
        let dlogits = self.tensor("d_logits", Role::ActivationGradient, Dtype::F32, &shape);
        let row_loss = self.tensor("row_loss", Role::Scratch, Dtype::F32, &[rows]);
        let row_correct = self.tensor("row_correct", Role::Scratch, Dtype::U32, &[rows]);
        let loss = self.tensor("loss", Role::Metrics, Dtype::F32, &[DATA]);
        let correct = self.tensor("correct", Role::Metrics, Dtype::U32, &[DATA]);
        let args = vec![logits.clone(), probabilities.clone()];
        self.step(Stage::Output, "output/softmax".to_owned(), Op::Softmax { rows, columns }, args)?;
        let args =
            vec![logits.clone(), target.clone(), row_loss.clone(), row_correct.clone(), dlogits.clone()];
        let op = Op::SoftmaxCrossEntropy { rows, columns };
        self.step(Stage::Loss, "loss/softmax_cross_entropy".to_owned(), op, args)?;
        let args = vec![row_loss, row_correct, loss, correct];
        self.step(Stage::Loss, "loss/batch_metrics".to_owned(), Op::BatchMetrics { rows }, args)?;
        Ok((dlogits, probabilities))
    }
}
