//! Adapters and devices.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::failure::{Failures, ON_PURPOSE};
use super::tally::{Event, Tally};
use super::{AdapterClass, Choices, GpuError, Kernel, device_memory};
use crate::panics::quietly;
use crate::plan::{BatchParams, Op};
use crate::wait::{self, Submitted};

/// The longest wait for work on a device.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The kind of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceKind {
    /// A separate graphics card.
    Discrete,
    /// A graphics unit in the processor.
    Integrated,
    /// A graphics unit passed to a virtual machine.
    Virtual,
    /// The driver did not say.
    Other,
    /// A driver that computes on the processor, such as lavapipe or WARP.
    Software,
}

impl std::fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            DeviceKind::Discrete => "discrete GPU",
            DeviceKind::Integrated => "integrated GPU",
            DeviceKind::Virtual => "virtual GPU",
            DeviceKind::Other => "unknown kind",
            DeviceKind::Software => "software",
        })
    }
}

/// An adapter of this machine.
#[derive(Debug, Clone)]
pub struct AdapterReport {
    adapter: wgpu::Adapter,
    name: String,
}

impl AdapterReport {
    fn new(adapter: wgpu::Adapter) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        let name = adapter.get_info().name;
        #[cfg(target_arch = "wasm32")]
        let name = super::browser::name();
        AdapterReport { adapter, name }
    }

    /// Its name, as the driver gives it, or what a browser tells.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// Its kind.
    pub fn kind(&self) -> DeviceKind {
        let info = self.adapter.get_info();
        if info.device_type != wgpu::DeviceType::Cpu && computes_on_processor(&info.name) {
            return DeviceKind::Software;
        }
        match info.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => DeviceKind::Integrated,
            wgpu::DeviceType::VirtualGpu => DeviceKind::Virtual,
            wgpu::DeviceType::Other => DeviceKind::Other,
            wgpu::DeviceType::Cpu => DeviceKind::Software,
        }
    }

    /// Bytes of its largest memory, as far as that is known: through Vulkan. On all but graphics cards that is the host's.
    pub fn memory(&self) -> Option<u64> {
        device_memory::of(&self.adapter)
    }

    /// The graphics API it is used through, such as `vulkan`.
    pub fn backend(&self) -> &'static str {
        self.adapter.get_info().backend.to_str()
    }

    /// Its place on the PCI bus, such as `0000:01:00.0`; `None` where there is none or the driver does not tell.
    pub fn pci(&self) -> Option<String> {
        Some(self.adapter.get_info().device_pci_bus_id).filter(|place| !place.is_empty())
    }

    /// Name and version of its driver; browsers do not tell them.
    pub fn driver(&self) -> String {
        let info = self.adapter.get_info();
        if info.backend == wgpu::Backend::BrowserWebGpu {
            return "the browser's".to_owned();
        }
        format!("{} {}", info.driver, info.driver_info).trim().to_owned()
    }

    /// Name, backend and driver, for results.
    pub fn title(&self) -> String {
        format!("{} ({}, {})", self.name(), self.backend(), self.driver())
    }

    /// The smallest and largest number of invocations in a subgroup.
    pub fn subgroup_sizes(&self) -> [u32; 2] {
        let info = self.adapter.get_info();
        [info.subgroup_min_size, info.subgroup_max_size]
    }

    /// Its limits.
    pub fn limits(&self) -> wgpu::Limits {
        self.adapter.limits()
    }

    /// What decides which kernels it runs.
    pub fn class(&self) -> AdapterClass {
        let [smallest, largest] = self.subgroup_sizes();
        let fixed = self.adapter.features().contains(wgpu::Features::SUBGROUP) && smallest == largest;
        let int64 = self.adapter.features().contains(wgpu::Features::SHADER_INT64);
        let hardware = self.kind() != DeviceKind::Software;
        AdapterClass { lanes: fixed.then_some(smallest), int64, hardware }
    }

    /// Whether the device can record the times of passes.
    pub fn has_timestamps(&self) -> bool {
        self.adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// Opens the device, with the limits of the adapter and those of its features that are used.
    ///
    /// # Errors
    /// When the adapter cannot run compute shaders or its driver refuses.
    pub fn open(&self) -> Result<Gpu, GpuError> {
        Gpu::open(self, Failures::from_environment(&self.name())?)
    }
}

