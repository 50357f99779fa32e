//! Lowering: from a network to a plan.

mod backward;
mod forward;
mod loss;
mod update;

use std::collections::HashMap;

use super::{Buffer, Plan, PlanError, Role, Stage, Step, Tensor};
use crate::model::{Activation, Loss, Network, NetworkLayer, Optimizer, Pair, Shape};
use crate::ops::SumPartials;
use crate::ops::{ConvShape, MAX_ITERATIONS, PoolShape};
use crate::ops::{Dtype, Op};

/// Most samples in one batch.
pub const MAX_BATCH: usize = 65_536;
/// Every tensor begins at a multiple of so many elements, the most that a kernel loads at once.
pub(super) const ALIGNMENT: usize = 8;
/// Name of the buffer that holds the parts of sums.
pub(super) const PARTIALS: &str = "partials";
/// Most elements of one tensor: byte offsets stay within 32 bits.
const MAX_ELEMENTS: usize = 1 << 30;

impl Plan {
    /// Lowers a network, its loss and its optimizer for batches of at most `batch` samples.
    ///
    /// # Errors
    /// A batch size out of range, a tensor too large or a sum too long for the kernels.
    pub fn build(
        network: &Network,
        loss: Loss,
        optimizer: Optimizer,
        batch: usize,
    ) -> Result<Plan, PlanError> {
        if batch == 0 || batch > MAX_BATCH {
            return Err(PlanError::BatchSize { asked: batch, limit: MAX_BATCH });
        }
        let mut lowering = Lowering::new(network, batch);
        let (input, target) = lowering.gather(network);
        let from_logits =
            loss == Loss::CategoricalCrossentropy && network.last_activation() == Activation::Softmax;
        let activations = lowering.forward(network, &input, from_logits)?;
        let logits = activations.last().unwrap_or(&input).clone();
        let (dlogits, probabilities) = if from_logits {
            lowering.loss_from_logits(&logits, &target)?
        } else {
            (lowering.loss_of_outputs(loss, &logits, &target)?, logits.clone())
        };
        lowering.penalties(network)?;
        lowering.backward(network, &input, &activations, dlogits, from_logits)?;
        lowering.penalty_gradients(network)?;
        let state = lowering.update(network, optimizer)?;
        Ok(lowering.finish(network, [input, target, logits, probabilities], state))
    }
}

struct Lowering {
    batch: usize,
    buffers: Vec<Buffer>,
    steps: Vec<Step>,
    scratch: usize,
    /// Buffers whose values a backward step reads as they are: nothing may be computed in place there.
    read_back: Vec<usize>,
    /// What went into a layer's activation, where its gradient is computed from that.
    activated: HashMap<String, Tensor>,
    parameters: HashMap<String, Tensor>,
    gradients: HashMap<String, Tensor>,
}

impl Lowering {
    fn new(network: &Network, batch: usize) -> Self {
        let mut lowering = Lowering {
            batch,
            buffers: Vec::new(),
            steps: Vec::new(),
            scratch: 0,
            read_back: Vec::new(),
            activated: HashMap::new(),
            parameters: HashMap::new(),
            gradients: HashMap::new(),
        };
        // The update runs over the gaps between tensors too, where all is zero.
        let mut offset = 0;
        for weight in network.weights() {
            let place = |buffer| Tensor { buffer, offset, shape: weight.shape.clone() };
            lowering.parameters.insert(weight.name.clone(), place(0));
            lowering.gradients.insert(weight.name.clone(), place(1));
            offset += weight.len().next_multiple_of(ALIGNMENT);
        }
        lowering.buffer("parameters", Role::Parameters, Dtype::F32, offset);
        lowering.buffer("gradients", Role::Gradients, Dtype::F32, offset);
        lowering.scratch = lowering.buffer(PARTIALS, Role::Scratch, Dtype::F32, ALIGNMENT);
        lowering
    }

    fn buffer(&mut self, name: &str, role: Role, dtype: Dtype, len: usize) -> usize {
        self.buffers.push(Buffer { name: name.to_owned(), role, dtype, len });
        self.buffers.len() - 1
    }

