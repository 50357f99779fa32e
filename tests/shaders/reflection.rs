//! What a shader's text declares, compared with the Rust side.

use std::mem::offset_of;

use naga::{
    AddressSpace, ArraySize, GlobalVariable, Module, ScalarKind, StorageAccess, TypeInner, VectorSize,
};
use shadegrad::gpu::{Element, Kernel};
use shadegrad::plan::{Access, BatchParams};

/// Limits that WebGPU guarantees on every adapter.
const WORKGROUP_BYTES: u32 = 16 * 1024;
const WORKGROUP_INVOCATIONS: u32 = 256;

/// The first difference between the module and what its op says.
pub fn compare(kernel: &Kernel, module: &Module) -> Result<(), String> {
    entry_point(kernel, module)?;
    arguments(kernel, module)?;
    batch_params(kernel, module)?;
    nothing_else(module)
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, shader: T, rust: T) -> Result<(), String> {
    if shader == rust { Ok(()) } else { Err(format!("{what}: {shader:?} in the shader, {rust:?} in Rust")) }
}

fn entry_point(kernel: &Kernel, module: &Module) -> Result<(), String> {
    let names: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
    equal("entry points", names, vec!["main"])?;
    let main = &module.entry_points[0];
    equal("stage", main.stage, naga::ShaderStage::Compute)?;
    equal("workgroup size", main.workgroup_size, [kernel.workgroup, 1, 1])?;
    if main.workgroup_size_overrides.is_some() {
        return Err("the workgroup size can be overridden".to_owned());
    }
    if kernel.workgroup > WORKGROUP_INVOCATIONS {
        return Err(format!("{} invocations: over WebGPU's {WORKGROUP_INVOCATIONS}", kernel.workgroup));
    }
    Ok(())
}

/// The variables of one group with their bindings, in the order of these: naga lists variables in the order of first
/// use.
fn group(module: &Module, group: u32) -> Vec<(u32, &GlobalVariable)> {
    let variables = module.global_variables.iter();
    let mut of_group: Vec<_> = variables
        .filter_map(|(_, variable)| variable.binding.map(|binding| (binding, variable)))
        .filter(|(binding, _)| binding.group == group)
        .map(|(binding, variable)| (binding.binding, variable))
        .collect();
    of_group.sort_by_key(|(binding, _)| *binding);
    of_group
}

fn arguments(kernel: &Kernel, module: &Module) -> Result<(), String> {
    let declared = group(module, 0);
    let specs = &kernel.args;
    let name = |variable: &GlobalVariable| variable.name.clone().unwrap_or_default();
    let shader = declared.iter().map(|(binding, variable)| (*binding, name(variable))).collect::<Vec<_>>();
    let rust = (0..).zip(specs.iter().map(|spec| spec.name.to_owned())).collect::<Vec<_>>();
    equal("bindings of group 0", shader, rust)?;
    equal("number of element types in the row", kernel.elements.len(), specs.len())?;
    for ((spec, element), (_, variable)) in specs.iter().zip(kernel.elements).zip(declared) {
        let access = match spec.access {
            Access::In => StorageAccess::LOAD,
            Access::Out | Access::InOut => StorageAccess::LOAD | StorageAccess::STORE,
        };
        equal(&format!("access of `{}`", spec.name), variable.space, AddressSpace::Storage { access })?;
        equal(
            &format!("elements of `{}`", spec.name),
            runtime_elements(module, variable),
            Some(element.by(kernel.width, kernel.int64)),
        )?;
    }
    Ok(())
}

/// The element type of a runtime-sized array that is packed without gaps.
fn runtime_elements(module: &Module, variable: &GlobalVariable) -> Option<Element> {
    let TypeInner::Array { base, size: ArraySize::Dynamic, stride } = module.types[variable.ty].inner else {
        return None;
    };
    let (element, bytes) = match module.types[base].inner {
        TypeInner::Scalar(scalar) => (scalar_element(scalar, false)?, 4),
        TypeInner::Atomic(scalar) if scalar == naga::Scalar::U32 => (Element::AtomicU32, 4),
        TypeInner::Vector { size: VectorSize::Bi, scalar } if scalar == naga::Scalar::U32 => {
            (Element::Vec2U32, 8)
        }
        TypeInner::Vector { size: VectorSize::Quad, scalar } => {
            (scalar_element(scalar, true)?, 4 * u32::from(scalar.width))
        }
        TypeInner::Struct { ref members, span } => {
            let floats = |ty| match module.types[ty].inner {
                TypeInner::Vector { size: VectorSize::Quad, scalar } => scalar_element(scalar, true),
                _ => None,
            };
            let two = members.len() == 2 && members.iter().all(|m| floats(m.ty) == Some(Element::Vec4F32));
            (two.then_some(Element::TwoVec4F32)?, span)
        }
        _ => return None,
    };
    (stride == bytes && element.words(1) * 4 == bytes as usize).then_some(element)
}