/// Every adapter of this machine that can run compute shaders. `WGPU_BACKEND` narrows the list. In a browser it is one at most, and none
/// where the browser cannot wait for it (it has no JSPI).
pub fn adapters() -> Vec<AdapterReport> {
    if !wait::can_wait() {
        return Vec::new();
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let all = wait::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    all.into_iter()
        .filter(|adapter| {
            let flags = adapter.get_downlevel_capabilities().flags;
            flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
        })
        .map(AdapterReport::new)
        .collect()
}

/// Whether an adapter of this name computes on the processor, though what passes it on to a virtual machine calls it a GPU.
fn computes_on_processor(name: &str) -> bool {
    let name = name.to_lowercase();
    ["llvmpipe", "swiftshader", "basic render driver"].iter().any(|software| name.contains(software))
}

/// What every plan needs, and WebGPU guarantees: the widest kernel has eight arguments; the largest workgroup has 256 invocations and
/// 16 KiB of memory.
fn check_minimum(adapter: &str, limits: &wgpu::Limits) -> Result<(), GpuError> {
    let rows = [
        ("max_storage_buffers_per_shader_stage", limits.max_storage_buffers_per_shader_stage, 8),
        ("max_compute_invocations_per_workgroup", limits.max_compute_invocations_per_workgroup, 256),
        ("max_compute_workgroup_size_x", limits.max_compute_workgroup_size_x, 256),
        ("max_compute_workgroup_storage_size", limits.max_compute_workgroup_storage_size, 16_384),
        (
            "max_dynamic_uniform_buffers_per_pipeline_layout",
            limits.max_dynamic_uniform_buffers_per_pipeline_layout,
            1,
        ),
    ];
    match rows.iter().find(|(_, allowed, needed)| allowed < needed) {
        None => Ok(()),
        Some((limit, allowed, needed)) => Err(GpuError::Unsupported {
            adapter: adapter.to_owned(),
            problem: format!("`{limit}` is {allowed}, but {needed} is needed"),
        }),
    }
}

/// An open device; a clone is another handle to the same one.
#[derive(Debug, Clone)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    name: String,
    driver: String,
    kind: DeviceKind,
    limits: wgpu::Limits,
    class: AdapterClass,
    choices: Choices,
    report: AdapterReport,
    batch_layout: wgpu::BindGroupLayout,
    fault: Arc<Mutex<Option<Fault>>>,
    tally: Arc<Tally>,
    failures: Arc<Failures>,
}

/// Why a wait failed.
enum WaitError {
    Poll(wgpu::PollError),
    /// wgpu panicked, with this message.
    Panic(String),
}

/// Why a device was lost, in words.
fn how_lost(reason: wgpu::DeviceLostReason, message: String) -> String {
    match reason {
        wgpu::DeviceLostReason::Destroyed => ON_PURPOSE.to_owned(),
        _ if message.is_empty() => "the driver does not say why".to_owned(),
        _ => format!("the driver says: {message}"),
    }
}

/// Errors that the driver reported outside any call.
#[derive(Debug, Clone)]
enum Fault {
    Error(String),
    Lost(String),
}

