//! Weights of layers.

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
    /// All one.
    Ones,
}

/// One weight tensor of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightSpec {
    /// `<layer>.<weight>`, such as `dense.kernel`.
    pub name: String,
    /// Convolution kernels HWIO, dense kernels `(in, out)`, biases `(out)`.
    pub shape: Vec<usize>,
    /// How it starts.
    pub initializer: Initializer,
    /// Whether training changes it by its gradient.
    pub trainable: bool,
}

impl WeightSpec {
    /// A trainable weight that its layer calls `what`.
    pub(crate) fn trainable(what: &str, shape: Vec<usize>, initializer: Initializer) -> Self {
        WeightSpec { name: what.to_owned(), shape, initializer, trainable: true }
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

/// Inputs that reach one output through a kernel of this shape, and outputs that one input reaches: its last two dimensions, times
/// the area before them. Source: `compute_fans` in `keras/src/initializers/random_initializers.py`.
pub(crate) fn fans(kernel: &[usize]) -> [usize; 2] {
    let Some((&fan_out, rest)) = kernel.split_last() else { return [1, 1] };
    let Some((&fan_in, area)) = rest.split_last() else { return [fan_out; 2] };
    let area = area.iter().fold(1usize, |area, &dim| area.saturating_mul(dim));
    [area.saturating_mul(fan_in), area.saturating_mul(fan_out)]
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
