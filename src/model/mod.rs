//! Models as values: layers, the shapes they give, their initial weights, and the model file.

mod advice;
mod class_names;
mod infer;
mod init;
mod network;
mod suggest;
mod summary;
mod weights;

pub use crate::layers::{
    ActivationLayer, Applied, Conv2D, Dense, Dropout, Flatten, Layer, LeakyReLU, MaxPooling2D, Padding, Pair,
    ReLU, Shape, Softmax, WeightSpec, WeightTensor,
};
pub use crate::ops::Activation;
pub use crate::optimizers::{
    Adadelta, Adam, AdamW, Clipping, Loss, Optimizer, OptimizerError, Regularizer, RmsProp, Sgd,
};
pub(crate) use class_names::check_class_names;
pub use network::{Network, NetworkLayer};
pub(crate) use suggest::with_suggestion;
pub(crate) use summary::{bytes, thousands};
pub use weights::Weights;

/// What is wrong with a model, in terms of the layer that is to be changed.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ModelError {
    /// A layer cannot stand where it stands or has an impossible setting.
    #[error("layer {index} `{layer}` ({class}): {problem}")]
    Layer {
        /// Position in the model, counted from 0.
        index: usize,
        /// The layer's name.
        layer: String,
        /// The layer's class, as in Keras.
        class: &'static str,
        /// What is wrong and what to change.
        problem: String,
    },
    /// The model as a whole cannot be used.
    #[error("model `{model}`: {problem}")]
    Model {
        /// The model's name.
        model: String,
        /// What is wrong and what to change.
        problem: String,
    },
    /// A setting of the optimizer is out of its range.
    #[error(transparent)]
    Optimizer(#[from] OptimizerError),
    /// The model file is not TOML or does not describe a model.
    #[error("model file `{file}`: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong, with its place.
        problem: String,
    },
    /// A set of weights does not belong to the model.
    #[error("weights: {problem}")]
    Weights {
        /// Which tensor, what was expected and what was found.
        problem: String,
    },
}

/// A model whose layers follow one another, as `keras.Sequential`.
///
/// ```
/// use shadegrad::model::{Activation, Conv2D, Dense, Flatten, MaxPooling2D, Sequential};
///
/// let model = Sequential::new([28, 28, 1])
///     .add(Conv2D::new(32, 3).activation(Activation::Relu))
///     .add(MaxPooling2D::new(2))
///     .add(Flatten::new())
///     .add(Dense::new(64).activation(Activation::Relu))
///     .add(Dense::new(10).activation(Activation::Softmax));
/// assert_eq!(model.network()?.parameter_count(), 347_146);
/// # Ok::<(), shadegrad::model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sequential {
    /// The model's name: part of the default output folder.
    pub name: String,
    /// Height, width and channels of one input image.
    pub input_shape: [usize; 3],
    /// The layers, input first.
    pub layers: Vec<Layer>,
}

impl Sequential {
    /// A model without layers for images of `[height, width, channels]`.
    pub fn new(input_shape: [usize; 3]) -> Self {
        Sequential { name: "sequential".to_owned(), input_shape, layers: Vec::new() }
    }

    /// Sets the model's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Appends a layer.
    #[expect(clippy::should_implement_trait, reason = "the word Keras uses; nothing is summed")]
    pub fn add(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// The shapes and weights of every layer, or the first layer that cannot be.
    pub fn network(&self) -> Result<Network, ModelError> {
        Network::infer(self)
    }

    /// A table of layers, output shapes and parameter counts, like Keras's `summary`.
    pub fn summary(&self) -> Result<String, ModelError> {
        Ok(summary::render(self, &self.network()?))
    }
}
