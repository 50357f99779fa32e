//! A model as a list of layers.

use super::Node;
use crate::data::{Shape, TargetKind};

/// A model as a list of layers, each of which takes what the one before it gives, as `keras.Sequential`, or what the layers give that it
/// names, as in Keras's functional API: see [`Functional`](super::Functional).
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
    /// Of one input: height, width and channels of an image, or a number of features.
    pub input_shape: Shape,
    /// What the target of a sample is; classes by default.
    pub target: TargetKind,
    /// The layers in the order in which they are computed, input first.
    pub layers: Vec<Node>,
}

impl Sequential {
    /// A model without layers for images of `[height, width, channels]`, or of `[height, width]` with one channel, or for rows of
    /// `[features]`.
    pub fn new(input_shape: impl Into<Shape>) -> Self {
        let (name, input_shape, target) =
            ("sequential".to_owned(), input_shape.into(), TargetKind::default());
        Sequential { name, input_shape, target, layers: Vec::new() }
    }

    /// Sets what the target of a sample is: data sets must have targets of this kind.
    pub fn target(mut self, target: TargetKind) -> Self {
        self.target = target;
        self
    }

    /// Sets the model's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Appends a layer.
    #[expect(clippy::should_implement_trait, reason = "the word Keras uses; nothing is summed")]
    pub fn add(mut self, layer: impl Into<Node>) -> Self {
        self.layers.push(layer.into());
        self
    }
}
