//! Every model file in `runs/` with its recording. `make_keras_runs.py` says how they are made; a file that is added
//! there is tested here automatically.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use shadegrad::data::Dataset;
use shadegrad::device::Device;
use shadegrad::io::ModelFile;
use shadegrad::model::{Network, WeightTensor, Weights};
use shadegrad::train::{Callback, CallbackError, Compile, FitOptions, StepRecord};

use crate::common::{Noise, repository, software_gpu};
use crate::small_net::Worst;

const SAMPLES: usize = 150;
const BATCH: usize = 16;
const EPOCHS: usize = 3;
const DATA_SEED: u64 = 2024;
const WEIGHT_SEED: u64 = 7;
const WEIGHT_SCALE: f64 = 0.4;

/// The least bounds of a relative error of a loss, as for the first recording: of twins, whose exp and log are right
/// to the last bit or nearly, and of adapters, for which WGSL allows an error of 3 + 2|x| units in the last place.
const LEAST_LOSS_BOUNDS: [f64; 2] = [1e-6, 1e-5];

#[derive(Deserialize)]
struct Recording {
    losses: Vec<f64>,
    loss_relative: Vec<f64>,
    weights_absolute: f64,
    weights: BTreeMap<String, Vec<f64>>,
}

struct Configuration {
    name: String,
    file: ModelFile,
    recording: Recording,
}

fn configurations() -> Vec<Configuration> {
    let folder = repository("tests/golden/runs");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let configuration = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file = ModelFile::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let recording = crate::recording(&format!("runs/{name}.json"));
        Configuration { name, file, recording }
    };
    files.into_iter().map(configuration).collect()
}

/// Random bytes, whose class is the brightest of four quadrants, modulo the number of classes.
fn data(network: &Network) -> Dataset {
    let shape @ [h, w, c] = network.input_shape.image().expect("an image");
    let images = Noise(DATA_SEED).bytes(SAMPLES * h * w * c);
    let label = |image: &[u8]| {
        let mut sums = [0u32; 4];
        for (at, &byte) in image.iter().enumerate() {
            let (i, j) = (at / (w * c), at / c % w);
            sums[2 * usize::from(i >= h / 2) + usize::from(j >= w / 2)] += u32::from(byte);
        }
        let brightest = (0..4).fold(0, |best, at| if sums[at] > sums[best] { at } else { best });
        (brightest % network.classes()) as u8
    };
    let labels = images.chunks(h * w * c).map(label).collect();
    Dataset::new(images, labels, shape, network.classes()).unwrap()
}

/// Uniform, with one seed per tensor.
fn initial_weights(network: &Network) -> Weights {
    let tensor = |(place, spec): (u64, &shadegrad::model::WeightSpec)| {
        let values = Noise(WEIGHT_SEED + place).vector(spec.len());
        // A variance has no sign.
        let signed = |value: f32| if spec.name.ends_with("variance") { value.abs() } else { value };
        let values = values.iter().map(|value| signed((WEIGHT_SCALE * value) as f32)).collect();
        WeightTensor { name: spec.name.clone(), shape: spec.shape.clone(), values }
    };
    let drawn = network.weights().filter(|spec| spec.given.is_none());
    Weights::new(network, (0..).zip(drawn).map(tensor).collect()).unwrap()
}

#[derive(Default)]
struct Losses(Vec<f64>);

impl Callback for Losses {
    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.0.push(f64::from(record.loss));
        Ok(())
    }
}

/// Trains as recorded and records how far losses and weights are from Keras's.
fn follow(configuration: &Configuration, device: &Device, no_fuse: bool, least: f64) -> [Worst; 2] {
    let Configuration { file, recording, .. } = configuration;
    let network = file.model.network().unwrap();
    let compile = Compile { loss: file.loss, optimizer: file.optimizer, no_fuse, ..Compile::default() };
    let mut model = file.model.compile(device, compile).unwrap();
    model.set_weights(initial_weights(&network)).unwrap();
    model.adapt(&data(&network)).unwrap();
    let options = FitOptions { epochs: EPOCHS, batch_size: BATCH, shuffle: false, ..file.training.clone() };
    let mut losses = Losses::default();
    model.fit(&data(&network), &options, &mut losses).unwrap();
    assert_eq!(losses.0.len(), recording.losses.len(), "number of steps");
    let [mut of_losses, mut of_weights] = [Worst::default(), Worst::default()];
    let rows = losses.0.iter().zip(&recording.losses).zip(&recording.loss_relative);
    for (step, ((ours, theirs), bound)) in (1..).zip(rows) {
        let error = (ours - theirs).abs() / theirs.abs();
        of_losses.note(error, bound.max(least), || format!("loss of step {step}, {ours} for {theirs}"));
    }
    let weights = model.weights().unwrap();
    // What the file gives is no weight in Keras.
    let given = network.weights().filter(|spec| spec.given.is_some()).map(|spec| spec.name.as_str());
    let given: Vec<&str> = given.collect();
    let tensors = weights.tensors().iter().filter(|tensor| !given.contains(&tensor.name.as_str()));
    assert_eq!(tensors.clone().count(), recording.weights.len(), "number of weight tensors");
    for tensor in tensors {
        let theirs = &recording.weights[&tensor.name];
        assert_eq!(tensor.values.len(), theirs.len(), "{}", tensor.name);
        for (at, (&ours, theirs)) in tensor.values.iter().zip(theirs).enumerate() {
            let error = (f64::from(ours) - theirs).abs();
            // What a Normalization took from the data is rounded once on either side.
            let adapted = tensor.name.starts_with("normalization");
            let bound = if adapted { 2f64.powi(-22) * theirs.abs() } else { recording.weights_absolute };
            of_weights.note(error, bound, || format!("{} [{at}], {ours} for {theirs}", tensor.name));
        }
    }
    [of_losses, of_weights]
}

/// Every configuration on a device; lists all failures.
fn all_follow(name: &str, device: &Device, no_fuse: bool, least: f64) {
    let mut failures = Vec::new();
    for configuration in configurations() {
        for worst in follow(&configuration, device, no_fuse, least) {
            let line = format!("{}, {name}: {worst}", configuration.name);
            println!("{line}");
            failures.extend((!worst.is_within()).then_some(line));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_cpu_executor_follows_every_recorded_run() {
    all_follow("cpu", &Device::cpu(), true, LEAST_LOSS_BOUNDS[0]);
}

#[test]
fn the_software_adapter_follows_every_recorded_run() {
    all_follow("software adapter", &software_gpu(), true, LEAST_LOSS_BOUNDS[1]);
}

#[test]
fn the_software_adapter_follows_every_recorded_run_fused() {
    all_follow("software adapter, fused", &software_gpu(), false, LEAST_LOSS_BOUNDS[1]);
}
