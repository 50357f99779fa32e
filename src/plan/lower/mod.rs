//! Lowering: from a network to a plan.

mod attribution;
mod gather;
mod loss;
mod update;

use std::collections::HashMap;

use super::{Plan, PlanError, Stage, Tensor};
use crate::data::DataForm;
use crate::layers::kit::Builder;
use crate::model::{Loss, Network, NetworkLayer, Optimizer};
use crate::ops::AddTo;
pub use attribution::{Attribution, Goal};
use gather::Batch;

/// Most samples in one batch.
pub const MAX_BATCH: usize = 65_536;

impl Plan {
    /// Lowers a network, its loss and its optimizer for batches of at most `batch` samples of bytes that count alike.
    ///
    /// # Errors
    /// A batch size out of range, a tensor too large or a sum too long for the kernels.
    pub fn build(
        network: &Network,
        loss: Loss,
        optimizer: Optimizer,
        batch: usize,
    ) -> Result<Plan, PlanError> {
        Plan::build_for(network, loss, optimizer, batch, DataForm::default())
    }

    /// [`build`](Self::build) for data sets of another form.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_for(
        network: &Network,
        loss: Loss,
        optimizer: Optimizer,
        batch: usize,
        form: DataForm,
    ) -> Result<Plan, PlanError> {
        if batch == 0 || batch > MAX_BATCH {
            return Err(PlanError::BatchSize { asked: batch, limit: MAX_BATCH });
        }
        let mut builder = Builder::new(network.weights(), batch);
        let Batch { input, target, weights } = gather::gather(&mut builder, network, loss, form)?;
        let from_logits = loss::takes_logits(loss, network.last_activation());
        let layers = forward(&mut builder, network, &input, from_logits, None)?;
        let logits = layers.last();
        let given = loss::Given { outputs: &logits, target: &target, weights };
        let (dlogits, probabilities) = if from_logits {
            loss::of_logits(&mut builder, network.last_activation(), &given)?
        } else {
            (loss::of_outputs(&mut builder, loss, &given)?, logits.clone())
        };
        update::penalties(&mut builder, network)?;
        backward(&mut builder, &layers, dlogits, &trained(network), 0)?;
        update::penalty_gradients(&mut builder, network)?;
        let [state, average] = update::update(&mut builder, network, optimizer)?;
        let plan = finish(builder, network, [input, target, logits, probabilities], state);
        Ok(Plan { average, form, ..plan })
    }
}

/// The layers of a plan, with what they take and give.
struct Layers<'a> {
    network: &'a Network,
    input: &'a Tensor,
    /// Of each layer.
    outputs: Vec<Tensor>,
    /// Whether the last output is what the last activation is not yet applied to.
    from_logits: bool,
}

impl Layers<'_> {
    /// What a layer gives, or the input.
    fn given(&self, source: Option<usize>) -> Tensor {
        source.map_or(self.input, |at| &self.outputs[at]).clone()
    }

    /// What a layer takes.
    fn taken(&self, layer: &NetworkLayer) -> Vec<Tensor> {
        layer.sources.iter().map(|&source| self.given(source)).collect()
    }

    /// What the last layer gives.
    fn last(&self) -> Tensor {
        self.given(self.network.layers.len().checked_sub(1))
    }

    /// Whether the activation of this layer is a part of the plan.
    fn is_activated(&self, index: usize) -> bool {
        !self.from_logits || index + 1 < self.network.layers.len()
    }
}

/// The layers in order. With `from_logits`, the last output is what the last activation is not yet applied to. The output of the layer
/// `kept` stays as it is.
fn forward<'a>(
    b: &mut Builder,
    network: &'a Network,
    input: &'a Tensor,
    from_logits: bool,
    kept: Option<usize>,
) -> Result<Layers<'a>, PlanError> {
    b.keep(input);
    let mut layers = Layers { network, input, outputs: Vec::new(), from_logits };
    for (index, layer) in network.layers.iter().enumerate() {
        let x = layers.taken(layer);
        let mut y = layer.layer.forward(&layer.place(), b, &x)?;
        if layers.is_activated(index) {
            y = layer.layer.applied().forward(&layer.place(), b, y)?;
        }
        let readers = network.layers.iter().flat_map(|layer| &layer.sources);
        if kept == Some(index) || readers.filter(|&&source| source == Some(index)).count() > 1 {
            // What one of them does in place, the others would see.
            b.keep(&y);
        }
        layers.outputs.push(y);
    }
    Ok(layers)
}

