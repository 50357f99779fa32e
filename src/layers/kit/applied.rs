//! What is applied to the output of a layer, and how that is lowered and written as ONNX.

use super::builder::Builder;
use super::onnx::{Graph, Layout, float, int};
use super::place::Place;
use super::step::{PlanError, Role, Stage, Tensor};
use crate::ops::{
    Activation, ActivationBackward, ActivationForward, Applied, By, Copy, Dtype, Function, OnnxForm,
    OnnxInput, Softmax, SoftmaxBackward,
};

impl Applied {
    /// Its name in models.
    pub fn name(&self) -> &'static str {
        match self {
            Applied::Linear => Activation::Linear.name(),
            Applied::Each(function) => function.name(),
            Applied::Softmax => Activation::Softmax.name(),
        }
    }

    /// Applies it to the output x of a layer; returns what comes of it.
    pub(crate) fn forward(&self, place: &Place<'_>, b: &mut Builder, x: Tensor) -> Result<Tensor, PlanError> {
        let y = match self {
            Applied::Linear => return Ok(x),
            Applied::Softmax => softmax(place, b, x)?,
            Applied::Each(function) => each(function, place, b, x)?,
        };
        b.read_back.push(y.buffer);
        Ok(y)
    }

    /// The gradient of x, in place of that of what came of it, y.
    pub(crate) fn backward(
        &self,
        place: &Place<'_>,
        b: &mut Builder,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(), PlanError> {
        let len = dy.len();
        match *self {
            Applied::Linear => Ok(()),
            Applied::Softmax => {
                let columns = columns(y);
                let op = SoftmaxBackward { rows: len / columns, columns };
                b.step(Stage::Backward, place.step("softmax_backward"), op, vec![y.clone(), dy.clone()])
            }
            Applied::Each(function) => {
                let at = match function.by() {
                    By::Output => y.clone(),
                    By::Input => b.activated[place.name].clone(),
                };
                let name = place.step(function.backward_name());
                b.step(Stage::Backward, name, ActivationBackward { len, function }, vec![at, dy.clone()])
            }
        }
    }

    /// Its nodes.
    pub(crate) fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        match self {
            Applied::Linear => {}
            Applied::Softmax => {
                let axis = if graph.layout() == Layout::Last { -1 } else { 1 };
                graph.node(&place.step("softmax"), "Softmax", Vec::new(), vec![int("axis", axis)]);
            }
            Applied::Each(function) => nodes(function.onnx(), &place.step(function.name()), graph),
        }
    }
}

/// The nodes of a function; the last one has this name.
fn nodes(form: OnnxForm, name: &str, graph: &mut Graph<'_>) {
    match form {
        OnnxForm::Operator(operator) => graph.node(name, operator, Vec::new(), Vec::new()),
        OnnxForm::Alpha(operator, alpha) => {
            graph.node(name, operator, Vec::new(), vec![float("alpha", alpha)]);
        }
        OnnxForm::Gate(operator) => {
            let x = graph.value().to_owned();
            graph.node(&format!("{name}.gate"), operator, Vec::new(), Vec::new());
            graph.node(name, "Mul", vec![x], Vec::new());
        }
        OnnxForm::Nodes(nodes) => {
            let x = graph.value().to_owned();
            for (at, node) in nodes.iter().enumerate() {
                let part = format!("{name}.{at}");
                let with = node.with.iter().enumerate().map(|(number, input)| match *input {
                    OnnxInput::X => x.clone(),
                    OnnxInput::Constant(value) => graph.constant(format!("{part}.{number}"), value),
                });
                let with = with.collect();
                let last = at + 1 == nodes.len();
                graph.node(if last { name } else { &part }, node.operator, with, Vec::new());
            }
        }
    }
}

/// A function of each element: in place where nothing reads what it replaces.
fn each(function: &Function, place: &Place<'_>, b: &mut Builder, x: Tensor) -> Result<Tensor, PlanError> {
    if function.by() == By::Input {
        b.read_back.push(x.buffer);
        b.activated.insert(place.name.to_owned(), x.clone());
    }
    let y = if b.read_back.contains(&x.buffer) { copied(function, place, b, x)? } else { x };
    let op = ActivationForward { len: y.len(), function: *function };
    b.step(Stage::Forward, place.step(function.name()), op, vec![y.clone()])?;
    Ok(y)
}

/// A copy of x, which the way back reads as it is.
fn copied(function: &Function, place: &Place<'_>, b: &mut Builder, x: Tensor) -> Result<Tensor, PlanError> {
    let taken = b.buffers.iter().any(|buffer| buffer.name == place.name);
    let name = if taken { format!("{}.{}", place.name, function.name()) } else { place.name.to_owned() };
    let y = b.tensor(&name, Role::Activation, Dtype::F32, &x.shape);
    b.step(Stage::Forward, place.step("copy"), Copy { len: x.len() }, vec![x, y.clone()])?;
    Ok(y)
}

fn softmax(place: &Place<'_>, b: &mut Builder, x: Tensor) -> Result<Tensor, PlanError> {
    let columns = columns(&x);
    let op = Softmax { rows: x.len() / columns, columns };
    let y = b.tensor(&format!("{}.softmax", place.name), Role::Activation, Dtype::F32, &x.shape);
    b.step(Stage::Forward, place.step("softmax"), op, vec![x, y.clone()])?;
    Ok(y)
}

/// Elements of the last axis.
fn columns(tensor: &Tensor) -> usize {
    tensor.shape.last().copied().unwrap_or(1)
}
