//! Waiting: the one place where a native program blocks its thread, and a browser sets the whole stack aside until a promise is settled.
//! So executors, training and callbacks are the same everywhere, and none of them is `async`.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{Instant, Submitted, block_on, can_wait};
#[cfg(target_arch = "wasm32")]
pub(crate) use web::{Instant, Submitted, block_on, can_wait};
