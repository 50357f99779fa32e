//! Layers with names, shapes and weights.

use crate::data::TargetKind;
use crate::layers::kit::{Graph, Place};
use crate::layers::{Applied, Layer, Shape, WeightSpec};
use crate::ops::Function;
use crate::ops::{byte_scale, byte_values};

/// A layer with its name, shapes and weights.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkLayer {
    /// Number of the layer in the model, counted from 0.
    pub index: usize,
    /// Unique in the model.
    pub name: String,
    /// The layer as a value.
    pub layer: Layer,
    /// Where each input comes from: a layer before it, or `None` for the model's input.
    pub sources: Vec<Option<usize>>,
    /// Shapes of one sample of each input.
    pub inputs: Vec<Shape>,
    /// Shape of one sample of the output.
    pub output: Shape,
    /// Its weights, named `<layer>.<weight>`; empty for layers without any.
    pub weights: Vec<WeightSpec>,
    /// Whether training changes it; of a layer that is not trained, no weight is trainable.
    pub trainable: bool,
}

impl NetworkLayer {
    /// The class name, as in Keras.
    pub fn class(&self) -> &'static str {
        self.layer.class()
    }

    pub(crate) fn place(&self) -> Place<'_> {
        let NetworkLayer { index, ref name, ref inputs, output, trainable, .. } = *self;
        Place { index, name, inputs, output, trainable }
    }

    /// Adds the ONNX nodes.
    pub(crate) fn onnx(&self, graph: &mut Graph<'_>) {
        let sources: Vec<usize> = self.sources.iter().map(|source| source.map_or(0, |at| at + 1)).collect();
        graph.next_layer(&sources);
        self.layer.onnx(&self.place(), graph);
        graph.layer_done();
    }
}

/// A model whose every size is known and consistent.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The model's name.
    pub name: String,
    /// Of one input.
    pub input_shape: Shape,
    /// What the target of a sample is.
    pub target: TargetKind,
    /// The layers, input first.
    pub layers: Vec<NetworkLayer>,
}

impl Network {
    /// Every weight tensor, in the order of the layers.
    pub fn weights(&self) -> impl Iterator<Item = &WeightSpec> {
        self.layers.iter().flat_map(|layer| &layer.weights)
    }

    /// Those that training changes by their gradients.
    pub fn trainable_weights(&self) -> impl Iterator<Item = &WeightSpec> {
        self.weights().filter(|weight| weight.trainable)
    }

    /// Number of values of all weights.
    pub fn parameter_count(&self) -> usize {
        self.weights().map(WeightSpec::len).sum()
    }

    /// Number of values that training changes by their gradients.
    pub fn trainable_count(&self) -> usize {
        self.weights().filter(|weight| weight.trainable).map(WeightSpec::len).sum()
    }

    /// Whether some layer does not just take what the one before it gives.
    pub fn is_branched(&self) -> bool {
        self.layers.iter().any(|layer| layer.sources != [layer.index.checked_sub(1)])
    }

    /// What a model gets of bytes: themselves where its first layer takes them, else their quotients by 255.
    pub fn byte_table(&self) -> [f32; 256] {
        if self.takes_bytes() { byte_values() } else { byte_scale() }
    }

    /// Whether the layers that get the input take bytes as they are.
    pub fn takes_bytes(&self) -> bool {
        let wishes = self.wishes();
        !wishes.is_empty() && wishes.iter().all(|&wish| wish)
    }

    /// Of each layer that gets the input, over layers that leave values in their range, whether it takes bytes as they are.
    pub(super) fn wishes(&self) -> Vec<bool> {
        let (mut wishes, mut passes) = (Vec::new(), Vec::new());
        for layer in &self.layers {
            let reached = layer.sources.iter().any(|source| source.is_none_or(|at| passes[at]));
            let takes = layer.layer.takes_bytes();
            let passing = reached && !takes && layer.layer.keeps_sign() && layer.weights.is_empty();
            if reached && !passing {
                wishes.push(takes);
            }
            passes.push(passing);
        }
        wishes
    }

    /// The activation at the end, whose outputs the loss takes.
    pub fn last_activation(&self) -> Applied {
        self.layers.last().map_or(Applied::Linear, |layer| layer.layer.applied())
    }

    /// How many values the last layer gives of each sample.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.output.len())
    }

    /// Number of classes: one for each value that the last layer gives, but two where it is a single sigmoid unit, whose
    /// output is the probability of class 1. Where targets are no classes, the number of outputs.
    pub fn classes(&self) -> usize {
        if self.is_binary() { 2 } else { self.outputs() }
    }

    /// Whether the last layer is a single sigmoid unit that tells two classes apart.
    pub fn is_binary(&self) -> bool {
        self.target == TargetKind::Classes
            && self.outputs() == 1
            && matches!(self.last_activation(), Applied::Each(Function::Sigmoid(_)))
    }
}
