//! A layer at its place in a model.

use serde::Serialize;

use crate::layers::Layer;

/// Name of the model's input, among the inputs of a layer.
pub const INPUT: &str = "input";

/// A layer at its place in a model: where its inputs come from, and whether it is trained.
///
/// Any layer is one by itself, which takes what the layer before it gives, and is trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// The layer.
    #[serde(flatten)]
    pub layer: Layer,
    /// Names of the layers whose outputs it takes, or `input`; if empty, the layer before it, and for the first one `input`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// Whether training changes its weights. A [`BatchNormalization`](crate::model::BatchNormalization) that is not
    /// trained takes its moving statistics, as in Keras. Default true.
    #[serde(skip_serializing_if = "is_true")]
    pub trainable: bool,
}

fn is_true(value: &bool) -> bool {
    *value
}

impl Node {
    /// This layer, after the one before it, trained.
    pub fn new(layer: impl Into<Layer>) -> Self {
        Node { layer: layer.into(), inputs: Vec::new(), trainable: true }
    }

    /// Takes what these layers give; `input` is the model's input.
    pub fn inputs<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.inputs = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether training changes its weights.
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }
}

impl<L: Into<Layer>> From<L> for Node {
    fn from(layer: L) -> Self {
        Node::new(layer)
    }
}
