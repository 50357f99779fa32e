//! What a function of each element by itself says.

use crate::ops::kit::*;

/// What a gradient is computed from, beside that of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The function's output y: nothing else need be kept.
    Output,
    /// Its input x, which is then kept for the way back.
    Input,
}

/// A function in ONNX.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum OnnxForm {
    /// One operator.
    Operator(&'static str),
    /// One operator, and its attribute `alpha`.
    Alpha(&'static str, f32),
    /// The product of the input and what an operator makes of it.
    Gate(&'static str),
    /// Several operators, one after the other.
    Nodes(&'static [OnnxNode]),
}

/// One operator of several. It takes what the one before gave, the first one the function's input, and then these.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OnnxNode {
    pub(crate) operator: &'static str,
    pub(crate) with: &'static [OnnxInput],
}

/// What an operator takes besides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum OnnxInput {
    /// The function's input.
    X,
    /// A number.
    Constant(f32),
}

impl OnnxNode {
    pub(super) const fn new(operator: &'static str, with: &'static [OnnxInput]) -> Self {
        OnnxNode { operator, with }
    }
}

/// The names of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Names {
    /// In models.
    pub(super) function: &'static str,
    /// The kind of its step forward.
    pub(super) forward: &'static str,
    /// The kind of its step backward.
    pub(super) backward: &'static str,
}

/// The names of the function that models call so.
macro_rules! names {
    ($function:literal) => {
        $crate::ops::activation::pointwise::Names {
            function: $function,
            forward: concat!($function, "_forward"),
            backward: concat!($function, "_backward"),
        }
    };
}
pub(super) use names;

/// A function of each element by itself; a file of its own holds all that is said of it.
pub(super) trait Pointwise: Copy + PartialEq + Default + Sync {
    /// Its names.
    const NAMES: Names;
    /// Its shader: the functions `activation(x)` and `activation_gradient(at, dy)`.
    const SHADER: Source;
    /// What its gradient is computed from.
    const BY: By;
    /// The inputs at which it has a bend.
    const BENDS: &'static [f64];
    /// Whether all its values are above 0: divided by their sum they are probabilities.
    const POSITIVE: bool;
    /// Operations on one element, forward and backward.
    const FLOPS: [usize; 2];

    /// What it is in ONNX.
    fn onnx(self) -> OnnxForm;

    /// The function.
    fn value<T: Real>(self, x: T) -> T;

    /// The gradient of x, from that of y and what [`Pointwise::BY`] says.
    fn gradient<T: Real>(self, at: T, dy: T) -> T;

    /// How far the shader's value may be from that of the exact x.
    fn value_bound(self, x: f64) -> f64;

    /// How far the shader's gradient may be from that of the exact arguments.
    fn gradient_bound(self, at: f64, dy: f64) -> f64;

    /// Its settings, by the names that its shaders use.
    fn constants(self) -> Constants {
        Vec::new()
    }

    /// Its settings in words, behind a comma.
    fn title(self) -> String {
        String::new()
    }

    /// The settings on which its kernels are tried.
    fn samples() -> Vec<Self> {
        vec![Self::default()]
    }
}
