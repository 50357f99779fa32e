//! Images moved at random along one axis, each way.

mod backward;
mod forward;
mod shape;

pub use backward::RandomShiftBackward;
pub use forward::RandomShiftForward;
pub use shape::{FillMode, ShiftShape};
