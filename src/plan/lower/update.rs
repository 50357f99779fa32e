//! Lowering of the optimizer.

use super::super::op::{Dtype, Hole, Op};
use super::super::{PlanError, Role, Stage, Tensor};
use super::Lowering;
use crate::model::Optimizer;

impl Lowering {
    pub(super) fn update(&mut self, optimizer: Optimizer) -> Result<Tensor, PlanError> {
        let len = self.buffers[0].len;
        let arena = |buffer| Tensor { buffer, offset: 0, shape: vec![len] };
        let Optimizer::RmsProp(rmsprop) = optimizer;
        let shape = [rmsprop.slots(), len];
        let state = self.tensor("optimizer_state", Role::OptimizerState, Dtype::F32, &shape);
        let args = vec![arena(1), state.clone(), arena(0)];
        let op = Op::RmspropUpdate { len, rmsprop, hole: Hole::default() };
        self.step(Stage::Update, "update/rmsprop".to_owned(), op, args)?;
        Ok(state)
    }
}
