//! Why somebody else's weights are not those of a model.

use super::WeightFileError;
use crate::gpu::GpuError;
use crate::message::debug_is_message;

/// What is wrong with the weights of somebody else, or with what was said of them.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] WeightFileError),
    /// The host has no memory for what layers begin with.
    #[error(transparent)]
    Memory(#[from] GpuError),
    /// The file of names.
    #[error("file of names `{file}`: {problem}")]
    Map {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A name that stands for nothing.
    #[error("{what} names `{name}`, but {problem}")]
    Unknown {
        /// What names it.
        what: &'static str,
        /// The name.
        name: String,
        /// Why it stands for nothing, and what was perhaps meant.
        problem: String,
    },
    /// A tensor has the name of a weight and another shape.
    #[error(transparent)]
    Shape(Box<OtherShape>),
    /// Which tensor is which weight is not certain.
    #[error(
        "weight file `{file}`: {problem}; say which it is in the [names] of a file of names, or leave one out with `ignore`"
    )]
    Ambiguous {
        /// The file.
        file: String,
        /// Which tensors and weights.
        problem: String,
    },
    /// Whose order the axes of a tensor have is not known.
    #[error(
        "weight file `{file}`: the order of the axes of `{theirs}`, which is to become `{ours}`, is not known; give \
         it a layout in the file of names: {{ name = \"{theirs}\", layout = \"pytorch\" }}, or \"keras\""
    )]
    Layout {
        /// The file.
        file: String,
        /// Their tensor.
        theirs: String,
        /// The weight.
        ours: String,
    },
    /// In which order features become an image is not known.
    #[error(
        "weight file `{file}`: the order in which PyTorch has the features of layer `{layer}` is not known: they \
         become an image, come from a Reshape to other channels, or are joined with others in another order; bring \
         `{theirs}` into the order [height, width, channels] and Keras's layout first, or let the layer keep its \
         initial weights with `fresh`"
    )]
    Features {
        /// The file.
        file: String,
        /// Their tensor.
        theirs: String,
        /// The layer.
        layer: String,
    },
    /// Weights have no tensor, or tensors no weight.
    #[error("weight file `{file}` and model `{model}` do not match: {}", left(.missing, .unused))]
    Left {
        /// The file.
        file: String,
        /// The model.
        model: String,
        /// Weights for which there is no tensor, with their shapes.
        missing: Vec<String>,
        /// Tensors for which there is no weight, with their shapes.
        unused: Vec<String>,
    },
}

debug_is_message!(ImportError);

/// A tensor with the name of a weight and another shape.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "weight file `{file}`: tensor `{theirs}` has shape {found:?}, but `{ours}` of shape {shape:?} needs {expected:?} \
     there; import it into a layer of that size, or let layer `{layer}` keep its initial weights with `fresh`"
)]
pub struct OtherShape {
    /// The file.
    pub file: String,
    /// Their tensor.
    pub theirs: String,
    /// Its shape.
    pub found: Vec<usize>,
    /// The weight.
    pub ours: String,
    /// Its layer.
    pub layer: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The shape that their tensor should have.
    pub expected: Vec<usize>,
}

debug_is_message!(OtherShape);

/// The most names of a list.
const MOST_LISTED: usize = 12;

fn left(missing: &[String], unused: &[String]) -> String {
    let listed = |names: &[String]| {
        let shown: Vec<&str> = names.iter().take(MOST_LISTED).map(String::as_str).collect();
        match names.len() - shown.len() {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    };
    let missing = (!missing.is_empty()).then(|| {
        format!(
            "no tensor in the file is {}; give their names in the [names] of a file of names (`map`), or let these \
             layers keep their initial weights with `fresh`",
            listed(missing)
        )
    });
    let unused = (!unused.is_empty()).then(|| {
        format!(
            "no weight of the model is {}; leave out what does not belong to it with `ignore`",
            listed(unused)
        )
    });
    missing.into_iter().chain(unused).collect::<Vec<_>>().join(". And ")
}
