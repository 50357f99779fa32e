//! What can be wrong with a model.

use crate::message::debug_is_message;
use crate::optimizers::OptimizerError;

/// What is wrong with a model, in terms of the layer that is to be changed.
#[derive(thiserror::Error, PartialEq)]
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

debug_is_message!(ModelError);
