//! The GPU executor: adapters, kernels, and the same plan run by compute shaders.

pub(crate) mod backend;
#[cfg(target_arch = "wasm32")]
mod browser;
mod choices;
mod class;
mod context;
mod device_memory;
mod error;
mod executor;
mod fail;
mod failure;
mod feed;
mod flight;
mod kernel;
mod memory;
pub(crate) mod names;
mod once;
mod parts;
mod probe;
mod seam;
#[cfg(feature = "cli")]
mod statistics;
mod steps;
mod stream;
mod table;
mod tally;
mod timing;
mod warm_up;

pub use crate::ops::{Element, Form, Kernel, SHARED, Source};
pub use choices::Choices;
pub use class::{AdapterClass, choose, variants};
pub use context::{AdapterReport, DeviceKind, Gpu, adapters};
pub use error::GpuError;
pub use executor::GpuExecutor;
pub(crate) use failure::check_failures;
pub use failure::{FAIL_VARIABLE, Failure};
pub use feed::Streaming;
pub use kernel::{BuiltKernel, Checks};
pub use probe::{PROBES, Probe, Roofs};
#[cfg(feature = "cli")]
pub(crate) use statistics::{KernelStatistics, StatisticsDevice};
pub(crate) use timing::Stamps;
