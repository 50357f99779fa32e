//! Lowering of the layers reversed.

use super::super::{PlanError, Role, Stage, Tensor};
use super::{Lowering, conv_shape, pool_shape};
use crate::model::{Activation, LayerGeometry, Network, NetworkLayer};
use crate::ops::{
    ActivationBackward, By, ColumnSum, Conv2dBackwardInput, Conv2dBackwardKernel, DropoutBackward, MatmulABt,
    MatmulAtB, MaxpoolBackward, SoftmaxBackward,
};
use crate::ops::{DropoutShape, MatmulShape};
use crate::ops::{Dtype, Op};

impl Lowering {
    /// The layers reversed. Nothing is computed for the input of the first layer that has weights, nor before it.
    pub(super) fn backward(
        &mut self,
        network: &Network,
        input: &Tensor,
        outputs: &[Tensor],
        d_output: Tensor,
        from_logits: bool,
    ) -> Result<(), PlanError> {
        let first_with_weights = network.layers.iter().position(|layer| !layer.weights.is_empty());
        let mut dy = d_output;
        for (index, layer) in network.layers.iter().enumerate().rev() {
            if Some(index) < first_with_weights {
                break;
            }
            let x = if index == 0 { input } else { &outputs[index - 1] };
            let wants_dx = Some(index) > first_with_weights;
            if !from_logits || index + 1 < network.layers.len() {
                self.activation_backward(layer, &outputs[index], &dy)?;
            }
            dy = self.backward_layer(index, layer, x, dy, wants_dx)?;
        }
        Ok(())
    }

    /// The gradient of a layer's activation, in place of that of its output y.
    fn activation_backward(
        &mut self,
        layer: &NetworkLayer,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(), PlanError> {
        let len = dy.len();
        let (what, op, at) = match (layer.function(), layer.activation) {
            (Some(function), _) => {
                let at = match function.by() {
                    By::Output => y,
                    By::Input => &self.activated[&layer.name],
                };
                (function.backward_name(), Op::from(ActivationBackward { len, function }), at.clone())
            }
            (None, Activation::Softmax) => {
                let columns = y.shape.last().copied().unwrap_or(1);
                ("softmax_backward", SoftmaxBackward { rows: len / columns, columns }.into(), y.clone())
            }
            (None, _) => return Ok(()),
        };
        let name = format!("{}/{what}", layer.name);
        self.step(Stage::Backward, name, op, vec![at, dy.clone()])
    }

    fn backward_layer(
        &mut self,
        index: usize,
        layer: &NetworkLayer,
        x: &Tensor,
        dy: Tensor,
        wants_dx: bool,
    ) -> Result<Tensor, PlanError> {
        let batch = self.batch;
        let name = |what: &str| format!("{}/{what}", layer.name);
        if let LayerGeometry::Dropout { rate } = layer.geometry {
            let op = Op::DropoutBackward(DropoutBackward(DropoutShape::new(dy.len(), index, rate)));
            self.step(Stage::Backward, name("backward"), op, vec![dy.clone()])?;
        }
        if matches!(
            layer.geometry,
            LayerGeometry::Flatten | LayerGeometry::Activation | LayerGeometry::Dropout { .. }
        ) {
            return Ok(Tensor { shape: x.shape.clone(), ..dy });
        }
        if !layer.weights.is_empty() {
            self.backward_weights(layer, x, &dy)?;
        }
        if !wants_dx {
            return Ok(dy);
        }
        let d_name = format!("d_{}.input", layer.name);
        let dx = self.tensor(&d_name, Role::ActivationGradient, Dtype::F32, &x.shape);
        match layer.geometry {
            LayerGeometry::Flatten | LayerGeometry::Activation | LayerGeometry::Dropout { .. } => {}
            LayerGeometry::Conv2D { kernel, strides } => {
                let op =
                    Op::Conv2dBackwardInput(Conv2dBackwardInput(conv_shape(layer, batch, kernel, strides)));
                let [kernel, _] = self.weights(layer, Role::Parameters);
                self.step(Stage::Backward, name("backward_input"), op, vec![dy, kernel, dx.clone()])?;
            }
            LayerGeometry::MaxPooling2D { pool, strides } => {
                let pool = pool_shape(layer, batch, pool, strides);
                let winner = self.winner(layer, &pool.winner());
                let op = Op::MaxpoolBackward(MaxpoolBackward(pool));
                self.step(Stage::Backward, name("backward"), op, vec![dy, winner, dx.clone()])?;
            }
            LayerGeometry::Dense => {
                let (k, n) = (layer.output.len(), layer.input.len());
                let op = Op::MatmulABt(MatmulABt(MatmulShape { m: batch, n, k }));
                let [kernel, _] = self.weights(layer, Role::Parameters);
                let name = name("backward_input");
                self.step_in_parts(Stage::Backward, name, op, vec![dy, kernel], dx.clone())?;
            }
        }
        Ok(dx)
    }

    /// Gradients of a layer's kernel and bias.
    fn backward_weights(&mut self, layer: &NetworkLayer, x: &Tensor, dy: &Tensor) -> Result<(), PlanError> {
        let [d_kernel, d_bias] = self.weights(layer, Role::Gradients);
        let columns = d_bias.len();
        let rows = dy.len() / columns;
        let name = |what: &str| format!("{}/{what}", layer.name);
        let op = Op::ColumnSum(ColumnSum { rows, columns });
        self.step_in_parts(Stage::Backward, name("backward_bias"), op, vec![dy.clone()], d_bias)?;
        let op = match layer.geometry {
            LayerGeometry::Conv2D { kernel, strides } => {
                Op::Conv2dBackwardKernel(Conv2dBackwardKernel(conv_shape(layer, self.batch, kernel, strides)))
            }
            _ => {
                let product = MatmulShape { m: layer.input.len(), n: columns, k: self.batch };
                Op::MatmulAtB(MatmulAtB { product, bias: false })
            }
        };
        let args = vec![x.clone(), dy.clone()];
        self.step_in_parts(Stage::Backward, name("backward_kernel"), op, args, d_kernel)
    }
}
