//! Every backward pass against central differences of its forward pass, in f64. They share no code: a wrong gradient
//! that the shaders and the twins agree on is found here.

mod bench;
mod check;
#[path = "../common/mod.rs"]
mod common;
mod layers;
mod loss_and_network;
