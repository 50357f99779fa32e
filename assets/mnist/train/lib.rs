//! The 60,000 images of MNIST to train on, with their labels: the original IDX files, compressed with gzip. The crate
//! [`shadegrad`](https://docs.rs/shadegrad) reads them (`shadegrad::data::mnist`); authors, licence and provenance are in the README.
#![no_std]

/// Images `[60000, 28, 28]`, bytes: `train-images-idx3-ubyte.gz`.
pub const IMAGES: &[u8] = include_bytes!("train-images-idx3-ubyte.gz");
/// Labels `[60000]`, bytes: `train-labels-idx1-ubyte.gz`.
pub const LABELS: &[u8] = include_bytes!("train-labels-idx1-ubyte.gz");
