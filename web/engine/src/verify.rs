//! Every kernel against its twin, on the page's own adapter.

use std::collections::BTreeSet;

use shadegrad::Device;
use shadegrad::gpu::{Gpu, GpuError};
use shadegrad::verify::{self as all, VerifyReport, VerifyRow};
use wasm_bindgen::prelude::*;

use crate::adapter::Adapter;
use crate::error::{json, told};

/// Runs every case of every kernel that the adapter can run, or of one kind of step; `on_row` hears each as JSON. Returns how many there
/// were, of how many kernels, and how many failed, as JSON.
///
/// # Errors
/// Where there is no adapter, or it fails.
#[wasm_bindgen(jspi)]
pub fn verify(adapter: &Adapter, kind: Option<String>, on_row: &js_sys::Function) -> Result<String, JsError> {
    let wanted = move |one: &str| kind.as_ref().is_none_or(|kind| kind == one);
    told_of(all::verify(gpu(adapter)?, &wanted, &mut |row| tell(on_row, row)))
}

/// The same for the kernels of one file under `shaders/`, with another text in it.
///
/// # Errors
/// As [`verify`].
#[wasm_bindgen(js_name = verifyEdited, jspi)]
pub fn verify_edited(
    adapter: &Adapter,
    file: &str,
    text: String,
    on_row: &js_sys::Function,
) -> Result<String, JsError> {
    told_of(all::verify_edited(gpu(adapter)?, file, text, &mut |row| tell(on_row, row)))
}

fn gpu(adapter: &Adapter) -> Result<&Gpu, JsError> {
    match &adapter.device {
        Device::Gpu(gpu) => Ok(gpu),
        _ => Err(JsError::new("the CPU executor runs the twins themselves; there is nothing to verify")),
    }
}

fn tell(on_row: &js_sys::Function, row: &VerifyRow) {
    if let Ok(text) = serde_json::to_string(row) {
        let _ = on_row.call1(&JsValue::UNDEFINED, &text.into());
    }
}

fn told_of(report: Result<VerifyReport, GpuError>) -> Result<String, JsError> {
    let report = report.map_err(told)?;
    let kernels: BTreeSet<_> = report.rows.iter().map(|row| (row.kind, row.variant)).collect();
    let failed = report.rows.iter().filter(|row| !row.passed).count();
    json(&serde_json::json!({
        "device": report.device, "rows": report.rows.len(), "kernels": kernels.len(), "failed": failed,
    }))
}
