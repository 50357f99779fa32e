//! Statistics through Vulkan.

use ash::vk;
use wgpu::hal::api::Vulkan;
use wgpu::naga::back::spv;
use wgpu::naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};
use wgpu::naga::{ShaderStage, front};

use super::KernelStatistics;
use crate::gpu::{Gpu, GpuError};
use crate::ops::Kernel;

/// A device whose driver tells what it made of kernels.
pub struct StatisticsDevice {
    open: wgpu::hal::OpenDevice<Vulkan>,
    executables: ash::khr::pipeline_executable_properties::Device,
    adapter: String,
}

impl StatisticsDevice {
    /// Opens one on the adapter of a device; `None` where that is not reached through Vulkan, or its driver does not tell.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn open(gpu: &Gpu) -> Result<Option<Self>, GpuError> {
        let refused = |reason: String| GpuError::Open { adapter: gpu.name().to_owned(), reason };
        // SAFETY: the adapter is used while it is held, and not destroyed.
        let Some(adapter) = (unsafe { gpu.adapter().as_hal::<Vulkan>() }) else { return Ok(None) };
        let name = ash::khr::pipeline_executable_properties::NAME;
        if !adapter.physical_device_capabilities().supports_extension(name) {
            return Ok(None);
        }
        let mut feature = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        let instance = adapter.shared_instance().raw_instance().clone();
        // SAFETY: the driver has this extension, of which the feature is the only one, and nothing is taken away.
        let open = unsafe {
            adapter.open_with_callback(
                gpu.device().features(),
                &gpu.device().limits(),
                &wgpu::MemoryHints::MemoryUsage,
                Some(Box::new(|args| {
                    args.extensions.push(name);
                    *args.create_info = std::mem::take(args.create_info).push_next(&mut feature);
                })),
            )
        };
        let open = open.map_err(|error| refused(error.to_string()))?;
        let executables =
            ash::khr::pipeline_executable_properties::Device::new(&instance, open.device.raw_device());
        Ok(Some(StatisticsDevice { open, executables, adapter: gpu.name().to_owned() }))
    }

    /// Compiles a kernel as training does, without checks, and asks what became of it.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn of(&self, kernel: &Kernel, text: &str) -> Result<KernelStatistics, GpuError> {
        let failed = |message: String| GpuError::Kernel {
            kernel: kernel.title(),
            place: format!("statistics on {}", self.adapter),
            message,
        };
        let words = words(text).map_err(failed)?;
        let pipeline = Pipeline::new(self.open.device.raw_device(), kernel, &words)
            .map_err(|error| failed(error.to_string()))?;
        self.ask(pipeline.pipeline).map_err(|error| failed(error.to_string()))
    }

    /// What the driver says of the first executable of a pipeline, which of compute pipelines is the only one.
    fn ask(&self, pipeline: vk::Pipeline) -> Result<KernelStatistics, vk::Result> {
        let of = vk::PipelineInfoKHR::default().pipeline(pipeline);
        // SAFETY: the pipeline is of this device, was made to be asked, and lives.
        let properties = unsafe { self.executables.get_pipeline_executable_properties(&of)? };
        let first = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline).executable_index(0);
        // SAFETY: as above; there is a first executable, or the list is empty.
        let figures = unsafe { self.executables.get_pipeline_executable_statistics(&first)? };
        let named = |statistic: &vk::PipelineExecutableStatisticKHR<'_>| {
            let name = statistic.name_as_c_str().map(|name| name.to_string_lossy().into_owned());
            (name.unwrap_or_default(), figure(statistic))
        };
        Ok(KernelStatistics {
            lanes: properties.first().map_or(0, |properties| properties.subgroup_size),
            figures: figures.iter().map(named).collect(),
        })
    }
}

/// The value of a statistic as a number; yes is 1.
fn figure(statistic: &vk::PipelineExecutableStatisticKHR<'_>) -> f64 {
    // SAFETY: the format says which of them is set.
    unsafe {
        match statistic.format {
            vk::PipelineExecutableStatisticFormatKHR::BOOL32 => f64::from(statistic.value.b32),
            vk::PipelineExecutableStatisticFormatKHR::INT64 => statistic.value.i64 as f64,
            vk::PipelineExecutableStatisticFormatKHR::UINT64 => statistic.value.u64 as f64,
            _ => statistic.value.f64,
        }
    }
}

/// The SPIR-V of a kernel, as wgpu makes it for modules without runtime checks.
fn words(text: &str) -> Result<Vec<u32>, String> {
    let module = front::wgsl::parse_str(text).map_err(|error| error.to_string())?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    let info = validator.validate(&module).map_err(|error| error.to_string())?;
    let options = spv::Options {
        lang_version: (1, 3),
        flags: spv::WriterFlags::empty(),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Unchecked,
            buffer: BoundsCheckPolicy::Unchecked,
            image_load: BoundsCheckPolicy::Unchecked,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..spv::Options::default()
    };
    let entry = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: "main".to_owned() };
    spv::write_vec(&module, &info, &options, Some(&entry)).map_err(|error| error.to_string())
}

/// A compute pipeline and what it is made of; all are destroyed with it.
struct Pipeline<'a> {
    device: &'a ash::Device,
    module: vk::ShaderModule,
    sets: Vec<vk::DescriptorSetLayout>,
    layout: vk::PipelineLayout,
    pipeline: vk::Pipeline,
}

impl<'a> Pipeline<'a> {
    fn new(device: &'a ash::Device, kernel: &Kernel, words: &[u32]) -> Result<Self, vk::Result> {
        let mut made = Pipeline {
            device,
            module: vk::ShaderModule::null(),
            sets: Vec::new(),
            layout: vk::PipelineLayout::null(),
            pipeline: vk::Pipeline::null(),
        };
        let binding = |number: usize, kind| {
            vk::DescriptorSetLayoutBinding::default()
                .binding(number as u32)
                .descriptor_type(kind)
                .descriptor_count(1)
                .stage_flags(vk::ShaderStageFlags::COMPUTE)
        };
        let arguments: Vec<_> =
            (0..kernel.args.len()).map(|at| binding(at, vk::DescriptorType::STORAGE_BUFFER)).collect();
        let batch = [binding(0, vk::DescriptorType::UNIFORM_BUFFER_DYNAMIC)];
        let groups: &[&[_]] = if kernel.reads_batch { &[&arguments, &batch] } else { &[&arguments] };
        // SAFETY: what is created belongs to this device, and outlives what is made of it.
        unsafe {
            for group in groups {
                let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(group);
                made.sets.push(device.create_descriptor_set_layout(&info, None)?);
            }
            let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&made.sets);
            made.layout = device.create_pipeline_layout(&info, None)?;
            let info = vk::ShaderModuleCreateInfo::default().code(words);
            made.module = device.create_shader_module(&info, None)?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(made.module)
                .name(c"main");
            let info = vk::ComputePipelineCreateInfo::default()
                .flags(vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR)
                .layout(made.layout)
                .stage(stage);
            let made_of = device.create_compute_pipelines(vk::PipelineCache::null(), &[info], None);
            made.pipeline = made_of.map_err(|(_, error)| error)?[0];
        }
        Ok(made)
    }
}

impl Drop for Pipeline<'_> {
    fn drop(&mut self) {
        // SAFETY: nothing runs them, and null is nothing to destroy.
        unsafe {
            self.device.destroy_pipeline(self.pipeline, None);
            self.device.destroy_shader_module(self.module, None);
            self.device.destroy_pipeline_layout(self.layout, None);
            for &set in &self.sets {
                self.device.destroy_descriptor_set_layout(set, None);
            }
        }
    }
}
