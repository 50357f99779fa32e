//! What a map of a score cannot be asked of.

use crate::message::debug_is_message;

/// Why there is no saliency or Grad-CAM of this.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributionError {
    /// There is not one class for each sample.
    #[error("there are {classes} classes for {samples} samples; give one for each")]
    Count {
        /// The classes that were given.
        classes: usize,
        /// The samples that were given.
        samples: usize,
    },
    /// The model has no such class.
    #[error("class {class} of sample {sample} is not one of the model's {classes}, which are counted from 0")]
    Class {
        /// The number of the sample.
        sample: usize,
        /// The class that was asked for.
        class: usize,
        /// How many the model has.
        classes: usize,
    },
    /// The model has no such layer, or its output is no image.
    #[error(
        "the model has no layer `{layer}` whose output is an image; {}",
        if images.is_empty() { "it has none at all".to_owned() } else { format!("there are {}", images.join(", ")) }
    )]
    Layer {
        /// What was asked for.
        layer: String,
        /// The layers whose outputs are images.
        images: Vec<String>,
    },
    /// The model has no convolution to look at.
    #[error(
        "the model has no layer with filters whose output is an image of more than one position; name another layer, \
         or use the saliency, which needs none"
    )]
    NoFilters,
}

debug_is_message!(AttributionError);
