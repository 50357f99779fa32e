//! The nodes of an ONNX graph.
//!
//! Values are named `<layer>/<what>`: no layer's name holds a slash, so none can be taken for the graph's input or output.

use super::onnx_schema::{Attribute, AttributeType, FLOAT, INT64, Node, Tensor};
use super::place::Place;
use super::shape::{Pair, Windows};
use super::weights::WeightTensor;
use crate::data::Shape;

/// Which axis of the value at hand is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `[n, h, w, c]`, or `[n, features]`: what is classified lies along the last axis.
    Last,
    /// `[n, c, h, w]`.
    First,
}

/// A graph under construction: one node after the other, each taking what the one before gave.
pub(crate) struct Graph<'a> {
    weights: &'a [WeightTensor],
    pub(crate) nodes: Vec<Node>,
    pub(crate) initializers: Vec<Tensor>,
    /// Name of the last node's output.
    value: String,
    layout: Layout,
    /// Values that the layer at hand takes, the first of which is the value at hand.
    inputs: Vec<(String, Layout)>,
    /// What each layer gave.
    outputs: Vec<(String, Layout)>,
}

impl<'a> Graph<'a> {
    /// Of no node yet; its input has this name.
    pub(crate) fn new(weights: &'a [WeightTensor], input: &str) -> Self {
        Graph {
            weights,
            nodes: Vec::new(),
            initializers: Vec::new(),
            value: input.to_owned(),
            layout: Layout::Last,
            inputs: vec![(input.to_owned(), Layout::Last)],
            outputs: vec![(input.to_owned(), Layout::Last)],
        }
    }

    /// Turns to the next layer, which takes these values: 0 is the graph's input, and n what the n-th layer gave.
    pub(crate) fn next_layer(&mut self, sources: &[usize]) {
        self.inputs = sources.iter().map(|&source| self.outputs[source].clone()).collect();
        if let Some((value, layout)) = self.inputs.first() {
            (self.value, self.layout) = (value.clone(), *layout);
        }
    }

    /// Remembers what the layer gave.
    pub(crate) fn layer_done(&mut self) {
        self.outputs.push((self.value.clone(), self.layout));
    }

    /// Turns all inputs of the layer alike; gives the names of those behind the first, which is the value at hand.
    pub(crate) fn align(&mut self, place: &Place<'_>) -> Vec<String> {
        let image = matches!(place.output, Shape::Image(_));
        let wanted = if image { Layout::First } else { self.layout };
        let mut names = Vec::new();
        for (number, (value, layout)) in std::mem::take(&mut self.inputs).into_iter().enumerate().rev() {
            (self.value, self.layout) = (value, layout);
            let name = if number == 0 { place.name.to_owned() } else { place.step(&number.to_string()) };
            match place.inputs.get(number) {
                Some(Shape::Image(_)) => self.turn(wanted, &name),
                Some(Shape::Flat(features)) if image => {
                    let dims = self.integers(format!("{name}/dims"), &[-1, *features as i64, 1, 1]);
                    self.node(&format!("{name}/spread"), "Reshape", vec![dims], Vec::new());
                }
                _ => {}
            }
            names.push(self.value.clone());
        }
        self.layout = wanted;
        names.pop();
        names.reverse();
        names
    }

    /// Nodes of an operator of two values over the value at hand and these.
    pub(crate) fn merge(&mut self, place: &Place<'_>, what: &str, op_type: &str, others: Vec<String>) {
        for (number, other) in others.into_iter().enumerate() {
            let what = if number == 0 { what.to_owned() } else { format!("{what}_{number}") };
            self.node(&place.step(&what), op_type, vec![other], Vec::new());
        }
    }

    /// Name of the value at hand.
    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// Which of its axes is which.
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// Gives what the last node computes the name of the graph's output.
    pub(crate) fn output(&mut self, name: &str) {
        if let Some(last) = self.nodes.last_mut() {
            last.name = name.to_owned();
            last.output = vec![name.to_owned()];
        }
    }

