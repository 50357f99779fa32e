//! The kernels of a model, to be read.

use serde::Serialize;
use shadegrad::Device;
use shadegrad::io::ModelFile;
use wasm_bindgen::prelude::*;

use crate::adapter::Adapter;
use crate::error::{json, told};

/// A step of a plan and what runs it.
#[derive(Serialize)]
struct Step {
    name: String,
    kind: &'static str,
    variant: String,
    /// Under `shaders/`; none for steps that a twin runs.
    file: Option<&'static str>,
    /// The file as it is written.
    source: Option<&'static str>,
    /// All that is compiled: constants of the step, imports, the file.
    text: Option<String>,
}

/// The steps of a training batch, as JSON: `name`, `kind`, `variant`, and on an adapter `file`, `source` and `text`.
///
/// # Errors
/// When the model file is not valid.
#[wasm_bindgen]
pub fn kernels(adapter: &Adapter, model_toml: &str) -> Result<String, JsError> {
    let file = ModelFile::parse("the model file", model_toml).map_err(told)?;
    let plan = file.plan(file.training.batch_size).map_err(told)?;
    let plan = adapter.device.prepare(plan);
    let step = |step: &shadegrad::plan::Step| {
        let kernel = match &adapter.device {
            Device::Gpu(gpu) => gpu.kernel(&step.op).map(|kernel| (kernel, gpu.limits())),
            _ => None,
        };
        Step {
            name: step.name.clone(),
            kind: step.op.kind(),
            variant: adapter.device.kernel(&step.op).to_owned(),
            file: kernel.as_ref().map(|(kernel, _)| kernel.source.file),
            source: kernel.as_ref().map(|(kernel, _)| kernel.source.text),
            text: kernel.as_ref().map(|(kernel, limits)| {
                kernel.text(&step.bases(), limits.max_compute_workgroups_per_dimension)
            }),
        }
    };
    json(&plan.steps.iter().map(step).collect::<Vec<_>>())
}
