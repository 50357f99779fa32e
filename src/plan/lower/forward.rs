//! Lowering of the batch and of the layers in order.

use super::super::{PlanError, Role, Stage, Step, Tensor};
use super::{Lowering, conv_shape, pool_shape};
use crate::model::{Activation, LayerGeometry, Network, NetworkLayer};
use crate::ops::{
    ActivationForward, BiasAdd, By, Conv2dForward, Copy, DropoutForward, Function, GatherImages, Matmul,
    MaxpoolForward, OneHot, Softmax,
};
use crate::ops::{DATA, Dtype, Op, image_stride};
use crate::ops::{DropoutShape, MatmulShape};

impl Lowering {
    pub(super) fn gather(&mut self, network: &Network) -> (Tensor, Tensor) {
        let [h, w, c] = network.input_shape;
        let (pixels, classes, batch) = (h * w * c, network.classes(), self.batch);
        let images = self.tensor("images", Role::Images, Dtype::Bytes, &[DATA, image_stride(pixels)]);
        let labels = self.tensor("labels", Role::Labels, Dtype::Bytes, &[DATA]);
        let order = self.tensor("order", Role::Order, Dtype::U32, &[DATA]);
        let scale = self.tensor("scale", Role::Table, Dtype::F32, &[256]);
        let x = self.tensor("input", Role::Activation, Dtype::F32, &[batch, h, w, c]);
        let target = self.tensor("target", Role::Activation, Dtype::F32, &[batch, classes]);
        // Written out rather than through `step`: the sizes were checked with the network.
        self.steps.push(Step {
            name: "input/gather".to_owned(),
            stage: Stage::Input,
            op: Op::GatherImages(GatherImages { batch, pixels }),
            args: vec![images, order.clone(), scale, x.clone()],
        });
        self.steps.push(Step {
            name: "target/one_hot".to_owned(),
            stage: Stage::Target,
            op: Op::OneHot(OneHot { batch, classes }),
            args: vec![labels, order, target.clone()],
        });
        (x, target)
    }

    /// The layers in order; returns each layer's output. With `from_logits`, that of the last one is what its activation
    /// is not yet applied to.
    pub(super) fn forward(
        &mut self,
        network: &Network,
        input: &Tensor,
        from_logits: bool,
    ) -> Result<Vec<Tensor>, PlanError> {
        self.read_back.push(input.buffer);
        let mut outputs: Vec<Tensor> = Vec::new();
        for (index, layer) in network.layers.iter().enumerate() {
            let x = outputs.last().unwrap_or(input).clone();
            let mut y = self.forward_layer(index, layer, x)?;
            if !from_logits || index + 1 < network.layers.len() {
                y = self.activate(layer, y)?;
            }
            outputs.push(y);
        }
        Ok(outputs)
    }

    fn forward_layer(&mut self, index: usize, layer: &NetworkLayer, x: Tensor) -> Result<Tensor, PlanError> {
        let batch = self.batch;
        let shape = [&[batch], &layer.output.dims()[..]].concat();
        if matches!(layer.geometry, LayerGeometry::Flatten | LayerGeometry::Activation) {
            return Ok(Tensor { shape, ..x });
        }
        let y = self.tensor(&layer.name, Role::Activation, Dtype::F32, &shape);
        let name = |what: &str| format!("{}/{what}", layer.name);
        match layer.geometry {
            LayerGeometry::Flatten | LayerGeometry::Activation => {}
            LayerGeometry::Conv2D { kernel, strides } => {
                let op = Op::Conv2dForward(Conv2dForward {
                    conv: conv_shape(layer, batch, kernel, strides),
                    relu: false,
                });
                let [kernel, bias] = self.weights(layer, Role::Parameters);
                self.step(Stage::Forward, name("forward"), op, vec![x, kernel, bias, y.clone()])?;
            }
            LayerGeometry::MaxPooling2D { pool, strides } => {
                let pool = pool_shape(layer, batch, pool, strides);
                let winner = self.winner(layer, &pool.winner());
                let op = Op::MaxpoolForward(MaxpoolForward(pool));
                self.step(Stage::Forward, name("forward"), op, vec![x, y.clone(), winner])?;
            }
            LayerGeometry::Dense => {
                let (k, n) = (layer.input.len(), layer.output.len());
                let [kernel, bias] = self.weights(layer, Role::Parameters);
                let op = Op::Matmul(Matmul(MatmulShape { m: batch, n, k }));
                self.step_in_parts(Stage::Forward, name("matmul"), op, vec![x, kernel], y.clone())?;
                let op = Op::BiasAdd(BiasAdd { rows: batch, columns: n });
                self.step(Stage::Forward, name("bias_add"), op, vec![bias, y.clone()])?;
            }
            LayerGeometry::Dropout { rate } => {
                let op = Op::DropoutForward(DropoutForward(DropoutShape::new(y.len(), index, rate)));
                self.step(Stage::Forward, name("forward"), op, vec![x, y.clone()])?;
            }
        }
        Ok(y)
    }

    /// A layer's activation: in place where nothing reads what it replaces.
    fn activate(&mut self, layer: &NetworkLayer, x: Tensor) -> Result<Tensor, PlanError> {
        let Some(function) = layer.function() else {
            return match layer.activation {
                Activation::Softmax => self.softmax(layer, x),
                _ => Ok(x),
            };
        };
        if function.by() == By::Input {
            self.read_back.push(x.buffer);
            self.activated.insert(layer.name.clone(), x.clone());
        }
        let y = self.changeable(layer, function, x)?;
        let op = ActivationForward { len: y.len(), function };
        let name = format!("{}/{}", layer.name, function.name());
        self.step(Stage::Forward, name, op.into(), vec![y.clone()])?;
        self.read_back.push(y.buffer);
        Ok(y)
    }

    fn softmax(&mut self, layer: &NetworkLayer, x: Tensor) -> Result<Tensor, PlanError> {
        let columns = x.shape.last().copied().unwrap_or(1);
        let op = Op::Softmax(Softmax { rows: x.len() / columns, columns });
        let buffer = format!("{}.softmax", layer.name);
        let y = self.tensor(&buffer, Role::Activation, Dtype::F32, &x.shape);
        self.step(Stage::Forward, format!("{}/softmax", layer.name), op, vec![x, y.clone()])?;
        self.read_back.push(y.buffer);
        Ok(y)
    }

    /// The tensor itself, or a copy of it where the backward pass reads its values.
    fn changeable(
        &mut self,
        layer: &NetworkLayer,
        function: Function,
        x: Tensor,
    ) -> Result<Tensor, PlanError> {
        if !self.read_back.contains(&x.buffer) {
            return Ok(x);
        }
        let taken = self.buffers.iter().any(|buffer| buffer.name == layer.name);
        let name = if taken { format!("{}.{}", layer.name, function.name()) } else { layer.name.clone() };
        let y = self.tensor(&name, Role::Activation, Dtype::F32, &x.shape);
        let op = Op::Copy(Copy { len: x.len() });
        self.step(Stage::Forward, format!("{}/copy", layer.name), op, vec![x, y.clone()])?;
        Ok(y)
    }
}