impl Gpu {
    fn open(report: &AdapterReport, failures: Failures) -> Result<Gpu, GpuError> {
        let name = report.name();
        let limits = report.limits();
        check_minimum(&name, &limits)?;
        let optional =
            wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("shadegrad"),
            required_features: report.adapter.features() & optional,
            required_limits: limits.clone(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            trace: wgpu::Trace::Off,
        };
        let (device, queue) = wait::block_on(report.adapter.request_device(&descriptor))
            .map_err(|error| GpuError::Open { adapter: name.clone(), reason: error.to_string() })?;
        let fault = Arc::new(Mutex::new(None));
        let note = |fault: &Arc<Mutex<Option<Fault>>>, what: Fault| {
            let mut fault = fault.lock().unwrap_or_else(PoisonError::into_inner);
            // Calls on a lost device fail because it is lost.
            if fault.is_none() || matches!(what, Fault::Lost(_)) {
                *fault = Some(what);
            }
        };
        let on_error = Arc::clone(&fault);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            note(&on_error, Fault::Error(error.to_string()));
        }));
        let on_lost = Arc::clone(&fault);
        device.set_device_lost_callback(move |reason, message| {
            note(&on_lost, Fault::Lost(how_lost(reason, message)));
        });
        let batch_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("step"),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: true,
                    min_binding_size: wgpu::BufferSize::new(size_of::<BatchParams>() as u64),
                },
                count: None,
            }],
        });
        Ok(Gpu {
            device,
            queue,
            name,
            driver: report.driver(),
            kind: report.kind(),
            limits,
            class: report.class(),
            choices: Choices::default(),
            report: report.clone(),
            batch_layout,
            fault,
            tally: Arc::default(),
            failures: Arc::new(failures),
        })
    }

    /// Another device on the same adapter, with a queue of its own.
    pub(crate) fn sibling(&self) -> Result<Gpu, GpuError> {
        // A planned failure belongs to the device that computes.
        Gpu::open(&self.report, Failures::default())
    }

    pub(super) fn failures(&self) -> &Failures {
        &self.failures
    }

    /// The adapter's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its kind.
    pub fn kind(&self) -> DeviceKind {
        self.kind
    }

    /// Name, backend and driver, for results.
    pub fn title(&self) -> String {
        self.report.title()
    }

    /// Whether it is used through Metal.
    pub(super) fn is_metal(&self) -> bool {
        self.report.adapter.get_info().backend == wgpu::Backend::Metal
    }

    /// Name and version of its driver.
    pub(crate) fn driver(&self) -> &str {
        &self.driver
    }

    /// What the adapter allows.
    pub fn limits(&self) -> &wgpu::Limits {
        &self.limits
    }

    /// What decides which kernels it runs.
    pub fn class(&self) -> AdapterClass {
        self.class
    }

    /// The same device with other kernels for some steps.
    pub fn choosing(&self, choices: Choices) -> Gpu {
        Gpu { choices, ..self.clone() }
    }

    /// The same device with no other kernels than those that a browser runs on it: none that need subgroups or integers of 64 bits, which
    /// browsers do not offer.
    pub fn of_web(&self) -> Gpu {
        Gpu { class: AdapterClass { lanes: None, int64: false, ..self.class }, ..self.clone() }
    }

    /// The same device with the kernels that hardware runs, whatever it is.
    pub fn of_hardware(&self) -> Gpu {
        Gpu { class: AdapterClass { hardware: true, ..self.class }, ..self.clone() }
    }

    /// The kernel that runs a step here; `None` only for a kind without a row.
    pub fn kernel(&self, op: &Op) -> Option<Kernel> {
        self.choices.kernel(op, self.class)
    }

    #[cfg(all(feature = "cli", any(target_os = "linux", windows)))]
    pub(super) fn adapter(&self) -> &wgpu::Adapter {
        &self.report.adapter
    }

    pub(crate) fn device(&self) -> &wgpu::Device {
        &self.device
    }

    pub(crate) fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// Counts what was made on this device or read from it.
    pub(super) fn count(&self, event: Event, times: u64) {
        self.tally.add(event, times);
    }

    #[cfg(test)]
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Layout of group 1: one [`BatchParams`] at a dynamic offset.
    pub(crate) fn batch_layout(&self) -> &wgpu::BindGroupLayout {
        &self.batch_layout
    }

    /// Bytes from one row of a batch table to the next.
    pub(crate) fn batch_stride(&self) -> u64 {
        let alignment = self.limits.min_uniform_buffer_offset_alignment as usize;
        size_of::<BatchParams>().next_multiple_of(alignment) as u64
    }

    /// Waits until a submission is done, and reports errors that occurred meanwhile.
    pub(crate) fn wait(&self, submission: Submitted) -> Result<(), GpuError> {
        let polled = self.poll(submission);
        self.check()?;
        match polled {
            Ok(()) => Ok(()),
            Err(WaitError::Poll(wgpu::PollError::Timeout)) => {
                self.keep_open();
                Err(GpuError::Timeout { adapter: self.name.clone(), seconds: TIMEOUT.as_secs() })
            }
            Err(WaitError::Poll(error)) => Err(self.device_error(error.to_string())),
            Err(WaitError::Panic(message)) => Err(GpuError::Lost { adapter: self.name.clone(), message }),
        }
    }

    /// Waits. If the driver reports during a wait that the device is lost, wgpu panics: here that becomes an error.
    fn poll(&self, submission: Submitted) -> Result<(), WaitError> {
        if self.failures.is_timed_out() {
            return Err(WaitError::Poll(wgpu::PollError::Timeout));
        }
        let polled = quietly(|| {
            if self.failures.is_lost_in_wait() {
                self.lose();
                // As wgpu does.
                panic!("{ON_PURPOSE}");
            }
            submission.wait(&self.device, TIMEOUT)
        });
        polled.map_err(WaitError::Panic)?.map_err(WaitError::Poll)
    }

    /// Keeps the device from being closed: closing waits until it is idle, which a device that does not answer may
    /// never be. So the program can still end.
    fn keep_open(&self) {
        std::mem::forget((self.device.clone(), self.queue.clone()));
    }

    /// Reports an error that the driver raised outside any call.
    pub(crate) fn check(&self) -> Result<(), GpuError> {
        match self.fault() {
            None => Ok(()),
            Some(Fault::Error(message)) => Err(self.device_error(message)),
            Some(Fault::Lost(message)) => Err(GpuError::Lost { adapter: self.name.clone(), message }),
        }
    }

    /// The error of a call; if the device is lost, that is reported instead.
    pub(crate) fn device_error(&self, message: String) -> GpuError {
        let adapter = self.name.clone();
        match self.fault() {
            Some(Fault::Lost(message)) => GpuError::Lost { adapter, message },
            _ => GpuError::Device { adapter, message },
        }
    }

    fn fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::computes_on_processor;

    #[test]
    fn software_is_known_by_its_name_behind_a_virtual_gpu() {
        for name in [
            "Virtio-GPU Venus (llvmpipe (LLVM 15.0.6, 256 bits))",
            "SwiftShader Device (LLVM 10)",
            "Microsoft Basic Render Driver",
        ] {
            assert!(computes_on_processor(name), "{name}");
        }
        for name in ["Virtio-GPU Venus (NVIDIA GeForce RTX 3060)", "AMD Radeon RX 7900 XTX (RADV NAVI31)", ""]
        {
            assert!(!computes_on_processor(name), "{name}");
        }
    }
}
