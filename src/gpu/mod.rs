//! The GPU executor: adapters, the kernel table, and the same plan run by compute shaders.

pub(crate) mod backend;
mod choices;
mod constants;
mod context;
mod error;
mod executor;
mod failure;
mod feed;
mod flight;
mod kernel;
mod kernels;
mod memory;
pub(crate) mod names;
mod once;
mod probe;
mod source;
mod steps;
mod stream;
mod table;
mod tally;
mod timing;
mod warm_up;

pub use choices::Choices;
pub use context::{AdapterReport, DeviceKind, Gpu, adapters};
pub use error::GpuError;
pub use executor::GpuExecutor;
pub(crate) use failure::check_failures;
pub use failure::{FAIL_VARIABLE, Failure};
pub use feed::Streaming;
pub use kernel::{BuiltKernel, Checks, Element, Kernel};
pub use kernels::{AdapterClass, KERNELS, choose, variants};
pub use probe::{PROBES, Probe, Roofs};
pub use source::{SHARED, Source};
pub(crate) use timing::Stamps;