    /// Turns the axes of images unless they are as wanted.
    pub(crate) fn turn(&mut self, wanted: Layout, layer: &str) {
        if self.layout == wanted {
            return;
        }
        self.layout = wanted;
        let (name, order) = match wanted {
            Layout::First => ("nchw", [0, 3, 1, 2]),
            Layout::Last => ("nhwc", [0, 2, 3, 1]),
        };
        self.node(&format!("{layer}/{name}"), "Transpose", Vec::new(), vec![ints("perm", order.to_vec())]);
    }

    /// Says how the axes of the value at hand lie from now on, after a node that moved or removed some.
    pub(crate) fn lies(&mut self, layout: Layout) {
        self.layout = layout;
    }

    /// Stores integers under this name; gives it.
    pub(crate) fn integers(&mut self, name: String, values: &[i64]) -> String {
        self.initializers.push(Tensor {
            name: name.clone(),
            data_type: INT64,
            dims: vec![values.len() as i64],
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
        name
    }

    /// Stores floats under this name; gives it.
    pub(crate) fn floats(&mut self, name: String, values: &[f32]) -> String {
        self.initializers.push(Tensor {
            name: name.clone(),
            data_type: FLOAT,
            dims: vec![values.len() as i64],
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
        name
    }

    /// A node that takes the value at hand and then `more`; its output, of the same name, is the value from now on.
    pub(crate) fn node(&mut self, name: &str, op_type: &str, more: Vec<String>, attribute: Vec<Attribute>) {
        let mut input = vec![std::mem::replace(&mut self.value, name.to_owned())];
        input.extend(more);
        let output = vec![name.to_owned()];
        self.nodes.push(Node {
            input,
            output,
            name: name.to_owned(),
            op_type: op_type.to_owned(),
            attribute,
        });
    }

    /// Stores a number; gives its name.
    pub(crate) fn constant(&mut self, name: String, value: f32) -> String {
        self.initializers.push(Tensor {
            name: name.clone(),
            data_type: FLOAT,
            dims: Vec::new(),
            raw_data: value.to_le_bytes().to_vec(),
        });
        name
    }

    /// Stores a weight of the layer as it is; gives its name.
    pub(crate) fn weight(&mut self, place: &Place<'_>, what: &str) -> Option<String> {
        self.turned_weight(place, what, |tensor| (tensor.shape.clone(), tensor.values.clone()))
    }

    /// Stores a weight of the layer in other dimensions; gives its name.
    pub(crate) fn turned_weight(
        &mut self,
        place: &Place<'_>,
        what: &str,
        turn: impl Fn(&WeightTensor) -> (Vec<usize>, Vec<f32>),
    ) -> Option<String> {
        let name = place.weight(what);
        let (dims, values) = turn(self.weights.iter().find(|tensor| tensor.name == name)?);
        self.initializers.push(Tensor {
            name: name.clone(),
            data_type: FLOAT,
            dims: dims.into_iter().map(|size| size as i64).collect(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
        Some(name)
    }
}

pub(crate) fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.to_owned(), i, r#type: AttributeType::Int.into(), ..Attribute::default() }
}

pub(crate) fn float(name: &str, f: f32) -> Attribute {
    Attribute { name: name.to_owned(), f, r#type: AttributeType::Float.into(), ..Attribute::default() }
}

pub(crate) fn ints(name: &str, ints: Vec<i64>) -> Attribute {
    Attribute { name: name.to_owned(), ints, r#type: AttributeType::Ints.into(), ..Attribute::default() }
}

/// The border of windows, in ONNX's order.
pub(crate) fn pads(windows: &Windows) -> Attribute {
    let [[top, left], [bottom, right]] = [windows.before, windows.after];
    ints("pads", [top, left, bottom, right].map(|size| size as i64).to_vec())
}

pub(crate) fn pair(name: &str, pair: Pair) -> Attribute {
    ints(name, vec![pair.height as i64, pair.width as i64])
}
