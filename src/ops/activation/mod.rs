//! Activations: functions of each element by itself, in place. One op for all of them forward, one backward.
//!
//! A new one is a WGSL file, a file here, and its line in the list below.

mod backward;
mod forward;
mod function;
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
pub use function::{Activation, Function};
pub use leaky_relu::LeakyRelu;
pub(crate) use pointwise::{By, OnnxForm};
pub use relu::Relu;
pub(super) use relu::{relu, relu_gradient};
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use softplus::Softplus;
pub use tanh::Tanh;
