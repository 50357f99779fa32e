//! `shadegrad-bindgen IN.wasm FOLDER`: writes the module that a page loads, and its types.

use std::env;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let [input, folder] = env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .ok()
        .context("usage: shadegrad-bindgen IN.wasm FOLDER")?;
    Bindgen::new()
        .input_path(input)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .generate(folder)
}
