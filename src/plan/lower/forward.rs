//! Lowering of the batch and of the layers in order.

use super::super::op::{DATA, Dtype, Op, image_stride};
use super::super::shapes::MatmulShape;
use super::super::{PlanError, Role, Stage, Step, Tensor};
use super::{Lowering, conv_shape, pool_shape};
use crate::model::{Activation, LayerGeometry, Network, NetworkLayer};

impl Lowering {
    pub(super) fn gather(&mut self, network: &Network) -> (Tensor, Tensor) {
        let [h, w, c] = network.input_shape;
        let (pixels, classes, batch) = (h * w * c, network.classes(), self.batch);
        let images = self.tensor("images", Role::DataSet, Dtype::Bytes, &[DATA, image_stride(pixels)]);
        let labels = self.tensor("labels", Role::DataSet, Dtype::Bytes, &[DATA]);
        let order = self.tensor("order", Role::Order, Dtype::U32, &[DATA]);
        let scale = self.tensor("scale", Role::Table, Dtype::F32, &[256]);
        let x = self.tensor("input", Role::Activation, Dtype::F32, &[batch, h, w, c]);
        let target = self.tensor("target", Role::Activation, Dtype::F32, &[batch, classes]);
        // Written out rather than through `step`: the sizes were checked with the network.
        self.steps.push(Step {
            name: "input/gather".to_owned(),
            stage: Stage::Input,
            op: Op::GatherImages { batch, pixels },
            args: vec![images, order.clone(), scale, x.clone()],
        });
        self.steps.push(Step {
            name: "target/one_hot".to_owned(),
            stage: Stage::Target,
            op: Op::OneHot { batch, classes },
            args: vec![labels, order, target.clone()],
        });
        (x, target)
    }

    /// The layers in order; returns each layer's output.
    pub(super) fn forward(&mut self, network: &Network, input: &Tensor) -> Result<Vec<Tensor>, PlanError> {
        let mut outputs: Vec<Tensor> = Vec::new();
        for layer in &network.layers {
            let x = outputs.last().unwrap_or(input).clone();
            let y = self.forward_layer(layer, x)?;
            outputs.push(y);
        }
        Ok(outputs)
    }

    fn forward_layer(&mut self, layer: &NetworkLayer, x: Tensor) -> Result<Tensor, PlanError> {
        let batch = self.batch;
        let shape = [&[batch], &layer.output.dims()[..]].concat();
        if layer.geometry == LayerGeometry::Flatten {
            return Ok(Tensor { shape, ..x });
        }
        let y = self.tensor(&layer.name, Role::Activation, Dtype::F32, &shape);
        let name = |what: &str| format!("{}/{what}", layer.name);
        match layer.geometry {
            LayerGeometry::Flatten => {}
            LayerGeometry::Conv2D { kernel, strides } => {
                let op = Op::Conv2dForward { conv: conv_shape(layer, batch, kernel, strides), relu: false };
                let [kernel, bias] = self.weights(layer, Role::Parameters);
                self.step(Stage::Forward, name("forward"), op, vec![x, kernel, bias, y.clone()])?;
            }
            LayerGeometry::MaxPooling2D { pool, strides } => {
                let op = Op::MaxpoolForward(pool_shape(layer, batch, pool, strides));
                let winner = self.winner(layer, &shape);
                self.step(Stage::Forward, name("forward"), op, vec![x, y.clone(), winner])?;
            }
            LayerGeometry::Dense => {
                let (k, n) = (layer.input.len(), layer.output.len());
                let [kernel, bias] = self.weights(layer, Role::Parameters);
                let op = Op::Matmul(MatmulShape { m: batch, n, k });
                self.step_in_parts(Stage::Forward, name("matmul"), op, vec![x, kernel], y.clone())?;
                let op = Op::BiasAdd { rows: batch, columns: n };
                self.step(Stage::Forward, name("bias_add"), op, vec![bias, y.clone()])?;
            }
        }
        if layer.activation == Activation::Relu {
            let op = Op::ReluForward { len: y.len() };
            self.step(Stage::Forward, name("relu"), op, vec![y.clone()])?;
        }
        Ok(y)
    }
}