/// The layers reversed, down to the layer `first`; returns the gradients of the outputs of those before it, and at the end that of the
/// input. Gradients go back over the layers that are `reached`, whose last entry is the input; those of a tensor that several layers
/// take are added up from the last of them to the first.
fn backward(
    b: &mut Builder,
    layers: &Layers<'_>,
    d_output: Tensor,
    reached: &[bool],
    first: usize,
) -> Result<Vec<Option<Tensor>>, PlanError> {
    let all = &layers.network.layers;
    let slot = |source: Option<usize>| source.unwrap_or(all.len());
    let mut gradients: Vec<Option<Tensor>> = vec![None; all.len() + 1];
    if let Some(last) = all.len().checked_sub(1) {
        gradients[last] = Some(d_output);
    }
    for (index, layer) in all.iter().enumerate().skip(first).rev() {
        let Some(dy) = gradients[index].take().filter(|_| reached[index]) else { continue };
        if layers.is_activated(index) {
            layer.layer.applied().backward(&layer.place(), b, &layers.outputs[index], &dy)?;
        }
        let wants: Vec<bool> = layer.sources.iter().map(|&source| reached[slot(source)]).collect();
        let of_inputs = layer.layer.backward(&layer.place(), b, &layers.taken(layer), dy, &wants)?;
        for (&source, gradient) in layer.sources.iter().zip(of_inputs) {
            let at = slot(source);
            let Some(gradient) = gradient.filter(|_| reached[at]) else { continue };
            let sum = match gradients[at].take() {
                None => gradient,
                Some(sum) => {
                    let of = source.map_or("input", |at| &all[at].name);
                    let name = format!("{of}/gradient_of_{}", layer.name);
                    b.step(Stage::Backward, name, AddTo { len: sum.len() }, vec![gradient, sum.clone()])?;
                    sum
                }
            };
            gradients[at] = Some(sum);
        }
    }
    Ok(gradients)
}

/// Which layers have weights to train, or take what such layers give, over whatever lies between; the input at the end does not.
fn trained(network: &Network) -> Vec<bool> {
    let mut trained = leading_to(network, |layer| layer.weights.iter().any(|weight| weight.trainable));
    trained.push(false);
    trained
}

/// Of each layer, whether it is such a one, or takes what one gives, over whatever lies between.
fn leading_to(network: &Network, is: impl Fn(&NetworkLayer) -> bool) -> Vec<bool> {
    let mut found: Vec<bool> = Vec::new();
    for layer in &network.layers {
        found.push(is(layer) || layer.sources.iter().flatten().any(|&at| found[at]));
    }
    found
}

