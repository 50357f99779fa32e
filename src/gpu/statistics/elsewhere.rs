//! Where no driver is asked.

use super::KernelStatistics;
use crate::gpu::{Gpu, GpuError};
use crate::ops::Kernel;

/// Never opened: no driver of this system tells.
pub enum StatisticsDevice {}

impl StatisticsDevice {
    /// None.
    ///
    /// # Errors
    /// Never.
    pub fn open(_: &Gpu) -> Result<Option<Self>, GpuError> {
        Ok(None)
    }

    /// Never called.
    ///
    /// # Errors
    /// Never.
    pub fn of(&self, _: &Kernel, _: &str) -> Result<KernelStatistics, GpuError> {
        match *self {}
    }
}
