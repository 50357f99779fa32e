//! The 10,000 images of MNIST to test on, with their labels: the original IDX files, compressed with gzip. The crate
//! [`shadegrad`](https://docs.rs/shadegrad) reads them (`shadegrad::data::mnist`); authors, licence and provenance are in the README.
#![no_std]

/// Images `[10000, 28, 28]`, bytes: `t10k-images-idx3-ubyte.gz`.
pub const IMAGES: &[u8] = include_bytes!("t10k-images-idx3-ubyte.gz");
/// Labels `[10000]`, bytes: `t10k-labels-idx1-ubyte.gz`.
pub const LABELS: &[u8] = include_bytes!("t10k-labels-idx1-ubyte.gz");
