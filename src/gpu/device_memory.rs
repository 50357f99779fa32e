//! How much memory a graphics card has.

/// Bytes of the largest memory of the device itself; `None` where it is not reached through Vulkan.
#[cfg(any(target_os = "linux", windows))]
pub(super) fn of(adapter: &wgpu::Adapter) -> Option<u64> {
    /// `VK_MEMORY_HEAP_DEVICE_LOCAL_BIT`.
    const DEVICE_LOCAL: u32 = 1;
    // SAFETY: the adapter is used while it is held, and not destroyed.
    let adapter = unsafe { adapter.as_hal::<wgpu::hal::api::Vulkan>() }?;
    let instance = adapter.shared_instance().raw_instance();
    // SAFETY: the device is one of this instance, which lives as long as the adapter.
    let memory = unsafe { instance.get_physical_device_memory_properties(adapter.raw_physical_device()) };
    let heaps = memory.memory_heaps.iter().take(memory.memory_heap_count as usize);
    heaps.filter(|heap| heap.flags.as_raw() & DEVICE_LOCAL != 0).map(|heap| heap.size).max()
}

/// Of no other API that is known.
#[cfg(not(any(target_os = "linux", windows)))]
pub(super) fn of(_: &wgpu::Adapter) -> Option<u64> {
    None
}