    /// A tensor with a buffer of its own.
    fn tensor(&mut self, name: &str, role: Role, dtype: Dtype, shape: &[usize]) -> Tensor {
        let len = shape.iter().product::<usize>();
        Tensor {
            buffer: self.buffer(name, role, dtype, len.next_multiple_of(ALIGNMENT)),
            offset: 0,
            shape: shape.to_vec(),
        }
    }

    fn step(&mut self, stage: Stage, name: String, op: Op, args: Vec<Tensor>) -> Result<(), PlanError> {
        for arg in op.args() {
            let len = arg.shape.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim));
            if len.is_none_or(|len| len > MAX_ELEMENTS) {
                return Err(PlanError::TensorTooLarge {
                    step: name,
                    tensor: arg.name,
                    shape: arg.shape,
                    limit: MAX_ELEMENTS,
                    samples: self.batch,
                });
            }
        }
        if op.longest_loop() > MAX_ITERATIONS {
            return Err(PlanError::LoopTooLong {
                step: name,
                iterations: op.longest_loop(),
                limit: MAX_ITERATIONS,
            });
        }
        self.steps.push(Step { name, stage, op, args });
        Ok(())
    }

    /// A step whose last argument is a sum in parts; the parts are added by a step of their own where there are several.
    fn step_in_parts(
        &mut self,
        stage: Stage,
        name: String,
        op: Op,
        mut args: Vec<Tensor>,
        sum: Tensor,
    ) -> Result<(), PlanError> {
        let parts = op.split().map_or(1, |split| split.parts);
        if parts == 1 {
            args.push(sum);
            return self.step(stage, name, op, args);
        }
        let len = sum.len();
        let scratch = Tensor { buffer: self.scratch, offset: 0, shape: vec![parts, len] };
        let buffer = &mut self.buffers[self.scratch];
        buffer.len = buffer.len.max(parts.saturating_mul(len).next_multiple_of(ALIGNMENT));
        args.push(scratch.clone());
        self.step(stage, name.clone(), op, args)?;
        let op = Op::SumPartials(SumPartials { parts, len });
        self.step(stage, format!("{name}.sum"), op, vec![scratch, sum])
    }

    /// Kernel and bias of a layer, or their gradients.
    fn weights(&self, layer: &NetworkLayer, role: Role) -> [Tensor; 2] {
        let arena = match role {
            Role::Gradients => &self.gradients,
            _ => &self.parameters,
        };
        ["kernel", "bias"].map(|what| arena[&format!("{}.{what}", layer.name)].clone())
    }

    /// Which element of each window won: made by the forward step, found again by the backward step.
    fn winner(&mut self, layer: &NetworkLayer, shape: &[usize]) -> Tensor {
        let name = format!("{}.winner", layer.name);
        match self.buffers.iter().position(|buffer| buffer.name == name) {
            Some(buffer) => Tensor { buffer, offset: 0, shape: shape.to_vec() },
            None => self.tensor(&name, Role::Activation, Dtype::U32, shape),
        }
    }

    fn finish(self, network: &Network, named: [Tensor; 4], state: Option<Tensor>) -> Plan {
        let in_order = |arena: &HashMap<String, Tensor>| {
            network.weights().map(|weight| arena[&weight.name].clone()).collect()
        };
        let [input, target, logits, probabilities] = named;
        Plan {
            batch: self.batch,
            parameters: in_order(&self.parameters),
            gradients: in_order(&self.gradients),
            buffers: self.buffers,
            steps: self.steps,
            state,
            input,
            target,
            logits,
            probabilities,
            network: network.clone(),
        }
    }
}

fn conv_shape(layer: &NetworkLayer, batch: usize, kernel: Pair, strides: Pair) -> ConvShape {
    let [h, w, c] = image_dims(layer.input);
    let [_, _, out_c] = image_dims(layer.output);
    ConvShape::valid([batch, h, w, c], [kernel.height, kernel.width], [strides.height, strides.width], out_c)
}

fn pool_shape(layer: &NetworkLayer, batch: usize, pool: Pair, strides: Pair) -> PoolShape {
    let [h, w, c] = image_dims(layer.input);
    PoolShape::valid([batch, h, w, c], [pool.height, pool.width], [strides.height, strides.width])
}

