//! The tutorial in burn, on its wgpu backend: WGSL, on the same adapter as `shadegrad train --device software`.
//!
//! `burn-tutorial DATA STEPS` prints one JSON line per event, as `../peer.py` says. It trains a number of steps and not
//! of epochs, for an epoch may take minutes. Losses are not summed up and hits not counted during training: what burn's
//! own learner would do for its metrics is not timed.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use burn::module::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, ModuleOptimizer, RmsPropConfig};
use burn::prelude::*;
use burn::tensor::{DeviceKind, TensorData, activation::relu};
use flate2::read::GzDecoder;

const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;
const BATCH: usize = 64;
/// Batches of `predict`, as in the other scripts.
const PREDICT_BATCH: usize = 1024;
const LEARNING_RATE: f64 = 1e-3;
/// Steps that come after the first and before those that are timed: burn goes on tuning its kernels in them.
const WARM_UP: usize = 20;

/// Set by the runner: seconds since 1970 when it started this process.
const STARTED: &str = "PEER_STARTED";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Module, Debug)]
struct Tutorial {
    conv2d: Conv2d,
    max_pooling2d: MaxPool2d,
    dense: Linear,
    dense_1: Linear,
}

impl Tutorial {
    /// With the initial weights of Keras: Glorot uniform, biases aside.
    fn new(device: &Device) -> Self {
        let glorot = Initializer::XavierUniform { gain: 1.0 };
        Tutorial {
            conv2d: Conv2dConfig::new([1, 32], [3, 3]).with_initializer(glorot.clone()).init(device),
            max_pooling2d: MaxPool2dConfig::new([2, 2]).init(),
            dense: LinearConfig::new(32 * 13 * 13, 64).with_initializer(glorot.clone()).init(device),
            dense_1: LinearConfig::new(64, 10).with_initializer(glorot).init(device),
        }
    }

    /// Logits `[n, 10]` of images `[n, 1, 28, 28]`: burn puts channels first, and its loss takes logits.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.max_pooling2d.forward(relu(self.conv2d.forward(images)));
        let x = relu(self.dense.forward(x.flatten(1, 3)));
        self.dense_1.forward(x)
    }
}

/// Images as bytes, and their labels, on the host.
struct Dataset {
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Dataset {
    fn load(dir: &Path, stem: &str) -> Result<Self> {
        let of_set = dir.join(if stem == "train" { "train" } else { "test" });
        // In the folder, or in that of its set within it.
        let read = |name: &str| {
            let file = format!("{stem}-{name}-ubyte.gz");
            let beside = dir.join(&file);
            unzip(&if beside.exists() { beside } else { of_set.join(file) })
        };
        // The headers of IDX files: four bytes, and four more for each dimension.
        Ok(Dataset { images: read("images-idx3")?.split_off(16), labels: read("labels-idx1")?.split_off(8) })
    }

    /// A batch on the device. It goes there batch by batch: the whole set as floats is over lavapipe's limit for one
    /// buffer.
    fn batch(&self, order: &[usize], device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
        let image = |&at: &usize| &self.images[at * PIXELS..(at + 1) * PIXELS];
        let pixels: Vec<f32> = order.iter().flat_map(image).map(|&byte| f32::from(byte) / 255.0).collect();
        let labels: Vec<i32> = order.iter().map(|&at| i32::from(self.labels[at])).collect();
        (
            Tensor::from_data(TensorData::new(pixels, [order.len(), 1, SIDE, SIDE]), device),
            Tensor::from_data(TensorData::new(labels, [order.len()]), device),
        )
    }
}

fn unzip(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    GzDecoder::new(file).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Numbers below `count`, shuffled; a small generator is enough for that.
fn shuffled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..count).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.swap(last, (state % (last as u64 + 1)) as usize);
    }
    order
}

struct Training {
    model: Tutorial,
    optimizer: ModuleOptimizer,
    loss: CrossEntropyLoss,
}

impl Training {
    fn step(mut self, images: Tensor<4>, labels: Tensor<1, Int>) -> Self {
        let loss = self.loss.forward(self.model.forward(images), labels);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.model);
        self.model = self.optimizer.step(LEARNING_RATE, self.model, gradients);
        self
    }
}

/// Images of the test set that are classified rightly. The answer is the host's, so the device is done.
fn predict(model: &Tutorial, test: &Dataset, device: &Device) -> i64 {
    let order: Vec<usize> = (0..test.labels.len()).collect();
    let hits = |order: &[usize]| {
        let (images, labels) = test.batch(order, device);
        let classes = model.forward(images).argmax(1).flatten::<1>(0, 1);
        classes.equal(labels).int().sum().into_scalar::<i64>()
    };
    order.chunks(PREDICT_BATCH).map(hits).sum()
}

fn since_start() -> Result<f64> {
    let started: f64 = std::env::var(STARTED).map_err(|_| format!("{STARTED} is not set"))?.parse()?;
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() - started)
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, data, steps] = &args[..] else { return Err("usage: burn-tutorial DATA STEPS".into()) };
    let (data, steps): (_, usize) = (Path::new(data), steps.parse()?);
    let (train, test) = (Dataset::load(data, "train")?, Dataset::load(data, "t10k")?);

    let plain = Device::wgpu(DeviceKind::Cpu);
    let device = plain.clone().autodiff();
    let mut training = Training {
        model: Tutorial::new(&device),
        optimizer: RmsPropConfig::new().with_alpha(0.9).with_momentum(0.0).with_epsilon(1e-7).init(),
        loss: CrossEntropyLossConfig::new().init(&device),
    };
    // The last, smaller batch of an epoch is left out: it would be another shape to tune for.
    let order = shuffled(train.labels.len());
    let mut batches = order.chunks_exact(BATCH).cycle();
    let mut take = |training: Training| match batches.next() {
        Some(batch) => {
            let (images, labels) = train.batch(batch, &device);
            Ok(training.step(images, labels))
        }
        None => Err(format!("{} holds fewer than {BATCH} images", data.display())),
    };

    training = take(training)?;
    device.sync()?;
    println!(r#"{{"event": "first_step", "seconds": {}}}"#, since_start()?);

    for _ in 0..WARM_UP {
        training = take(training)?;
    }
    device.sync()?;
    let begun = Instant::now();
    for _ in 0..steps {
        training = take(training)?;
    }
    device.sync()?;
    let (before, seconds) = (1 + WARM_UP, begun.elapsed().as_secs_f64());
    println!(r#"{{"event": "steps", "before": {before}, "count": {steps}, "seconds": {seconds}}}"#);

    let model = training.model.valid();
    predict(&model, &test, &plain); // compiles and tunes
    let begun = Instant::now();
    let hits = predict(&model, &test, &plain);
    println!(r#"{{"event": "predict", "seconds": {}}}"#, begun.elapsed().as_secs_f64());
    println!(r#"{{"event": "accuracy", "value": {}}}"#, hits as f64 / test.labels.len() as f64);
    Ok(())
}
