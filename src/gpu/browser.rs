//! What a browser tells of its adapter beside what wgpu hands on.

use js_sys::futures::JsFuture;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::wait;

/// Vendor and architecture, such as `nvidia lovelace`; more than that browsers keep to themselves.
pub(super) fn name() -> String {
    let known = info().map(|info| {
        let text = |part: &str| get(&info, part).and_then(|text| text.as_string()).unwrap_or_default();
        ["vendor", "architecture", "device"]
            .map(text)
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
    });
    known
        .filter(|parts| !parts.is_empty())
        .map_or_else(|| "WebGPU adapter".to_owned(), |parts| parts.join(" "))
}

fn get(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// `(await navigator.gpu.requestAdapter()).info`.
fn info() -> Option<JsValue> {
    let gpu = get(&get(&js_sys::global(), "navigator")?, "gpu")?;
    let request: Function = get(&gpu, "requestAdapter")?.dyn_into().ok()?;
    let promise: Promise = request.call0(&gpu).ok()?.dyn_into().ok()?;
    let adapter = wait::block_on(JsFuture::from(promise)).ok()?;
    get(&adapter, "info")
}
