//! A model as a list of layers.

use super::Node;

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
    /// Height, width and channels of one input image.
    pub input_shape: [usize; 3],
    /// The layers in the order in which they are computed, input first.
    pub layers: Vec<Node>,
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
    pub fn add(mut self, layer: impl Into<Node>) -> Self {
        self.layers.push(layer.into());
        self
    }
}
