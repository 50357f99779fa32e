//! Every kernel against its twin, on the page's own adapter.

use shadegrad::{Device, verify as all};
use wasm_bindgen::prelude::*;

use crate::adapter::Adapter;
use crate::error::{json, told};

/// Runs every case of every kernel that the adapter can run, or of one kind of step; `on_row` hears each as JSON, and may answer with a
/// promise, which is waited for: so a worker hears its messages. Returns how many there were, of how many kernels, and how many
/// failed, as JSON.
///
/// # Errors
/// Where there is no adapter, or it fails.
#[wasm_bindgen(jspi)]
pub fn verify(adapter: &Adapter, kind: Option<String>, on_row: &js_sys::Function) -> Result<String, JsError> {
    let Device::Gpu(gpu) = &adapter.device else {
        return Err(JsError::new("the CPU executor runs the twins themselves; there is nothing to verify"));
    };
    let wanted = move |one: &str| kind.as_ref().is_none_or(|kind| kind == one);
    let report = all::verify(gpu, &wanted, &mut |row| {
        if let Ok(text) = serde_json::to_string(row) {
            let _ = on_row.call1(&JsValue::UNDEFINED, &text.into());
        }
    });
    let report = report.map_err(told)?;
    let mut kernels: Vec<_> = report.rows.iter().map(|row| (row.kind, row.variant)).collect();
    kernels.sort_unstable();
    kernels.dedup();
    let failed = report.rows.iter().filter(|row| !row.passed).count();
    json(&serde_json::json!({
        "device": report.device, "rows": report.rows.len(), "kernels": kernels.len(), "failed": failed,
    }))
}
