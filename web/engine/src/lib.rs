//! The engine of a page: training, prediction, and the kernels themselves, as objects that JavaScript holds.
//!
//! Calls that compute on an adapter are promises there: the browser sets their stack aside while the adapter works, and the worker that
//! made them hears messages meanwhile. One such call at a time: an object that is busy refuses a second. A [`Watcher`] may be asked
//! at any time.

#![allow(deprecated, reason = "what suspends is marked so while it is new")]

mod adapter;
mod error;
mod kernels;
mod listener;
mod places;
mod run;
mod sets;
mod trainer;
mod verify;
mod watcher;

use wasm_bindgen::prelude::*;

pub use adapter::{Adapter, open};
pub use kernels::{kernels, texts};
pub use sets::{DataSet, Pictures};
pub use trainer::Trainer;
pub use verify::{verify, verify_edited};
pub use watcher::Watcher;

/// The text of the tutorial's model file.
#[wasm_bindgen(js_name = tutorialModel)]
pub fn tutorial_model() -> String {
    shadegrad::io::TUTORIAL.to_owned()
}

/// Panics are defects; the engine ends with one, and says here what it was.
#[wasm_bindgen(start)]
fn begin() {
    std::panic::set_hook(Box::new(|panic| error::log(&format!("the engine has stopped: {panic}"))));
}
