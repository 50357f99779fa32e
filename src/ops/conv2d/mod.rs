//! Convolution, each way.

mod backward_input;
mod backward_kernel;
mod columns;
mod depthwise;
mod forward;
mod input_products;
mod part;
mod residues;
mod shape;

pub use backward_input::Conv2dBackwardInput;
pub use backward_kernel::Conv2dBackwardKernel;
pub use forward::Conv2dForward;
pub(super) use forward::conv2d_forward;
pub use part::ImagePart;
pub use shape::ConvShape;
pub(super) use shape::MOST_TAPS;
