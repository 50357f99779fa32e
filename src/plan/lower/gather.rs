//! Lowering of the batch.

use super::super::{PlanError, Role, Stage, Step, Tensor};
use crate::data::{DataForm, DataPart, TargetKind};
use crate::layers::kit::Builder;
use crate::model::{Loss, Network};
use crate::ops::{DATA, Dtype, GatherImages, GatherValues, OneHot, Op, Rescale, TargetColumns, image_stride};

/// What a batch brings.
pub(super) struct Batch {
    pub(super) input: Tensor,
    pub(super) target: Tensor,
    /// The weights of all samples, and the order in which samples are taken.
    pub(super) weights: Option<[Tensor; 2]>,
}

/// Inputs and targets of a batch.
pub(super) fn gather(
    b: &mut Builder,
    network: &Network,
    loss: Loss,
    form: DataForm,
) -> Result<Batch, PlanError> {
    let samples = samples(b, network, form);
    let labels = network.target == TargetKind::Classes;
    let targets = match labels {
        true => b.tensor("labels", Role::Data(DataPart::Targets), Dtype::U32, &[DATA]),
        false => b.tensor("targets", Role::Data(DataPart::Targets), Dtype::F32, &[DATA, network.outputs()]),
    };
    let order = b.tensor("order", Role::Order, Dtype::U32, &[DATA]);
    let input = inputs(b, network, form, samples, &order);
    let target = match labels {
        true => one_hot(b, network, loss, targets, &order),
        false => rows(b, network, loss, targets, &order)?,
    };
    let weights = form.weighted.then(|| {
        let weights = b.tensor("sample_weights", Role::Data(DataPart::Weights), Dtype::F32, &[DATA]);
        [weights, order]
    });
    Ok(Batch { input, target, weights })
}

/// The inputs of the data set.
fn samples(b: &mut Builder, network: &Network, form: DataForm) -> Tensor {
    let (size, role) = (network.input_shape.len(), Role::Data(DataPart::Samples));
    match form.values {
        true => b.tensor("values", role, Dtype::F32, &[DATA, size]),
        false => b.tensor("images", role, Dtype::Bytes, &[DATA, image_stride(size)]),
    }
}

fn inputs(b: &mut Builder, network: &Network, form: DataForm, samples: Tensor, order: &Tensor) -> Tensor {
    let (size, batch) = (network.input_shape.len(), b.batch);
    let shape = [vec![batch], network.input_shape.dims()].concat();
    let (op, args) = if form.values {
        (Op::GatherValues(GatherValues { batch, width: size }), vec![samples, order.clone()])
    } else {
        let scale = b.tensor("scale", Role::Table, Dtype::F32, &[256]);
        (Op::GatherImages(GatherImages { batch, pixels: size }), vec![samples, order.clone(), scale])
    };
    let x = b.tensor("input", Role::Activation, Dtype::F32, &shape);
    // Written out rather than through `step`: the sizes were checked with the network.
    push(b, Stage::Input, "input/gather", op, [args, vec![x.clone()]].concat());
    x
}

/// Of labels.
fn one_hot(b: &mut Builder, network: &Network, loss: Loss, labels: Tensor, order: &Tensor) -> Tensor {
    let batch = b.batch;
    let columns =
        if network.is_binary() { TargetColumns::second() } else { TargetColumns::all(network.classes()) };
    let columns = columns.smoothed(loss.on_and_off(columns.classes));
    let target = b.tensor("target", Role::Activation, Dtype::F32, &[batch, columns.classes]);
    let args = vec![labels, order.clone(), target.clone()];
    push(b, Stage::Target, "target/one_hot", Op::OneHot(OneHot { batch, columns }), args);
    target
}

/// Of given numbers, smoothed where the loss asks for it.
fn rows(
    b: &mut Builder,
    network: &Network,
    loss: Loss,
    targets: Tensor,
    order: &Tensor,
) -> Result<Tensor, PlanError> {
    let (batch, width) = (b.batch, network.outputs());
    let target = b.tensor("target", Role::Activation, Dtype::F32, &[batch, width]);
    let [scale, offset] = loss.smoothing(width);
    let smoothed = [scale, offset] != [1.0, 0.0];
    let given = match smoothed {
        true => b.tensor("target as given", Role::Activation, Dtype::F32, &[batch, width]),
        false => target.clone(),
    };
    let op = Op::GatherValues(GatherValues { batch, width });
    push(b, Stage::Target, "target/gather", op, vec![targets, order.clone(), given.clone()]);
    if smoothed {
        let op = Rescale { len: target.len(), scale, offset };
        b.step(Stage::Target, "target/smooth".to_owned(), op, vec![given, target.clone()])?;
    }
    Ok(target)
}

fn push(b: &mut Builder, stage: Stage, name: &str, op: Op, args: Vec<Tensor>) {
    b.steps.push(Step { name: name.to_owned(), stage, op, args });
}
