//! Every target language of wgpu's back ends: our evidence for drivers that are not available here.

use naga::back::{hlsl, msl, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::ModuleInfo;
use naga::{Module, ResourceBinding, ShaderStage};

const ENTRY: &str = "main";

/// Whether the compiler adds checks of memory and loops, as `gpu::Checks`.
const CHECKS: [bool; 2] = [true, false];

/// Writes the module as SPIR-V, MSL and HLSL, with checks and without.
pub fn translate(module: &Module, info: &ModuleInfo, uses_subgroups: bool) -> Result<(), String> {
    for checks in CHECKS {
        let fail = |target: &str, error: String| format!("{target}, checks {checks}: {error}");
        let words =
            spir_v(module, info, checks, uses_subgroups).map_err(|e| fail("SPIR-V", e.to_string()))?;
        if words.first() != Some(&0x0723_0203) {
            return Err(fail("SPIR-V", "no magic number".to_owned()));
        }
        let text = metal(module, info, checks, uses_subgroups).map_err(|e| fail("MSL", e))?;
        if !text.contains("kernel void main_") {
            return Err(fail("MSL", "no kernel".to_owned()));
        }
        // Subgroup operations came with shader model 6.0; the compiler on every Windows supports 5.1.
        let models = [Some(hlsl::ShaderModel::V6_0), (!uses_subgroups).then_some(hlsl::ShaderModel::V5_1)];
        for model in models.into_iter().flatten() {
            let text = direct_x(module, info, checks, model).map_err(|e| fail(model.to_str(), e))?;
            if !text.contains("numthreads(") {
                return Err(fail("HLSL", "no compute shader".to_owned()));
            }
        }
    }
    Ok(())
}

fn policies(checks: bool) -> BoundsCheckPolicies {
    let policy = if checks { BoundsCheckPolicy::Restrict } else { BoundsCheckPolicy::Unchecked };
    BoundsCheckPolicies {
        index: policy,
        buffer: policy,
        image_load: policy,
        binding_array: BoundsCheckPolicy::Unchecked,
    }
}

fn spir_v(
    module: &Module,
    info: &ModuleInfo,
    checks: bool,
    uses_subgroups: bool,
) -> Result<Vec<u32>, spv::Error> {
    let options = spv::Options {
        lang_version: if uses_subgroups { (1, 3) } else { (1, 0) },
        bounds_check_policies: policies(checks),
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: checks,
        ..Default::default()
    };
    let pipeline = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: ENTRY.to_owned() };
    spv::write_vec(module, info, &options, Some(&pipeline))
}

/// Every bound variable gets a slot of its own, and the sizes of runtime arrays get one more, as in wgpu.
fn metal_resources(module: &Module) -> msl::EntryPointResources {
    let bindings = module.global_variables.iter().filter_map(|(_, variable)| variable.binding);
    let mut resources = msl::EntryPointResources::default();
    for (slot, binding) in (0..).zip(bindings) {
        let target = msl::BindTarget { buffer: Some(slot), mutable: true, ..Default::default() };
        resources.resources.insert(binding, target);
    }
    resources.sizes_buffer = u8::try_from(resources.resources.len()).ok();
    resources
}

fn metal(module: &Module, info: &ModuleInfo, checks: bool, uses_subgroups: bool) -> Result<String, String> {
    let options = msl::Options {
        lang_version: if uses_subgroups { (2, 4) } else { (2, 0) },
        per_entry_point_map: [(ENTRY.to_owned(), metal_resources(module))].into(),
        fake_missing_bindings: false,
        bounds_check_policies: policies(checks),
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: checks,
        ..Default::default()
    };
    let pipeline = msl::PipelineOptions {
        entry_point: Some((ShaderStage::Compute, ENTRY.to_owned())),
        ..Default::default()
    };
    let (text, translated) =
        msl::write_string(module, info, &options, &pipeline).map_err(|error| error.to_string())?;
    translated.entry_point_names.into_iter().try_for_each(|name| match name {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    })?;
    Ok(text)
}

fn direct_x(
    module: &Module,
    info: &ModuleInfo,
    checks: bool,
    shader_model: hlsl::ShaderModel,
) -> Result<String, String> {
    let bindings = module.global_variables.iter().filter_map(|(_, variable)| variable.binding);
    let target = |ResourceBinding { group, binding }| hlsl::BindTarget {
        space: group as u8,
        register: binding,
        binding_array_size: None,
        dynamic_storage_buffer_offsets_index: None,
        restrict_indexing: checks,
    };
    let options = hlsl::Options {
        shader_model,
        binding_map: bindings.map(|binding| (binding, target(binding))).collect(),
        fake_missing_bindings: false,
        zero_initialize_workgroup_memory: false,
        restrict_indexing: checks,
        force_loop_bounding: checks,
        ..Default::default()
    };
    let pipeline = hlsl::PipelineOptions { entry_point: Some((ShaderStage::Compute, ENTRY.to_owned())) };
    let mut text = String::new();
    let written = hlsl::Writer::new(&mut text, &options, &pipeline)
        .write(module, info, None)
        .map_err(|error| error.to_string())?;
    written.entry_point_names.into_iter().try_for_each(|name| match name {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    })?;
    Ok(text)
}
