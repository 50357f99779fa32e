//! Devices, models and data that several tests share.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use shadegrad::data::{Dataset, Shape, load_dir};
use shadegrad::device::{Device, DeviceChoice, HOW_TO_GET_AN_ADAPTER};
use shadegrad::io::ModelFile;
use shadegrad::model::{
    Activation, ActivationLayer, BinaryCrossentropy, CategoricalCrossentropy, Conv2D, Dense, Dropout,
    Flatten, Huber, LeakyReLU, Loss, MaxPooling2D, ReLU, Sequential, Softmax,
};

/// With the kernels of which devices tests run: `SHADEGRAD_TEST_DEVICE`, such as `hardware:software`; by default its own.
pub fn software_choice() -> DeviceChoice {
    let named = std::env::var("SHADEGRAD_TEST_DEVICE").unwrap_or_else(|_| "software".to_owned());
    named.parse().unwrap_or_else(|never| match never {})
}

/// The software adapter, opened once per test program. Without one the test fails: these tests are never skipped.
pub fn software_gpu() -> Device {
    static GPU: OnceLock<Device> = OnceLock::new();
    let open = || match Device::open(&software_choice()) {
        Ok((device, _)) => device,
        Err(error) => {
            let error = error.to_string();
            // Where there are other adapters, the error lists them instead.
            let how = if error.contains(HOW_TO_GET_AN_ADAPTER) { "" } else { HOW_TO_GET_AN_ADAPTER };
            panic!("this test needs a software adapter\n{error}\n{how}")
        }
    };
    GPU.get_or_init(open).clone()
}

/// Both executors, by the name that a failing row prints.
pub fn devices() -> [(&'static str, Device); 2] {
    [("cpu", Device::cpu()), ("software adapter", software_gpu())]
}

/// A path in the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The MNIST training images, in file order.
pub fn mnist_train() -> &'static Dataset {
    static TRAIN: OnceLock<Dataset> = OnceLock::new();
    TRAIN.get_or_init(|| load_dir(&repository("assets/mnist")).expect("assets/mnist is whole").train)
}

/// Uniform 64-bit numbers (splitmix64): a generator of the tests' own, independent of the crate's.
pub struct Noise(pub u64);

impl Noise {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `[-1, 1)`.
    pub fn symmetric(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * 2f64.powi(-52) - 1.0
    }

    pub fn vector(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| self.symmetric()).collect()
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.bits() as u8).collect()
    }
}

/// Images of random bytes with random labels.
pub fn random_data(samples: usize, shape: impl Into<Shape>, classes: usize, seed: u64) -> Dataset {
    let (mut noise, shape) = (Noise(seed), shape.into());
    let images = noise.bytes(samples * shape.len());
    let labels = (0..samples).map(|_| (noise.bits() % classes as u64) as u8).collect();
    Dataset::new(images, labels, shape, classes).expect("a well-formed data set")
}

/// The tutorial's model.
pub fn tutorial() -> Sequential {
    ModelFile::tutorial().expect("the tutorial's model file is right").model
}

/// A small version of the tutorial: the net of the recordings in `tests/golden`.
pub fn small() -> Sequential {
    Sequential::new([28, 28, 1])
        .add(Conv2D::new(8, 3).activation(Activation::Relu))
        .add(MaxPooling2D::new(2))
        .add(Flatten::new())
        .add(Dense::new(16).activation(Activation::Relu))
        .add(Dense::new(10).activation(Activation::Softmax))
}

/// Models with everything that the tutorial lacks, by the name that a failing row prints.
pub fn unusual_models() -> Vec<(&'static str, Sequential)> {
    let (relu, softmax) = (Activation::Relu, Activation::Softmax);
    vec![
        (
            "two convolutions, overlapping pool",
            Sequential::new([12, 12, 1])
                .add(Conv2D::new(4, 3).activation(relu))
                .add(Conv2D::new(8, 3).activation(relu))
                .add(MaxPooling2D::new(3).strides(2))
                .add(Flatten::new())
                .add(Dense::new(12).activation(relu))
                .add(Dense::new(4).activation(softmax)),
        ),
        (
            "pool first, strides, odd sizes and channels",
            Sequential::new([13, 11, 3])
                .add(MaxPooling2D::new((2, 1)).strides(1))
                .add(Conv2D::new(5, (2, 3)).strides((1, 2)).activation(relu))
                .add(Conv2D::new(7, 2))
                .add(MaxPooling2D::new(2).strides(1))
                .add(Flatten::new())
                .add(Dense::new(9))
                .add(Dense::new(6).activation(relu))
                .add(Dense::new(3).activation(softmax)),
        ),
        (
            "pool with gaps between its windows",
            Sequential::new([10, 9, 2])
                .add(Conv2D::new(3, (1, 2)).activation(relu))
                .add(MaxPooling2D::new((1, 2)).strides((2, 3)))
                .add(Flatten::new())
                .add(Dense::new(5).activation(softmax)),
        ),
        (
            "dense alone, 7x3x3 images",
            Sequential::new([7, 3, 3]).add(Flatten::new()).add(Dense::new(3).activation(softmax)),
        ),
        (
            "convolution over the whole 5x5x1 image",
            Sequential::new([5, 5, 1])
                .add(Conv2D::new(6, 5).activation(relu))
                .add(Flatten::new())
                .add(Dense::new(2).activation(softmax)),
        ),
    ]
}

