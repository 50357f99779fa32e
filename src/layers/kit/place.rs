//! Where a layer stands.

use crate::data::Shape;

/// A layer's place in a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Number of the layer in the model.
    pub(crate) index: usize,
    /// Its name.
    pub(crate) name: &'a str,
    /// Shapes of one sample of each input.
    pub(crate) inputs: &'a [Shape],
    /// Shape of one sample of the output.
    pub(crate) output: Shape,
    /// Whether training changes it.
    pub(crate) trainable: bool,
}

impl Place<'_> {
    /// The name of a step of the layer.
    pub(crate) fn step(&self, what: &str) -> String {
        format!("{}/{what}", self.name)
    }

    /// The full name of a weight that the layer calls so.
    pub(crate) fn weight(&self, what: &str) -> String {
        format!("{}.{what}", self.name)
    }

    /// Height, width and channels of the first input; shape inference lets only images reach layers that ask.
    pub(crate) fn image(&self) -> [usize; 3] {
        dims(self.inputs[0])
    }

    /// Height, width and channels of the output.
    pub(crate) fn images_out(&self) -> [usize; 3] {
        dims(self.output)
    }

    /// Channels of the output, or its features.
    pub(crate) fn channels(&self) -> usize {
        dims(self.output)[2]
    }
}

fn dims(shape: Shape) -> [usize; 3] {
    match shape {
        Shape::Image(dims) => dims,
        Shape::Flat(features) => [1, 1, features],
    }
}
