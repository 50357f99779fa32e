//! Training through the library, on the CPU executor and on a software adapter.

mod activations;
mod adaptation;
mod agreement;
mod attribution;
mod augmentation;
mod backup;
mod batches;
mod checkpoints;
mod choices;
#[path = "../common/mod.rs"]
mod common;
mod determinism;
mod divergence;
mod ending;
mod failures;
mod fit;
mod inference;
mod loop_breaks;
mod micro_batches;
mod misfits;
mod moving_average;
mod on_batch;
mod optimizers;
mod rates;
mod requests;
mod sample_weights;
mod saving;
mod steps;
mod streaming;
mod targets;