/// Models with every activation, as an argument and as a layer, with dropout and with each loss.
pub fn activation_models() -> Vec<(&'static str, Sequential, Loss)> {
    let (sigmoid, tanh) = (Activation::Sigmoid, Activation::Tanh);
    vec![
        (
            "activations as arguments, squared errors",
            Sequential::new([9, 8, 2])
                .add(Conv2D::new(3, (2, 3)).activation(tanh))
                .add(Conv2D::new(4, 2).activation(Activation::Softmax))
                .add(MaxPooling2D::new(2))
                .add(Flatten::new())
                .add(Dense::new(7).activation(Activation::LeakyRelu))
                .add(Dense::new(3).activation(sigmoid)),
            Loss::MeanSquaredError,
        ),
        (
            "layers of activations one after another, cross-entropy of outputs",
            Sequential::new([8, 8, 1])
                .add(ActivationLayer::new(tanh))
                .add(Conv2D::new(4, 3))
                .add(ReLU::new())
                .add(MaxPooling2D::new(2))
                .add(LeakyReLU::new())
                .add(ActivationLayer::new(sigmoid))
                .add(Flatten::new())
                .add(Dense::new(6).activation(tanh))
                .add(ActivationLayer::new(Activation::LeakyRelu))
                .add(Softmax::new())
                .add(Dense::new(4).activation(sigmoid)),
            Loss::default(),
        ),
        (
            "activations whose gradient needs their input, as arguments and as layers",
            Sequential::new([8, 7, 1])
                .add(ActivationLayer::new(Activation::Silu))
                .add(Conv2D::new(4, 3).activation(Activation::Softplus))
                .add(ActivationLayer::new(Activation::Silu))
                .add(MaxPooling2D::new(2))
                .add(ActivationLayer::new(Activation::Softplus))
                .add(Flatten::new())
                .add(Dense::new(8).activation(Activation::Silu))
                .add(ActivationLayer::new(Activation::Relu))
                .add(Dense::new(4).activation(Activation::Softmax)),
            Loss::default(),
        ),
        (
            "dropout between layers, softmax as a layer",
            Sequential::new([8, 7, 1])
                .add(Dropout::new(0.1))
                .add(Conv2D::new(4, 3).activation(Activation::Relu))
                .add(MaxPooling2D::new(2))
                .add(Dropout::new(0.25))
                .add(Flatten::new())
                .add(Dense::new(8).activation(sigmoid))
                .add(Dropout::new(0.5))
                .add(Dense::new(4))
                .add(Softmax::new()),
            Loss::default(),
        ),
        (
            "softmax under squared errors",
            Sequential::new([4, 4, 1])
                .add(Flatten::new())
                .add(Dense::new(5).activation(Activation::Relu))
                .add(Dropout::new(0.2))
                .add(Dense::new(3).activation(Activation::Softmax)),
            Loss::MeanSquaredError,
        ),
        (
            "linear outputs, absolute errors",
            Sequential::new([4, 4, 1])
                .add(Flatten::new())
                .add(Dense::new(5).activation(tanh))
                .add(Dense::new(3)),
            Loss::MeanAbsoluteError,
        ),
        (
            "linear outputs, huber",
            Sequential::new([4, 4, 1])
                .add(Flatten::new())
                .add(Dense::new(6).activation(tanh))
                .add(Dense::new(4)),
            Huber { delta: 0.5 }.into(),
        ),
        (
            "sigmoid under binary cross-entropy",
            Sequential::new([4, 4, 1])
                .add(Flatten::new())
                .add(Dense::new(6).activation(tanh))
                .add(Dense::new(3).activation(sigmoid)),
            BinaryCrossentropy::default().into(),
        ),
        (
            "a single sigmoid unit under binary cross-entropy",
            Sequential::new([4, 4, 1])
                .add(Flatten::new())
                .add(Dense::new(6).activation(tanh))
                .add(Dense::new(1))
                .add(ActivationLayer::new(sigmoid)),
            BinaryCrossentropy::default().into(),
        ),
        (
            "softmax under binary cross-entropy",
            Sequential::new([4, 4, 1])
                .add(Flatten::new())
                .add(Dense::new(6).activation(tanh))
                .add(Dense::new(4).activation(Activation::Softmax)),
            BinaryCrossentropy::default().into(),
        ),
        (
            "a single sigmoid unit under squared errors",
            Sequential::new([4, 4, 1])
                .add(Flatten::new())
                .add(Dense::new(6).activation(tanh))
                .add(Dense::new(1).activation(sigmoid)),
            Loss::MeanSquaredError,
        ),
        (
            "softmax, smoothed labels",
            Sequential::new([8, 7, 1])
                .add(Conv2D::new(4, 3).activation(Activation::Relu))
                .add(Flatten::new())
                .add(Dense::new(8).activation(Activation::Relu))
                .add(Dense::new(4).activation(Activation::Softmax)),
            // A target is 0.8125 and three times 0.0625, whose sum is exactly 1, as the gradient of the logits expects.
            CategoricalCrossentropy { label_smoothing: 0.25 }.into(),
        ),
        (
            "a single sigmoid unit, smoothed labels",
            Sequential::new([4, 4, 1])
                .add(Flatten::new())
                .add(Dense::new(6).activation(tanh))
                .add(Dense::new(1).activation(sigmoid)),
            BinaryCrossentropy { label_smoothing: 0.3 }.into(),
        ),
    ]
}
