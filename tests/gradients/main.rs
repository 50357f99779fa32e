//! Every backward pass against central differences of its forward pass, in f64. The two share no code: this finds a
//! wrong gradient even if shaders and twins agree on it.

mod attribution;
mod bench;
mod check;
#[path = "../common/mod.rs"]
mod common;
mod layers;
mod loss_and_network;
