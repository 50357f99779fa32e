//! Trains convolutional networks with compute shaders written by hand in WGSL, on any Vulkan, Metal or DX12 adapter,
//! or on the processor: [`Device::auto`] takes the best that there is.
//!
//! # From data to a saved model
//!
//! Each of these has a longer example to run, in the folder `examples`: `cargo run --release --example pictures -- photos/ new.jpg`.
//!
//! **Your own pictures**, in a folder for each class (`examples/pictures.rs`; feature `pictures`):
//!
//! ```no_run
//! # #[cfg(feature = "pictures")]
//! # fn main() -> Result<(), shadegrad::Error> {
//! use shadegrad::data::{PictureOptions, load_pictures, read_picture};
//! use shadegrad::io::ModelFile;
//! use shadegrad::train::{FitOptions, Model, NoCallback};
//! use shadegrad::Device;
//!
//! let photos = load_pictures("photos".as_ref(), &PictureOptions::default())?; // photos/cat/1.jpg, photos/dog/2.png, ...
//! let file = ModelFile::for_pictures(&photos.train)?; // a model that is made for them
//! let mut model = file.model.compile(&Device::auto(), file.compile())?;
//! let options = FitOptions { validation: photos.validation, ..file.training };
//! model.fit(&photos.train, &options, &mut NoCallback)?;
//! println!("{:?}", model.evaluate(&photos.test)?.accuracy);
//! model.save("pets".as_ref())?;
//!
//! let mut again = Model::load("pets".as_ref())?; // in another program
//! if let Some(shape) = again.network().input_shape.image() {
//!     let probabilities = again.predict(&read_picture("new.jpg".as_ref())?.fitted(shape)?)?;
//!     println!("{:?} {probabilities:?}", again.class_names());
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "pictures"))]
//! # fn main() {}
//! ```
//!
//! **A callback of your own**, and a model saved and loaded (`examples/callback.rs`). A callback hears of every batch and epoch, and
//! may ask for training to end, for another learning rate, and for a checkpoint:
//!
//! ```
//! # use shadegrad::data::Dataset;
//! # use shadegrad::model::{Activation, Adam, Dense, Flatten, Sequential};
//! use shadegrad::train::{Callback, CallbackError, Compile, EpochRecord, FitOptions, Model, Requests};
//! use shadegrad::Device;
//!
//! /// Ends training once all is right.
//! #[derive(Default)]
//! struct UntilRight(Requests);
//!
//! impl Callback for UntilRight {
//!     fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
//!         println!("epoch {}: loss {:.4}", record.epoch, record.loss);
//!         self.0.stop = (record.accuracy == Some(1.0)).then(|| "all is right".to_owned());
//!         Ok(())
//!     }
//!
//!     fn requests(&mut self) -> Requests {
//!         std::mem::take(&mut self.0)
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("model");
//! # let data = Dataset::new(vec![0, 9, 4, 7, 250, 251, 240, 255], vec![0, 1], [2, 2, 1], 2)?;
//! # let net = Sequential::new([2, 2, 1]).add(Flatten::new()).add(Dense::new(2).activation(Activation::Softmax));
//! let compile = Compile { optimizer: Adam { learning_rate: 0.05, ..Adam::default() }.into(), ..Compile::default() };
//! let mut model = net.compile(&Device::cpu(), compile)?;
//! let history = model.fit(&data, &FitOptions { epochs: 500, ..FitOptions::default() }, &mut UntilRight::default())?;
//! # assert!(history.epochs.len() < 500);
//! model.save(&folder)?;
//! let mut again = Model::open(&folder, &Device::cpu())?; // `Model::load` takes the best device
//! assert_eq!(again.predict_data(&data)?, model.predict_data(&data)?);
//! # Ok(())
//! # }
//! ```
//!
//! **Numbers from numbers** (`examples/regression.rs`): targets may be classes, several labels or values.
//!
//! ```
//! use shadegrad::data::{Dataset, Samples, TargetKind, Targets};
//! use shadegrad::model::{Activation, Dense, Loss, Normalization, Sequential};
//! use shadegrad::train::{Compile, FitOptions, NoCallback, ValueReport};
//! use shadegrad::Device;
//!
//! // Area, rooms, distance; and the price.
//! let houses = [([120.0f32, 4.0, 0.5], [310.0f32]), ([75.0, 2.0, 0.1], [215.0]), ([98.0, 3.0, 0.9], [240.0])];
//! let data = Dataset::from_parts(
//!     Samples::from_rows(houses.iter().map(|(house, _)| house))?,
//!     Targets::values(houses.iter().map(|(_, price)| price), 1)?,
//!     [3],
//! )?;
//! let mut model = Sequential::new([3])
//!     .target(TargetKind::Values)
//!     .add(Normalization::new())
//!     .add(Dense::new(16).activation(Activation::Relu))
//!     .add(Dense::new(1))
//!     .compile(&Device::cpu(), Compile { loss: Loss::MeanSquaredError, ..Compile::default() })?;
//! model.fit(&data, &FitOptions::default(), &mut NoCallback)?;
//! let prices = model.predict_data(&data)?;
//! println!("wrong by {:.1}", ValueReport::new(&prices, data.target_rows(), 1)?.mae);
//! # Ok::<(), shadegrad::Error>(())
//! ```
//!
//! **Images in colour from bytes** that the program has already (`examples/rgb_images.rs`):
//!
//! ```
//! use shadegrad::data::Dataset;
//! use shadegrad::model::{Activation, Conv2D, Dense, Flatten, MaxPooling2D, Sequential};
//! use shadegrad::train::{Compile, FitOptions, NoCallback};
//! use shadegrad::Device;
//!
//! // Two images of 16 x 16: pixel after pixel, row after row, a byte each for red, green and blue; and the class of each.
//! let (pixels, labels) = (vec![200; 2 * 16 * 16 * 3], vec![0, 1]);
//! let data = Dataset::new(pixels, labels, [16, 16, 3], 2)?;
//! let mut model = Sequential::new([16, 16, 3])
//!     .add(Conv2D::new(8, 3).activation(Activation::Relu))
//!     .add(MaxPooling2D::new(2))
//!     .add(Flatten::new())
//!     .add(Dense::new(2).activation(Activation::Softmax))
//!     .compile(&Device::cpu(), Compile::default())?;
//! model.fit(&data, &FitOptions::default(), &mut NoCallback)?;
//! assert_eq!(model.predict(&[0; 16 * 16 * 3])?.len(), 2); // a probability for each class
//! # Ok::<(), shadegrad::Error>(())
//! ```
//!
//! **A loop of your own** over batches (`examples/own_loop.rs`), where `fit` does not do; to the bit it does the same:
//!
//! ```
//! # use shadegrad::data::Dataset;
//! # use shadegrad::model::{Activation, Dense, Flatten, Sequential};
//! # use shadegrad::train::Compile;
//! # use shadegrad::Device;
//! use shadegrad::data::batches::epoch_order;
//!
//! # let data = Dataset::new((0..40 * 4).map(|at| (at * 37 % 251) as u8).collect(), vec![0; 40], [2, 2, 1], 2)?;
//! # let net = Sequential::new([2, 2, 1]).add(Flatten::new()).add(Dense::new(2).activation(Activation::Softmax));
//! # let mut model = net.compile(&Device::cpu(), Compile::default())?;
//! for epoch in 0..3 {
//!     for numbers in epoch_order(data.len(), epoch, Some(7)).chunks(16) {
//!         let batch = model.train_on_batch(&data.select(numbers)?)?;
//!         println!("{:.4}", batch.loss);
//!     }
//!     model.set_learning_rate(0.5 * model.learning_rate())?;
//! }
//! # Ok::<(), shadegrad::Error>(())
//! ```
//!
//! **The executor with a plan of your own** (`examples/own_plan.rs`): every buffer can be read and written.
//!
//! ```
//! # use shadegrad::model::{Activation, Dense, Flatten, Sequential};
//! use shadegrad::model::{Loss, Optimizer};
//! use shadegrad::plan::{Phase, Plan};
//! use shadegrad::Device;
//!
//! # let net = Sequential::new([2, 2, 1]).add(Flatten::new()).add(Dense::new(2).activation(Activation::Softmax));
//! let network = net.network()?; // shapes and names
//! let plan = Plan::build(&network, Loss::default(), Optimizer::default(), 64)?;
//! for (_, step) in plan.steps_of(Phase::Train) {
//!     println!("{}: {}", step.name, step.op.kind());
//! }
//! let mut executor = Device::cpu().executor(plan.clone())?; // and then `set_data`, `write`, `run`
//! assert_eq!(executor.read(&plan.gradients[0])?.len(), 4 * 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **One kernel** on a buffer of your own (`examples/one_kernel.rs`):
//!
//! ```
//! use shadegrad::ops::{ActivationForward, LeakyRelu, Op};
//! use shadegrad::plan::BatchParams;
//! use shadegrad::Device;
//!
//! let mut x = [-2.0f32, -1.0, 1.0, 2.0];
//! let op = Op::from(ActivationForward { len: x.len(), function: LeakyRelu { slope: 0.1 }.into() });
//! if let Some((Device::Gpu(gpu), _)) = Device::adapter() {
//!     gpu.run_once(&op, &BatchParams::default(), &mut [bytemuck::cast_slice_mut(&mut x)])?;
//!     assert_eq!(x, [-0.2, -0.1, 1.0, 2.0]);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # One idea: the training step is data
//!
//! A model is lowered once to a [`plan`]: a flat list of steps, each a kind such as `conv2d_forward` or
//! `rmsprop_update` applied to buffers. Two executors run the same plan: [`gpu`] with one WGSL kernel per kind, and
//! [`cpu`] with a plain-Rust twin per kind, which is first the reference for the kernels, and second the fallback.
//!
//! # Modules
//!
//! For programs that train and use models:
//!
//! 1. [`data`]: bytes and numbers become data sets, from memory or files; every defect is a typed error.
//! 2. [`model`]: layers, shapes, initial weights, losses and optimizers.
//! 3. [`device`]: what it runs on.
//! 4. [`train`]: `fit`, loops of your own, `evaluate`, `predict`, callbacks, checkpoints, cross-validation, metrics.
//! 5. [`io`]: the model file, weight files, runs, ONNX, weights of others.
//! 6. [`error`]: [`Error`] is what can go wrong on this way.
//!
//! The engine, to be looked into and experimented with. It may change with every minor version:
//!
//! 1. [`ops`]: what each kind of step computes, its kernels and its twin; [`layers`]: the steps that a layer becomes (as values they
//!    stand in [`model`]). [`random`] is the one source of randomness, bit-equal on every device.
//! 2. [`plan`]: the step list for a model, its loss, its optimizer and a batch size, with every buffer it needs.
//! 3. [`executor`]: what both kinds of device have in common.
//! 4. [`gpu`]: the data set is on the device as bytes, or is streamed to it if it does not fit. A training step gathers a
//!    batch as `x / 255`, runs forward, loss, backward and update without returning to the host, and leaves the loss and
//!    the number of correct predictions in a buffer that is read some time later.
//! 5. [`cpu`]: the same, with loops in the order of the maths, or fast rows beside them.
//! 6. [`verify`]: every kernel against its twin, on this adapter; [`profile`]: how long each step takes; [`tune`]: which
//!    kernel is the fastest.
//!
//! # Features
//!
//! `mnist-data` embeds MNIST ([`data`] then has `mnist()`); `pictures` reads folders of pictures (`data::load_pictures`); `cli` is
//! the program `shadegrad`. All are on by default; a library user turns them off and gets wgpu and little else.
//!
//! A program that runs on Linux without a desktop may want [`device::mesa_runtime_dir`], so that drivers do not complain of nothing.

#![warn(missing_docs)]

mod files;
mod message;
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

// Doctests of the blocks of Rust in documents; tests/docs holds this list to the files.
#[cfg(all(doctest, feature = "mnist-data"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(all(doctest, feature = "pictures"))]
#[doc = include_str!("../docs/data.md")]
struct DataInMemory;

#[cfg(doctest)]
#[doc = include_str!("../docs/attribution.md")]
struct PixelsThatDecided;

#[cfg(doctest)]
#[doc = include_str!("../docs/training.md")]
struct Training;
