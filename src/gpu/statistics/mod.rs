//! What a driver's compiler made of kernels: registers, spills, instructions, as far as it tells
//! (`VK_KHR_pipeline_executable_properties`, <https://registry.khronos.org/vulkan/specs/latest/man/html/VK_KHR_pipeline_executable_properties.html>).
//!
//! wgpu asks for none of this. Kernels are compiled here a second time, on a device of their own that is opened as wgpu opens it and with
//! this extension besides, from the words that wgpu would hand to the driver.

#[cfg(not(any(target_os = "linux", windows)))]
mod elsewhere;
#[cfg(any(target_os = "linux", windows))]
mod vulkan;

#[cfg(not(any(target_os = "linux", windows)))]
pub use elsewhere::StatisticsDevice;
#[cfg(any(target_os = "linux", windows))]
pub use vulkan::StatisticsDevice;

/// What a driver says of one kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelStatistics {
    /// Invocations that run in step.
    pub lanes: u32,
    /// What the driver calls each figure, and the figure.
    pub figures: Vec<(String, f64)>,
}

impl KernelStatistics {
    /// The figure that drivers call by one of these names; the first that there is.
    pub fn figure(&self, names: &[&str]) -> Option<f64> {
        let of = |name: &&str| self.figures.iter().find(|(known, _)| known == name);
        names.iter().find_map(of).map(|&(_, figure)| figure)
    }
}
