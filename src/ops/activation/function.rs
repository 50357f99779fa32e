//! The list of all functions.

use super::leaky_relu::LeakyRelu;
use super::pointwise::{By, Names, Pointwise};
use super::relu::Relu;
use super::sigmoid::Sigmoid;
use super::tanh::Tanh;
use crate::ops::kit::*;

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

        impl Function {
            /// Functions with the settings on which the kernels forward and those backward are tried.
            pub(super) fn samples() -> [Vec<Self>; 2] {
                let mut samples = [Vec::new(), Vec::new()];
                $(for (all, of_one) in samples.iter_mut().zip($function::samples()) {
                    all.extend(of_one.into_iter().map(Function::from));
                })*
                samples
            }

            pub(super) fn names(&self) -> Names {
                match self { $(Function::$function(_) => $function::NAMES,)* }
            }

            pub(super) fn shaders(&self) -> [Source; 2] {
                match self { $(Function::$function(_) => $function::SHADERS,)* }
            }

            pub(super) fn by(&self) -> By {
                match self { $(Function::$function(_) => $function::BY,)* }
            }

            pub(super) fn bends(&self) -> bool {
                match self { $(Function::$function(_) => $function::BENDS,)* }
            }

            pub(super) fn flops(&self) -> [usize; 2] {
                match self { $(Function::$function(_) => $function::FLOPS,)* }
            }

            pub(super) fn constants(&self) -> Constants {
                match self { $(Function::$function(function) => function.constants(),)* }
            }

            pub(super) fn title(&self) -> String {
                match self { $(Function::$function(function) => function.title(),)* }
            }

            pub(super) fn values<T: Real>(&self, y: &mut [T]) {
                match *self { $(Function::$function(function) => change(y, |x| function.value(x)),)* }
            }

            pub(super) fn gradients<T: Real>(&self, at: &[T], dy: &mut [T]) {
                match *self {
                    $(Function::$function(function) => change_by(at, dy, |at, dy| function.gradient(at, dy)),)*
                }
            }

            pub(super) fn value_bound(&self, x: f64) -> f64 {
                match self { $(Function::$function(function) => function.value_bound(x),)* }
            }

            pub(super) fn gradient_bound(&self, at: f64, dy: f64) -> f64 {
                match self { $(Function::$function(function) => function.gradient_bound(at, dy),)* }
            }
        }
    };
}

functions! { Relu, LeakyRelu, Sigmoid, Tanh }

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
