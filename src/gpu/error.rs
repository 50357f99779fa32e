//! What can go wrong on a device.

use std::sync::Arc;

use crate::executor::ExecutorError;
use crate::message::debug_is_message;

/// An error of a device, its driver or its memory.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// No adapter matches the request.
    #[error("no device matches `{asked}`; {found}")]
    NoAdapter {
        /// The request.
        asked: String,
        /// The available adapters, and what to do.
        found: String,
    },
    /// Several adapters match the requested name.
    #[error("`{asked}` fits several devices: {found}; name one by its number, such as {first}")]
    Ambiguous {
        /// The request.
        asked: String,
        /// The adapters that match.
        found: String,
        /// The number of the first of them.
        first: usize,
    },
    /// The driver did not open the device.
    #[error("{adapter}: the driver did not open the device: {reason}; try another device")]
    Open {
        /// The adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// An environment variable that affects devices has an invalid value.
    #[error("{adapter}: {reason}")]
    Setting {
        /// The adapter.
        adapter: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The adapter lacks something that every plan needs.
    #[error(
        "{adapter} cannot run compute shaders as needed: {problem}; try another device, or the CPU executor"
    )]
    Unsupported {
        /// The adapter.
        adapter: String,
        /// What is missing.
        problem: String,
    },
    /// A plan does not fit the adapter.
    #[error("{what} needs {needed} for `{limit}`, but {adapter} allows {allowed}; {remedy}")]
    Limit {
        /// The adapter.
        adapter: String,
        /// The buffer, step or data set.
        what: String,
        /// The limit, as WebGPU names it.
        limit: &'static str,
        /// What is needed.
        needed: u64,
        /// What the adapter allows.
        allowed: u64,
        /// What to change.
        remedy: &'static str,
    },
    /// A kernel was not accepted by the shader compiler.
    #[error("kernel `{kernel}`: {place}: {message}")]
    Kernel {
        /// Kind and variant.
        kernel: String,
        /// File and line, or the stage that failed.
        place: String,
        /// What the compiler said.
        message: String,
    },
    /// The driver has no memory left for a buffer.
    #[error(
        "{adapter}: no memory for buffer `{buffer}` of {bytes} bytes: {message}; \
         try a smaller batch size, close other programs that use this device, or use the CPU executor"
    )]
    Memory {
        /// The adapter.
        adapter: String,
        /// The buffer.
        buffer: String,
        /// Its size.
        bytes: u64,
        /// What the driver said.
        message: String,
    },
    /// The computer has no memory left.
    #[error(
        "there is no memory for {what}, {bytes} bytes; make the layers or the batch size smaller, or close other programs"
    )]
    HostMemory {
        /// What it was needed for.
        what: String,
        /// Its size.
        bytes: usize,
    },
    /// The driver reported an error, memory exhaustion among them.
    #[error(
        "{adapter}: {message}; try a smaller batch size, close other programs that use this device, or use the CPU executor"
    )]
    Device {
        /// The adapter.
        adapter: String,
        /// What the driver said.
        message: String,
    },
    /// The device is gone.
    #[error(
        "{adapter} was lost: {message}; everything that ran on it is lost; use a smaller batch size if this happens again, \
         or the CPU executor"
    )]
    Lost {
        /// The adapter.
        adapter: String,
        /// What the driver said.
        message: String,
    },
    /// The device did not answer in time.
    #[error("{adapter} did not answer within {seconds} s; use a smaller batch size, or the CPU executor")]
    Timeout {
        /// The adapter.
        adapter: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The arguments of a single step are not what it takes.
    #[error("{kind}: {problem}")]
    Arguments {
        /// The step kind.
        kind: &'static str,
        /// What is wrong with them.
        problem: String,
    },
}

debug_is_message!(GpuError);

impl GpuError {
    /// The error of a plan for batches of this many samples: if memory does not suffice, it adds the number.
    pub(super) fn of_batch(self, samples: usize) -> Self {
        match self {
            GpuError::Limit { adapter, what, limit, needed, allowed, remedy } => {
                let what = format!("{what} for batches of {samples} samples");
                GpuError::Limit { adapter, what, limit, needed, allowed, remedy }
            }
            GpuError::Memory { adapter, buffer, bytes, message } => {
                let message = format!("{message}; a batch has {samples} samples");
                GpuError::Memory { adapter, buffer, bytes, message }
            }
            other => other,
        }
    }
}

impl From<GpuError> for ExecutorError {
    fn from(error: GpuError) -> Self {
        ExecutorError::Device(Arc::new(error))
    }
}
