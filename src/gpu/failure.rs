//! Deliberate failures of a device, for tests of what follows from them.
//!
//! Drivers do not fail on demand. In a program, [`Gpu::fail`](super::Gpu::fail) plans one failure of an open device. The variable
//! [`FAIL_VARIABLE`] plans one for each device that is opened, so that the whole program can be tested; a warning
//! says that it is set. Nothing else reads either.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::GpuError;

/// The variable that plans a failure of each device that is opened, such as `device-lost@12`. For tests only.
pub const FAIL_VARIABLE: &str = "SHADEGRAD_FAIL";

/// The message in place of a driver's.
pub(super) const ON_PURPOSE: &str = "it was made to fail, for a test";

/// A failure. Batches of all passes count (training, evaluation, prediction); batches and buffers are numbered from
/// 1, from when the failure is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The device is lost before it gets this batch.
    DeviceLost(u64),
    /// The device is lost during the wait after this batch; then wgpu panics.
    LostInWait(u64),
    /// The driver has no memory for this buffer.
    Allocation(u64),
    /// From this batch on the device does not answer.
    Timeout(u64),
}

impl FromStr for Failure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('@');
        let parsed = parts.and_then(|(kind, number)| Some((kind, number.parse().ok().filter(|&at| at > 0)?)));
        Ok(match parsed {
            Some(("device-lost", batch)) => Failure::DeviceLost(batch),
            Some(("lost-in-wait", batch)) => Failure::LostInWait(batch),
            Some(("allocation", buffer)) => Failure::Allocation(buffer),
            Some(("timeout", batch)) => Failure::Timeout(batch),
            _ => {
                return Err(format!(
                    "`{FAIL_VARIABLE}` is `{text}`, but must be device-lost@N, lost-in-wait@N, allocation@N or \
                     timeout@N with N from 1 on; it makes devices fail for tests: unset it"
                ));
            }
        })
    }
}

/// A planned failure, and what was counted so far.
#[derive(Debug, Clone, Copy)]
struct Plan {
    failure: Failure,
    /// Batches or buffers so far.
    counted: u64,
}

/// The failure that is planned for a device.
#[derive(Debug, Default)]
pub(super) struct Failures {
    plan: Mutex<Option<Plan>>,
    pub(super) timed_out: AtomicBool,
    pub(super) lost_in_wait: AtomicBool,
}

/// The failure in the environment variable, if it is set.
fn planned(gpu: &str) -> Result<Option<Failure>, GpuError> {
    let Some(value) = std::env::var_os(FAIL_VARIABLE) else { return Ok(None) };
    let failure = value.to_string_lossy().parse();
    failure.map(Some).map_err(|reason: String| GpuError::Setting { adapter: gpu.to_owned(), reason })
}

/// Refuses an invalid value of the variable, whatever device is opened.
pub(crate) fn check_failures() -> Result<(), GpuError> {
    planned("every device").map(|_| ())
}

impl Failures {
    /// Plans the failure in the variable.
    pub(super) fn from_environment(gpu: &str) -> Result<Self, GpuError> {
        let failures = Failures::default();
        if let Some(failure) = planned(gpu)? {
            log::warn!("`{FAIL_VARIABLE}` is set: {gpu} will fail on purpose");
            failures.plan(failure);
        }
        Ok(failures)
    }

    pub(super) fn plan(&self, failure: Failure) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(Plan { failure, counted: 0 });
    }

    /// Counts, and returns the failure if it is due; it occurs once.
    pub(super) fn due(&self, times: u64, number: impl Fn(Failure) -> Option<u64>) -> Option<Failure> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let Plan { failure, counted } = plan.as_mut()?;
        let (failure, number) = (*failure, number(*failure)?);
        *counted += times;
        if *counted < number {
            return None;
        }
        *plan = None;
        Some(failure)
    }

    /// Whether the driver shall have no memory for the requested buffer.
    pub(super) fn refuses_buffer(&self) -> bool {
        let buffer = |failure| match failure {
            Failure::Allocation(number) => Some(number),
            _ => None,
        };
        self.due(1, buffer).is_some()
    }

    /// Whether the device shall not answer.
    pub(super) fn is_timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Relaxed)
    }

    /// Whether the device shall be lost in the coming wait.
    pub(super) fn is_lost_in_wait(&self) -> bool {
        self.lost_in_wait.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_kind_and_a_number() {
        let rows = [
            ("device-lost@12", Some(Failure::DeviceLost(12))),
            ("lost-in-wait@1", Some(Failure::LostInWait(1))),
            ("allocation@3", Some(Failure::Allocation(3))),
            ("timeout@7", Some(Failure::Timeout(7))),
            ("timeout@0", None),
            ("timeout", None),
            ("timeout@-1", None),
            ("nonesuch@1", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse::<Failure>().ok(), expected, "{text}");
        }
    }

    #[test]
    fn it_comes_once_when_it_is_due() {
        let failures = Failures::default();
        failures.plan(Failure::Allocation(3));
        let refused: Vec<bool> = (0..5).map(|_| failures.refuses_buffer()).collect();
        assert_eq!(refused, [false, false, true, false, false]);
    }
}
