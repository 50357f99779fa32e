//! Failures on purpose, planned for an open device.

use std::sync::atomic::Ordering;

use super::Gpu;
use super::failure::Failure;

impl Gpu {
    /// Plans a failure of this device, for a test. It replaces one that has not occurred yet.
    pub fn fail(&self, failure: Failure) {
        self.failures().plan(failure);
    }

    /// Called before this many batches are submitted to the device.
    pub(super) fn before_batches(&self, batches: usize) {
        let batch = |failure| match failure {
            Failure::Allocation(_) => None,
            Failure::DeviceLost(number) | Failure::LostInWait(number) | Failure::Timeout(number) => {
                Some(number)
            }
        };
        match self.failures().due(batches as u64, batch) {
            Some(Failure::DeviceLost(_)) => self.lose(),
            Some(Failure::LostInWait(_)) => self.failures().lost_in_wait.store(true, Ordering::Relaxed),
            Some(Failure::Timeout(_)) => self.failures().timed_out.store(true, Ordering::Relaxed),
            Some(Failure::Allocation(_)) | None => {}
        }
    }

    /// Loses the device, as a driver does when it resets it.
    pub(super) fn lose(&self) {
        self.device().destroy();
        // The loss is reported once nothing is in progress.
        let _ = self.device().poll(wgpu::PollType::wait_indefinitely());
    }
}
