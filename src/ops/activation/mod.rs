//! Activations: functions of each element by itself, in place. One op for all of them forward, one backward.
//!
//! A new one is a WGSL file, a file here, and its name in this one: as a module, for others to use, and in the list.

mod backward;
mod elu;
mod forward;
mod gelu;
mod gelu_tanh;
mod hard_sigmoid;
mod hard_silu;
mod leaky_relu;
mod pointwise;
mod relu;
mod relu6;
mod selu;
mod sigmoid;
mod silu;
mod softplus;
mod tanh;

pub use backward::ActivationBackward;
pub use elu::Elu;
pub use forward::ActivationForward;
pub(super) use forward::cases;
pub use gelu::Gelu;
pub use gelu_tanh::GeluTanh;
pub use hard_sigmoid::HardSigmoid;
pub use hard_silu::HardSilu;
pub use leaky_relu::LeakyRelu;
pub(crate) use pointwise::{By, OnnxForm, OnnxInput};
pub use relu::Relu;
pub(super) use relu::{relu, relu_gradient};
pub use relu6::Relu6;
pub use selu::Selu;
pub use sigmoid::Sigmoid;
pub(super) use sigmoid::rough_sigmoid;
pub use silu::Silu;
pub use softplus::Softplus;
pub use tanh::Tanh;

use serde::{Deserialize, Serialize};

use super::kit::*;
use pointwise::{Names, Pointwise};

/// An activation with its settings: what is applied to the output of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Applied {
    /// Nothing.
    Linear,
    /// A function of each element by itself.
    Each(Function),
    /// Softmax over the last axis.
    Softmax,
}

/// The enum of all functions, and what each says of itself.
macro_rules! functions {
    ($($function:ident $(or $alias:literal)?),* $(,)?) => {
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
            $(
                #[doc = concat!("See [`", stringify!($function), "`].")]
                $(#[serde(alias = $alias)])?
                $function,
            )*
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

        }

        impl From<Activation> for Applied {
            fn from(activation: Activation) -> Self {
                match activation {
                    Activation::Linear => Applied::Linear,
                    $(Activation::$function => Applied::Each($function::default().into()),)*
                    Activation::Softmax => Applied::Softmax,
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

            /// The inputs at which it has a bend.
            pub(in crate::ops) fn bends(&self) -> &'static [f64] {
                match self { $(Function::$function(_) => $function::BENDS,)* }
            }

            /// What it is in ONNX.
            pub(crate) fn onnx(&self) -> OnnxForm {
                match self { $(Function::$function(function) => function.onnx(),)* }
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

functions! {
    Relu,
    LeakyRelu,
    Sigmoid,
    Tanh,
    Softplus,
    Silu or "swish",
    Gelu,
    GeluTanh,
    Elu,
    Selu,
    Relu6,
    HardSigmoid,
    HardSilu or "hard_swish",
}

impl Function {
    /// What its gradient is computed from, at its bends.
    pub(in crate::ops) fn at_bends(&self) -> Vec<f64> {
        let mut at = self.bends().to_vec();
        if self.by() == By::Output {
            self.values(&mut at);
        }
        at
    }

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
    use super::*;

    /// Model files and messages call each by one name.
    #[test]
    fn names_are_those_of_model_files() {
        for &activation in Activation::ALL {
            let name = toml::Value::String(activation.name().to_owned());
            assert_eq!(toml::Value::try_from(activation), Ok(name.clone()));
            assert_eq!(name.try_into::<Activation>(), Ok(activation));
        }
    }

    #[test]
    fn keras_has_other_names_of_some() {
        for (name, activation) in [("hard_swish", Activation::HardSilu), ("swish", Activation::Silu)] {
            assert_eq!(toml::Value::String(name.to_owned()).try_into::<Activation>(), Ok(activation));
        }
    }

    #[test]
    fn each_function_has_cases_both_ways() {
        for &activation in Activation::ALL {
            let Applied::Each(function) = Applied::from(activation) else { continue };
            for kind in [function.names().forward, function.names().backward] {
                assert!(crate::ops::cases().iter().any(|case| case.op.kind() == kind), "{kind}");
            }
        }
    }

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
