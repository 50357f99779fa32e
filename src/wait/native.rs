//! Waiting blocks the thread.

use std::time::Duration;

pub(crate) use pollster::block_on;
pub(crate) use std::time::Instant;

/// Whether waiting is possible at all.
pub(crate) fn can_wait() -> bool {
    true
}

/// Work that was submitted to a device.
#[derive(Clone)]
pub(crate) struct Submitted(wgpu::SubmissionIndex);

impl Submitted {
    pub(crate) fn new(queue: &wgpu::Queue, commands: Option<wgpu::CommandBuffer>) -> Self {
        Submitted(queue.submit(commands))
    }

    /// Waits until it is done, and so is what was mapped with it.
    ///
    /// # Errors
    /// When it takes longer, or the device fails.
    ///
    /// # Panics
    /// wgpu does where the device is lost meanwhile.
    pub(crate) fn wait(self, device: &wgpu::Device, timeout: Duration) -> Result<(), wgpu::PollError> {
        device.poll(wgpu::PollType::Wait { submission_index: Some(self.0), timeout: Some(timeout) }).map(drop)
    }
}
