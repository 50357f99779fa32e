//! Models as values: layers, the shapes they give, and their initial weights.

mod advice;
mod class_names;
mod error;
mod functional;
mod infer;
mod init;
mod network;
mod node;
mod sequential;
mod suggest;
mod summary;
mod weights;
mod wiring;

pub use crate::layers::*;
pub use crate::ops::Activation;
pub use crate::optimizers::{
    Adadelta, Adam, AdamW, BinaryCrossentropy, CategoricalCrossentropy, Clipping, Ema, Huber, Lion, Loss,
    Optimizer, OptimizerError, Regularizer, RmsProp, Sgd,
};
pub(crate) use class_names::{check_class_names, check_feature_names};
pub use error::ModelError;
pub use functional::{Functional, Output};
pub use network::{Network, NetworkLayer};
pub use node::Node;
pub use sequential::Sequential;
pub(crate) use suggest::{nearest, unknown_name, with_suggestion};
pub(crate) use summary::{bytes, thousands};
pub use weights::Weights;

impl Sequential {
    /// The shapes and weights of every layer, or the first layer that cannot be.
    pub fn network(&self) -> Result<Network, ModelError> {
        Network::infer(self)
    }

    /// A table of layers, output shapes and parameter counts, like Keras's `summary`; it is at most 80 columns wide.
    ///
    /// # Errors
    /// Of [`network`](Self::network).
    pub fn summary(&self) -> Result<String, ModelError> {
        self.summary_in(80)
    }

    /// The same for a terminal of this many columns: where the table does not fit, it is a list, of at least 40 columns or so.
    ///
    /// # Errors
    /// Of [`network`](Self::network).
    pub fn summary_in(&self, columns: usize) -> Result<String, ModelError> {
        Ok(summary::render(self, &self.network()?, columns))
    }
}
