//! Trains convolutional networks with compute shaders written by hand in WGSL, on any Vulkan, Metal or DX12 adapter,
//! or on the processor.
//!
//! ```no_run
//! use shadegrad::model::{Activation, Conv2D, Dense, Flatten, MaxPooling2D, Sequential};
//! use shadegrad::train::{Compile, FitOptions, NoCallback};
//! use shadegrad::{Device, data};
//!
//! let mnist = data::load_dir("data/mnist".as_ref())?;
//! let mut model = Sequential::new([28, 28, 1])
//!     .add(Conv2D::new(32, 3).activation(Activation::Relu))
//!     .add(MaxPooling2D::new(2))
//!     .add(Flatten::new())
//!     .add(Dense::new(64).activation(Activation::Relu))
//!     .add(Dense::new(10).activation(Activation::Softmax))
//!     .compile(&Device::auto(), Compile::default())?;
//! model.fit(&mnist.train, &FitOptions::default(), &mut NoCallback)?;
//! println!("{:?}", model.evaluate(&mnist.test)?);
//! # Ok::<(), shadegrad::Error>(())
//! ```
//!
//! # One idea: the training step is data
//!
//! A model is lowered once to a [`plan`]: a flat list of steps, each a kind such as `conv2d_forward` or
//! `rmsprop_update` applied to buffers. Two executors run the same plan: [`gpu`] with one WGSL kernel per kind, and
//! [`cpu`] with a plain-Rust twin per kind, which is first the reference for the kernels, and second the fallback.
//!
//! # The path of a batch
//!
//! What a step computes stands in [`ops`], what a layer is in [`layers`]; all else runs them. The modules, in the order in which
//! they handle a batch:
//!
//! 1. [`data`]: IDX bytes become images and labels, as bytes; every defect is a typed error. [`data::batches`] gives
//!    the order of samples and cuts it into batches; the last, smaller one is trained too.
//! 2. [`model`]: a list of layers, shape inference, initial weights, losses and optimizers.
//!    [`random`] is the one source of randomness, bit-equal on every device.
//! 3. [`plan`]: the step list for a model, its loss, its optimizer and a batch size, with every buffer it needs.
//! 4. [`device`]: which device runs it; [`executor`] is what both kinds have in common.
//! 5. [`gpu`]: the data set is on the device as bytes, or is streamed to it if it does not fit. A training step gathers a
//!    batch as `x / 255`, runs forward, loss, backward and update without returning to the host, and leaves the loss and
//!    the number of correct predictions in a buffer that is read some time later.
//! 6. [`cpu`]: the same, with loops in the order of the maths.
//! 7. [`verify`]: every kernel against its twin, on this adapter; [`profile`]: how long each step takes; [`tune`]: which
//!    kernel is the fastest.
//! 8. [`train`]: `fit`, `evaluate`, `predict`, cross-validation, what decides how training continues and when it ends, and
//!    the callbacks.
//! 9. [`io`]: the model file, weight files and the folder of a run.
//!
//! [`Error`] is what can go wrong on this path.
//!
//! # Features
//!
//! `mnist-data` embeds MNIST ([`data`] then has `mnist()`); `pictures` reads folders of pictures (`data::load_pictures`); `cli` is
//! the program `shadegrad`. All are on by default; a library user turns them off and gets wgpu and little else.

#![warn(missing_docs)]

mod files;
mod numbers;
mod panics;
pub mod profile;
pub mod random;
mod wait;

pub mod data;
mod optimizers;

pub mod layers;
pub mod model;
pub mod ops;
pub mod plan;

pub mod cpu;
pub mod device;
pub mod executor;
pub mod gpu;
pub mod tune;
#[allow(clippy::disallowed_methods, reason = "it makes what it needs for each case")]
pub mod verify;

pub mod error;
pub mod io;
pub mod train;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

pub use data::Dataset;
pub use device::{Device, DeviceChoice};
pub use error::Error;
pub use model::Sequential;

/// Checks that the programs in README compile.
#[cfg(all(doctest, feature = "mnist-data"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(all(doctest, feature = "pictures"))]
#[doc = include_str!("../docs/data.md")]
struct DataInMemory;

#[cfg(doctest)]
#[doc = include_str!("../docs/attribution.md")]
struct PixelsThatDecided;
