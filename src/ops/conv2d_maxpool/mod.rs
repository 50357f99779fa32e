//! Convolution and max-pooling at once, each way.

mod backward_kernel;
mod forward;
mod shape;

pub use backward_kernel::Conv2dMaxpoolBackwardKernel;
pub use forward::Conv2dMaxpoolForward;
pub use shape::ConvPoolShape;
