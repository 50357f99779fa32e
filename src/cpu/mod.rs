//! The CPU executor: the same plan run by the twins of its ops, which are the oracle for the shaders and the fallback without
//! a GPU. It shares no code with the GPU path.

mod data;
mod executor;

pub use crate::ops::{Arg, OtherArguments, Real};
pub use executor::CpuExecutor;