/// Shape inference lets only images reach convolution and pooling.
fn image_dims(shape: Shape) -> [usize; 3] {
    match shape {
        Shape::Image(dims) => dims,
        Shape::Flat(features) => [1, 1, features],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Conv2D, Dense, Flatten, MaxPooling2D, ModelFile, Sequential};
    use crate::ops::Access;

    fn plan(model: &Sequential, batch: usize) -> Result<Plan, PlanError> {
        let network = model.network().unwrap();
        Plan::build(&network, Loss::default(), Optimizer::default(), batch)
    }

    /// What every executor relies on: arguments fit their kind and their buffer, and no step writes a buffer twice.
    fn check(plan: &Plan) {
        for step in &plan.steps {
            let specs = step.op.args();
            assert_eq!(specs.len(), step.args.len(), "{}", step.name);
            for (spec, tensor) in specs.iter().zip(&step.args) {
                let place = format!("{} {}", step.name, spec.name);
                let buffer = &plan.buffers[tensor.buffer];
                assert_eq!(buffer.dtype, spec.dtype, "{place}");
                assert_eq!(spec.shape.iter().product::<usize>(), tensor.len(), "{place}");
                assert_eq!(tensor.offset % ALIGNMENT, 0, "{place}");
                assert!(tensor.offset + tensor.len() <= buffer.len, "{place}");
                let uses = step.args.iter().filter(|other| other.buffer == tensor.buffer).count();
                assert!(spec.access == Access::In || uses == 1, "{place} is written and used twice");
            }
        }
    }

    #[test]
    fn the_tutorial_is_lowered_in_order() {
        let model = ModelFile::tutorial().unwrap().model;
        let plan = plan(&model, 64).unwrap();
        check(&plan);
        let names: Vec<_> = plan.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "input/gather",
                "target/one_hot",
                "conv2d/forward",
                "conv2d/relu",
                "max_pooling2d/forward",
                "dense/matmul",
                "dense/matmul.sum",
                "dense/bias_add",
                "dense/relu",
                "dense_1/matmul",
                "dense_1/bias_add",
                "output/softmax",
                "loss/softmax_cross_entropy",
                "loss/batch_metrics",
                "dense_1/backward_bias",
                "dense_1/backward_kernel",
                "dense_1/backward_input",
                "dense/relu_backward",
                "dense/backward_bias",
                "dense/backward_kernel",
                "dense/backward_input",
                "max_pooling2d/backward",
                "conv2d/relu_backward",
                "conv2d/backward_bias",
                "conv2d/backward_bias.sum",
                "conv2d/backward_kernel",
                "conv2d/backward_kernel.sum",
                "update/rmsprop",
            ]
        );
    }

    #[test]
    fn deep_odd_and_pooled_first_models_are_well_formed() {
        let relu = Activation::Relu;
        let softmax = Activation::Softmax;
        let models = [
            Sequential::new([13, 11, 3])
                .add(MaxPooling2D::new((2, 1)))
                .add(Conv2D::new(5, (2, 3)).strides((1, 2)).activation(relu))
                .add(Conv2D::new(7, 2).activation(relu))
                .add(MaxPooling2D::new(2).strides(1))
                .add(Flatten::new())
                .add(Dense::new(9))
                .add(Dense::new(6).activation(relu))
                .add(Dense::new(3).activation(softmax)),
            Sequential::new([1, 1, 1]).add(Flatten::new()).add(Dense::new(1).activation(softmax)),
        ];
        for model in models {
            for batch in [1, 3, 1000] {
                check(&plan(&model, batch).unwrap());
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let dense = |units| Sequential::new([8, 8, 1]).add(Flatten::new()).add(Dense::new(units));
        let wide =
            Sequential::new([9, 9, 2000]).add(Conv2D::new(1, 8)).add(Flatten::new()).add(Dense::new(2));
        let rows = [
            (plan(&dense(4), 0), "batch size 0"),
            (plan(&dense(4), 70_000), "batch size 70000"),
            (plan(&dense(20_000), 4), "takes 60000 iterations"),
            (plan(&wide, 1), "`conv2d/forward`: one output takes 128000 iterations"),
            (plan(&dense(5_000_000), 4096), "`dense/matmul`: tensor `partial` of shape [1, 4096, 5000000]"),
        ];
        for (result, expected) in rows {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        }
    }
}
