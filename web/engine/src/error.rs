//! Errors, as JavaScript throws them.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    pub(crate) fn log(text: &str);
}

/// An error with the message of another, and of what is behind that.
pub(crate) fn told(error: impl std::error::Error) -> JsError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(behind) = cause {
        let more = behind.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = behind.source();
    }
    JsError::new(&text)
}

/// A value as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, JsError> {
    serde_json::to_string(value).map_err(told)
}