fn scalar_element(scalar: naga::Scalar, four: bool) -> Option<Element> {
    match (scalar.kind, scalar.width, four) {
        (ScalarKind::Float, 4, false) => Some(Element::F32),
        (ScalarKind::Float, 4, true) => Some(Element::Vec4F32),
        (ScalarKind::Uint, 4, false) => Some(Element::U32),
        (ScalarKind::Uint, 8, true) => Some(Element::EightF32),
        _ => None,
    }
}

/// One field: name, byte offset, and whether it is a float.
type Field = (String, usize, bool);

/// The fields of the Rust struct; stops compiling when one is added.
fn rust_fields() -> Vec<Field> {
    let BatchParams {
        batch_size: _,
        first: _,
        slot: _,
        learning_rate: _,
        correction: _,
        training: _,
        number: _,
        position: _,
        seed_low: _,
        seed_high: _,
        guarded: _,
        divisor: _,
    } = bytemuck::Zeroable::zeroed();
    vec![
        ("batch_size".to_owned(), offset_of!(BatchParams, batch_size), false),
        ("first".to_owned(), offset_of!(BatchParams, first), false),
        ("slot".to_owned(), offset_of!(BatchParams, slot), false),
        ("learning_rate".to_owned(), offset_of!(BatchParams, learning_rate), true),
        ("correction".to_owned(), offset_of!(BatchParams, correction), true),
        ("training".to_owned(), offset_of!(BatchParams, training), false),
        ("number".to_owned(), offset_of!(BatchParams, number), false),
        ("position".to_owned(), offset_of!(BatchParams, position), false),
        ("seed_low".to_owned(), offset_of!(BatchParams, seed_low), false),
        ("seed_high".to_owned(), offset_of!(BatchParams, seed_high), false),
        ("guarded".to_owned(), offset_of!(BatchParams, guarded), false),
        ("divisor".to_owned(), offset_of!(BatchParams, divisor), false),
    ]
}

fn batch_params(kernel: &Kernel, module: &Module) -> Result<(), String> {
    let declared = group(module, 1);
    let bindings: Vec<u32> = declared.iter().map(|(binding, _)| *binding).collect();
    equal("bindings of group 1", bindings, if kernel.reads_batch { vec![0] } else { vec![] })?;
    let Some((_, variable)) = declared.first() else {
        return Ok(());
    };
    equal("space of group 1", variable.space, AddressSpace::Uniform)?;
    let ty = &module.types[variable.ty];
    equal("type of group 1", ty.name.as_deref(), Some("BatchParams"))?;
    let TypeInner::Struct { members, span } = &ty.inner else {
        return Err("BatchParams is no struct".to_owned());
    };
    equal("size of BatchParams", *span as usize, size_of::<BatchParams>())?;
    let fields = members.iter().map(|member| {
        let float = match module.types[member.ty].inner {
            TypeInner::Scalar(scalar) => scalar_element(scalar, false)? == Element::F32,
            _ => return None,
        };
        Some((member.name.clone()?, member.offset as usize, float))
    });
    equal("fields of BatchParams", fields.collect::<Option<Vec<Field>>>(), Some(rust_fields()))
}

/// Other variables belong to the workgroup or the invocation, and fit every adapter.
fn nothing_else(module: &Module) -> Result<(), String> {
    let mut workgroup_bytes = 0;
    for (_, variable) in module.global_variables.iter() {
        let name = &variable.name;
        match (variable.binding, variable.space) {
            (Some(binding), _) if binding.group > 1 => return Err(format!("{name:?} is bound: {binding:?}")),
            (Some(_), _) | (None, AddressSpace::Private) => {}
            (None, AddressSpace::WorkGroup) => {
                workgroup_bytes += module.types[variable.ty].inner.size(module.to_ctx());
            }
            (None, space) => return Err(format!("{name:?} lives in {space:?}")),
        }
    }
    if workgroup_bytes > WORKGROUP_BYTES {
        return Err(format!("{workgroup_bytes} bytes of workgroup memory: over WebGPU's {WORKGROUP_BYTES}"));
    }
    Ok(())
}
