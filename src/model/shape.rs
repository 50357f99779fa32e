//! Layers with names, shapes and weights.

use super::{Activation, Pair, Regularizer};
use crate::ops::{Function, LeakyRelu};

/// The shape of one sample as it passes between layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Height, width, channels.
    Image([usize; 3]),
    /// A row of features.
    Flat(usize),
}

impl Shape {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Shape::Image([h, w, c]) => h * w * c,
            Shape::Flat(features) => *features,
        }
    }

    /// Whether there is no value at all; inference never gives such a shape.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dimensions after the batch dimension.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Shape::Image(dims) => dims.to_vec(),
            Shape::Flat(features) => vec![*features],
        }
    }
}

/// What a layer computes, with every size known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LayerGeometry {
    /// A convolution.
    Conv2D {
        /// Kernel height and width.
        kernel: Pair,
        /// Step of the window.
        strides: Pair,
    },
    /// A maximum over windows.
    MaxPooling2D {
        /// Window height and width.
        pool: Pair,
        /// Step of the window.
        strides: Pair,
    },
    /// A change of shape only.
    Flatten,
    /// A fully connected layer.
    Dense,
    /// Nothing but an activation.
    Activation,
    /// Values dropped at random in training.
    Dropout {
        /// Share that is dropped.
        rate: f64,
    },
}

/// How a weight tensor starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initializer {
    /// Uniform in `[-limit, limit)`, `limit = sqrt(6 / (fan_in + fan_out))`.
    /// Source: Glorot and Bengio 2010; `keras/src/initializers/random_initializers.py`.
    GlorotUniform {
        /// Inputs that reach one output.
        fan_in: usize,
        /// Outputs that one input reaches.
        fan_out: usize,
    },
    /// All zero.
    Zeros,
}

/// One weight tensor of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightSpec {
    /// `<layer>.kernel` or `<layer>.bias`.
    pub name: String,
    /// Convolution kernels HWIO, dense kernels `(in, out)`, biases `(out)`.
    pub shape: Vec<usize>,
    /// How it starts.
    pub initializer: Initializer,
}

impl WeightSpec {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no value at all; inference never gives such a tensor.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A layer with its name, shapes and weights.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkLayer {
    /// Unique in the model.
    pub name: String,
    /// Class name, as in Keras.
    pub class: &'static str,
    /// What it computes.
    pub geometry: LayerGeometry,
    /// Applied to the output.
    pub activation: Activation,
    /// Slope of the activation below 0, where it is a leaky ReLU; 0 for others.
    pub negative_slope: f64,
    /// Shape of one input sample.
    pub input: Shape,
    /// Shape of one output sample.
    pub output: Shape,
    /// Penalty of the kernel, part of the loss; `None` where it is nothing.
    pub kernel_regularizer: Option<Regularizer>,
    /// Kernel, then bias; empty for layers without weights.
    pub weights: Vec<WeightSpec>,
}

/// A model whose every size is known and consistent.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The model's name.
    pub name: String,
    /// Height, width and channels of one input image.
    pub input_shape: [usize; 3],
    /// The layers, input first.
    pub layers: Vec<NetworkLayer>,
}

impl NetworkLayer {
    /// The function that is applied to each element of the output by itself, if there is one.
    pub fn function(&self) -> Option<Function> {
        match self.activation.function() {
            Some(Function::LeakyRelu(_)) => Some(LeakyRelu { slope: self.negative_slope as f32 }.into()),
            function => function,
        }
    }
}

impl Network {
    /// Every weight tensor, in the order of the layers.
    pub fn weights(&self) -> impl Iterator<Item = &WeightSpec> {
        self.layers.iter().flat_map(|layer| &layer.weights)
    }

    /// Number of trainable values.
    pub fn parameter_count(&self) -> usize {
        self.weights().map(WeightSpec::len).sum()
    }

    /// The activation at the end, whose outputs the loss judges.
    pub fn last_activation(&self) -> Activation {
        self.layers.last().map_or(Activation::Linear, |layer| layer.activation)
    }

    /// Number of classes: the features of the last layer.
    pub fn classes(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.output.len())
    }
}