fn finish(builder: Builder, network: &Network, named: [Tensor; 4], state: Option<Tensor>) -> Plan {
    let in_order = |arena: &HashMap<String, Tensor>| {
        network.weights().filter_map(|weight| arena.get(&weight.name).cloned()).collect()
    };
    let [input, target, logits, probabilities] = named;
    let gradients = Tensor { buffer: 1, offset: 0, shape: vec![builder.buffers[1].len] };
    Plan {
        summands: [vec![gradients], builder.sums].concat(),
        in_parts: false,
        batch: builder.batch,
        parameters: in_order(&builder.parameters),
        gradients: in_order(&builder.gradients),
        buffers: builder.buffers,
        steps: builder.steps,
        state,
        average: None,
        form: DataForm::default(),
        input,
        target,
        logits,
        probabilities,
        network: network.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::ModelFile;
    use crate::layers::kit::ALIGNMENT;
    use crate::model::{
        Activation, Add, BatchNormalization, Concatenate, Conv2D, Dense, Flatten, MaxPooling2D, Node,
        Padding, ReLU, Sequential,
    };
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

    /// Normalized branches with borders, one of which takes a tensor twice.
    #[test]
    fn branches_are_well_formed_and_their_gradients_added_in_order() {
        let same = |filters, name: &str| Conv2D::new(filters, 3).padding(Padding::Same).name(name);
        let model = Sequential::new([7, 6, 2])
            .add(same(4, "a").use_bias(false))
            .add(BatchNormalization::new().name("norm"))
            .add(ReLU::new().name("relu"))
            .add(same(4, "b"))
            .add(Node::new(Add::new().name("sum")).inputs(["b", "norm", "relu", "b"]))
            .add(Node::new(Concatenate::new().name("both")).inputs(["sum", "relu"]))
            .add(Flatten::new())
            .add(Dense::new(3).activation(Activation::Softmax));
        for batch in [1, 3, 64] {
            let plan = plan(&model, batch).unwrap();
            check(&plan);
            check(&plan.clone().fuse());
            let sums: Vec<_> = plan.steps.iter().filter(|step| step.op.kind() == "add_to").collect();
            let names: Vec<_> = sums.iter().map(|step| step.name.as_str()).collect();
            assert_eq!(
                names,
                [
                    "sum/forward_2",
                    "sum/forward_3",
                    "relu/gradient_of_sum",
                    "b/gradient_of_sum",
                    "relu/gradient_of_b",
                    "norm/gradient_of_relu"
                ]
            );
            // What is added is nobody else's.
            assert!(sums.iter().all(|step| step.args[0].buffer != step.args[1].buffer), "{batch}");
        }
    }

    #[test]
    fn below_the_last_trained_layer_nothing_goes_back() {
        let frozen = |layer: Conv2D| Node::new(layer).trainable(false);
        let model = Sequential::new([9, 9, 1])
            .add(frozen(Conv2D::new(3, 3).name("a")))
            .add(Node::new(BatchNormalization::new().name("norm")).trainable(false))
            .add(Conv2D::new(3, 3).name("b"))
            .add(frozen(Conv2D::new(2, 3).name("c")))
            .add(Flatten::new())
            .add(Dense::new(3).activation(Activation::Softmax));
        let plan = plan(&model, 4).unwrap();
        check(&plan);
        let back = plan.steps.iter().filter(|step| step.stage == Stage::Backward);
        let mut layers: Vec<_> = back.filter_map(|step| step.name.split('/').next()).collect();
        layers.dedup();
        assert_eq!(layers, ["dense", "c", "b"]);
        // A layer that is not trained hands its gradient on, and has none for its weights.
        assert!(plan.steps.iter().any(|step| step.name == "c/backward_input"));
        assert!(!plan.steps.iter().any(|step| step.name.starts_with("c/backward_kernel")));
        assert_eq!(plan.network.trainable_count(), 3 * 9 * 3 + 3 + 18 * 3 + 3);
    }

    /// Going back, the kernel of `a` and the input of `b` follow one another, of different gradients.
    #[test]
    fn neighbours_of_two_layers_are_not_fused() {
        let dense = |name: &str, from: &str| Node::new(Dense::new(8).name(name)).inputs([from]);
        let model = Sequential::new([2, 2, 2])
            .add(Flatten::new().name("f"))
            .add(dense("c", "f"))
            .add(dense("b", "c").trainable(false))
            .add(dense("a", "f"))
            .add(Node::new(Concatenate::new()).inputs(["a", "b"]))
            .add(Dense::new(3).activation(Activation::Softmax));
        let fused = plan(&model, 4).unwrap().fuse();
        check(&fused);
        let of = |name: &str| fused.steps.iter().find(|step| step.name == name).map(|step| step.op.kind());
        assert_eq!(of("a/backward_kernel"), Some("matmul_at_b"), "{:?}", fused.steps);
        assert_eq!(of("b/backward_input"), Some("matmul_a_bt"));
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
