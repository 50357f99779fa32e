//! Activations: functions of each element by itself, in place. One op for all of them forward, one backward.
//!
//! A new one is a WGSL file, a file here, and its name in this one: as a module, for others to use, and in the list.

mod backward;
mod forward;
mod leaky_relu;
mod pointwise;
mod relu;
mod sigmoid;
mod silu;
mod softplus;
mod tanh;

pub use backward::ActivationBackward;
pub use forward::ActivationForward;
pub(super) use forward::cases;
pub use leaky_relu::LeakyRelu;
pub(crate) use pointwise::{By, OnnxForm};
pub use relu::Relu;
pub(super) use relu::{relu, relu_gradient};
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use softplus::Softplus;
pub use tanh::Tanh;

use serde::{Deserialize, Serialize};

use super::kit::*;
use pointwise::{Names, Pointwise};

/// The enum of all functions, and what each says of itself.
macro_rules! functions {
    ($($function:ident),* $(,)?) => {
        /// A function of each element by itself.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Function {
            $(#[doc = concat!("See [`", stringify!($function), "`].")] $function($function),)*
        }

        $(impl From<$function> for Function {
            fn from(function: $function) -> Self {
                Function::$function(function)
            }
        })*

        /// The function applied to every output of a layer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Activation {
            /// `y = x`.
            #[default]
            Linear,
            $(#[doc = concat!("See [`", stringify!($function), "`].")] $function,)*
            /// `y_i = exp(x_i) / sum_j exp(x_j)` over the last axis: the channels of an image, the features of a row.
            Softmax,
        }

        impl Activation {
            /// Every activation.
            pub const ALL: &[Activation] =
                &[Activation::Linear, $(Activation::$function,)* Activation::Softmax];

            /// Its name in models.
            pub fn name(self) -> &'static str {
                match self {
                    Activation::Linear => "linear",
                    $(Activation::$function => $function::NAMES.function,)*
                    Activation::Softmax => "softmax",
                }
            }

            /// The function of each element by itself, with its default settings; `None` for the two that are none.
            pub fn function(self) -> Option<Function> {
                match self {
                    Activation::Linear | Activation::Softmax => None,
                    $(Activation::$function => Some($function::default().into()),)*
                }
            }
        }

        impl Function {
            /// All functions, with the settings on which their kernels are tried.
            pub(crate) fn samples() -> Vec<Self> {
                let mut samples = Vec::new();
                $(samples.extend($function::samples().into_iter().map(Function::from));)*
                samples
            }

            fn names(&self) -> Names {
                match self { $(Function::$function(_) => $function::NAMES,)* }
            }

            pub(in crate::ops) fn shader(&self) -> Source {
                match self { $(Function::$function(_) => $function::SHADER,)* }
            }

            /// What its gradient is computed from.
            pub(crate) fn by(&self) -> By {
                match self { $(Function::$function(_) => $function::BY,)* }
            }

            pub(in crate::ops) fn bends(&self) -> bool {
                match self { $(Function::$function(_) => $function::BENDS,)* }
            }

            /// What it is in ONNX, and the attribute `alpha` where there is one.
            pub(crate) fn onnx(&self) -> (OnnxForm, Option<f32>) {
                match self {
                    $(Function::$function(function) => ($function::ONNX, function.onnx_alpha()),)*
                }
            }

            /// Whether all its values are above 0.
            pub(crate) fn positive(&self) -> bool {
                match self { $(Function::$function(_) => $function::POSITIVE,)* }
            }

            pub(in crate::ops) fn flops(&self) -> [usize; 2] {
                match self { $(Function::$function(_) => $function::FLOPS,)* }
            }

            pub(in crate::ops) fn constants(&self) -> Constants {
                match self { $(Function::$function(function) => function.constants(),)* }
            }

            pub(in crate::ops) fn title(&self) -> String {
                match self { $(Function::$function(function) => function.title(),)* }
            }

            pub(in crate::ops) fn values<T: Real>(&self, y: &mut [T]) {
                match *self { $(Function::$function(function) => change(y, |x| function.value(x)),)* }
            }

            pub(in crate::ops) fn gradients<T: Real>(&self, at: &[T], dy: &mut [T]) {
                match *self {
                    $(Function::$function(function) => change_by(at, dy, |at, dy| function.gradient(at, dy)),)*
                }
            }

            pub(in crate::ops) fn value_bound(&self, x: f64) -> f64 {
                match self { $(Function::$function(function) => function.value_bound(x),)* }
            }

            pub(in crate::ops) fn gradient_bound(&self, at: f64, dy: f64) -> f64 {
                match self { $(Function::$function(function) => function.gradient_bound(at, dy),)* }
            }
        }
    };
}

functions! { Relu, LeakyRelu, Sigmoid, Tanh, Softplus, Silu }

impl Function {
    /// Its name in models, and in the names of steps.
    pub fn name(&self) -> &'static str {
        self.names().function
    }

    /// The name of its steps backward.
    pub fn backward_name(&self) -> &'static str {
        self.names().backward
    }
}

#[cfg(test)]
mod tests {
    /// The page that shows how an activation is added shows the files as they are.
    #[test]
    fn the_page_shows_softplus_as_it_is() {
        let page = include_str!("../../../docs/adding-an-op.md");
        for file in [include_str!("softplus.rs"), include_str!("../../../shaders/activations/softplus.wgsl")]
        {
            assert!(page.contains(file), "{file}");
        }
    }
}
