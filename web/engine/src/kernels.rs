//! The kernels of a model, to be read.

use std::collections::BTreeMap;

use serde::Serialize;
use shadegrad::gpu::{AdapterClass, choose, variants};
use shadegrad::io::ModelFile;
use shadegrad::{Device, plan, verify};
use wasm_bindgen::prelude::*;

use crate::adapter::Adapter;
use crate::error::{json, told};

/// A step of a plan, and the kernel that runs it on an adapter.
#[derive(Serialize)]
struct Step {
    name: String,
    kind: &'static str,
    variant: &'static str,
    /// Under `shaders/`.
    file: &'static str,
    /// The file as it is written.
    source: &'static str,
    /// All that is compiled: constants of the step, imports, the file.
    text: String,
}

/// The steps of a training batch, as JSON: `name`, `kind`, `variant`, `file`, `source` and `text`. For the CPU executor, which runs
/// each step's twin, they are those that an adapter would run step by step.
///
/// # Errors
/// When the model file is not valid.
#[wasm_bindgen]
pub fn kernels(adapter: &Adapter, model_toml: &str) -> Result<String, JsError> {
    let file = ModelFile::parse("the model file", model_toml).map_err(told)?;
    let plan = file.plan(file.training.batch_size).map_err(told)?;
    let plan = adapter.device.prepare(plan);
    let step = |step: &plan::Step| {
        let (kernel, per_dimension) = match &adapter.device {
            Device::Gpu(gpu) => (gpu.kernel(&step.op), gpu.limits().max_compute_workgroups_per_dimension),
            _ => (choose(&step.op, AdapterClass::default()), PER_DIMENSION),
        };
        kernel.map(|kernel| Step {
            name: step.name.clone(),
            kind: kernel.kind,
            variant: kernel.variant,
            file: kernel.source.file,
            source: kernel.source.text,
            text: kernel.text(&step.bases(), per_dimension),
        })
    };
    json(&plan.steps.iter().filter_map(step).collect::<Vec<_>>())
}

/// Workgroups of a dimension that WebGPU grants everywhere.
const PER_DIMENSION: u32 = 65_535;

/// Every text that a browser may get, of all kernels on all cases of `verify`, as JSON: pairs of a kernel and a text.
///
/// # Errors
/// None but those of JSON.
#[wasm_bindgen]
pub fn texts() -> Result<String, JsError> {
    let mut texts = BTreeMap::new();
    for case in verify::cases() {
        let bases = vec![0; case.op.args().len()];
        for kernel in variants(&case.op, AdapterClass::default()) {
            texts.insert(kernel.text(&bases, PER_DIMENSION), kernel.title());
        }
    }
    json(&texts.into_iter().map(|(text, kernel)| (kernel, text)).collect::<Vec<_>>())
}
