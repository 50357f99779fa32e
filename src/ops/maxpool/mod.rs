//! Max-pooling, each way.

mod backward;
mod forward;
mod shape;

pub use backward::MaxpoolBackward;
pub use forward::MaxpoolForward;
pub(super) use forward::maxpool_forward;
pub use shape::PoolShape;
pub(super) use shape::{pack, unpacked, winner};
