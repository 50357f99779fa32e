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

    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no value at all; inference never gives such a tensor.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A kernel of this shape, Glorot uniform, and a bias for each of its outputs, zero.
pub(crate) fn kernel_and_bias(kernel: Vec<usize>, fan_in: usize, fan_out: usize) -> Vec<WeightSpec> {
    let outputs = kernel.last().copied().unwrap_or(0);
    vec![
        WeightSpec::trainable("kernel", kernel, Initializer::GlorotUniform { fan_in, fan_out }),
        WeightSpec::trainable("bias", vec![outputs], Initializer::Zeros),
    ]
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
