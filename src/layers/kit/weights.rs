//! Weights of layers.

use super::initializer::Initializer;

/// One weight tensor of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightSpec {
    /// `<layer>.<weight>`, such as `dense.kernel`.
    pub name: String,
    /// Convolution kernels HWIO, dense kernels `(in, out)`, biases `(out)`.
    pub shape: Vec<usize>,
    /// How it starts.
    pub initializer: Initializer,
    /// Whether training changes it by its gradient.
    pub trainable: bool,
    /// What it is, where the model says so: then it starts so and stays so.
    pub given: Option<Vec<f32>>,
}

impl WeightSpec {
    /// A trainable weight that its layer calls `what`.
    pub(crate) fn trainable(what: &str, shape: Vec<usize>, initializer: Initializer) -> Self {
        WeightSpec { name: what.to_owned(), shape, initializer, trainable: true, given: None }
    }

    /// A weight that its layer calls `what` and that no gradient changes.
    pub(crate) fn fixed(what: &str, shape: Vec<usize>, initializer: Initializer) -> Self {
        WeightSpec { trainable: false, ..WeightSpec::trainable(what, shape, initializer) }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no value at all; inference never gives such a tensor.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One named weight tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightTensor {
    /// `<layer>.<weight>`, such as `dense.kernel`.
    pub name: String,
    /// Convolution kernels HWIO, dense kernels `(in, out)`, biases `(out)`.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}
