//! Every model file in `runs/` and `nets/` with its recording. `make_keras_runs.py` says how they are made; a file that is
//! added there is tested here automatically.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use shadegrad::device::Device;
use shadegrad::io::ModelFile;
use shadegrad::model::{Network, Optimizer, WeightTensor, Weights};
use shadegrad::plan::{Plan, Tensor};
use shadegrad::train::{Callback, CallbackError, Checkpoint, Checkpoints, Compile, FitOptions, StepRecord};

use crate::common::{Noise, repository, software_gpu};
use crate::samples::data;
use crate::small_net::Worst;

const BATCH: usize = 16;
const EPOCHS: usize = 3;
const WEIGHT_SEED: u64 = 7;
const WEIGHT_SCALE: f64 = 0.4;
/// Of what is drawn during training.
const DRAW_SEED: u64 = 0x0123_4567_89AB_CDEF;

/// The least bounds of a relative error of a loss, as for the first recording: of twins, whose exp and log are right
/// to the last bit or nearly, and of adapters, for which WGSL allows an error of 3 + 2|x| units in the last place.
const LEAST_LOSS_BOUNDS: [f64; 2] = [1e-6, 1e-5];

/// Tensors by their names.
type Tensors = BTreeMap<String, Vec<f64>>;

#[derive(Deserialize)]
struct Recording {
    losses: Vec<f64>,
    loss_relative: Vec<f64>,
    /// Of a whole net, after how many steps its weights were recorded first.
    early_step: Option<usize>,
    /// Tensors and their bounds: `weights` and `weights_absolute`, and so on.
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

impl Recording {
    /// Tensors of this name, and how far each of their elements may be off.
    fn tensors(&self, what: &str) -> (Tensors, f64) {
        let bound = &self.rest[&format!("{what}_absolute")];
        (serde_json::from_value(self.rest[what].clone()).unwrap(), bound.as_f64().unwrap())
    }
}

struct Configuration {
    name: String,
    file: ModelFile,
    options: FitOptions,
    recording: Recording,
}

/// The model files of a folder.
pub fn model_files(folder: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(repository("tests/golden").join(folder)).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

fn configurations(folder: &str) -> Vec<Configuration> {
    let configuration = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file = ModelFile::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let recording = crate::recording(&format!("{folder}/{name}.json"));
        let mut options = FitOptions { shuffle: false, ..file.training.clone() };
        if folder == "runs" {
            options = FitOptions { epochs: EPOCHS, batch_size: BATCH, ..options };
        }
        Configuration { name, file, options, recording }
    };
    model_files(folder).into_iter().map(configuration).collect()
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

/// What is compared of a run.
#[derive(Default)]
struct Run {
    /// Whether there are checkpoints, one after each epoch.
    checkpoints: bool,
    losses: Vec<f64>,
    /// Steps, weights, and the optimizer's state at each checkpoint.
    states: Vec<(usize, Weights, Vec<f32>)>,
}

impl Callback for Run {
    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.losses.push(f64::from(record.loss));
        Ok(())
    }

    fn checkpoints(&self) -> Checkpoints {
        if self.checkpoints { Checkpoints::Epochs } else { Checkpoints::Never }
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        let Checkpoint { weights, optimizer_state, .. } = checkpoint;
        self.states.push((checkpoint.steps(), weights.clone(), optimizer_state.clone()));
        Ok(())
    }
}

/// Keras's names of what an optimizer keeps, in the order of our slots.
fn slots(optimizer: &Optimizer) -> Vec<&'static str> {
    let names: &[&str] = match optimizer {
        Optimizer::Sgd(_) | Optimizer::Lion(_) => &["momentum"],
        Optimizer::Adadelta(_) => &["accumulated_grad", "accumulated_delta"],
        Optimizer::Adam(_) | Optimizer::AdamW(_) => &["momentum", "velocity"],
        Optimizer::RmsProp(rmsprop) if rmsprop.momentum == 0.0 => &["velocity", "average_gradient"],
        Optimizer::RmsProp(_) => &["velocity", "momentum", "average_gradient"],
    };
    names[..optimizer.slots()].to_vec()
}

/// What belongs to each weight in one slot of the optimizer's state.
fn in_slot(network: &Network, file: &ModelFile, state: &[f32], slot: usize) -> Tensors {
    let plan = Plan::build(network, file.loss, file.optimizer, 1).unwrap();
    let slots = file.optimizer.slots() + usize::from(file.optimizer.ema().is_some());
    let arena = state.len() / slots;
    let of_weight = |place: &Tensor| {
        let first = slot * arena + place.offset;
        state[first..first + place.len()].iter().map(|&value| f64::from(value)).collect()
    };
    let weights = network.weights().zip(&plan.parameters).filter(|(weight, _)| weight.trainable);
    weights.map(|(weight, place)| (weight.name.clone(), of_weight(place))).collect()
}

/// The weights, except what the file gives, which is no weight in Keras.
fn by_name(network: &Network, weights: &Weights) -> Tensors {
    let values = |tensor: &WeightTensor| tensor.values.iter().map(|&value| f64::from(value)).collect();
    let kept = network.weights().zip(weights.tensors()).filter(|(spec, _)| spec.given.is_none());
    kept.map(|(_, tensor)| (tensor.name.clone(), values(tensor))).collect()
}

/// How far tensors are from those that were recorded under this name.
fn compared(recording: &Recording, what: &str, ours: &Tensors) -> Worst {
    let (theirs, bound) = recording.tensors(what);
    let mut worst = Worst::default();
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{what}");
    for (name, values) in ours {
        let theirs = &theirs[name];
        assert_eq!(values.len(), theirs.len(), "{what} of {name}");
        // What a Normalization took from the data is rounded once on either side.
        let adapted = name.starts_with("normalization");
        for (at, (ours, theirs)) in values.iter().zip(theirs).enumerate() {
            let bound = if adapted { 2f64.powi(-22) * theirs.abs() } else { bound };
            worst
                .note((ours - theirs).abs(), bound, || format!("{what}, {name} [{at}], {ours} for {theirs}"));
        }
    }
    worst
}

/// Trains as recorded and records how far losses, weights and state are from Keras's.
fn follow(
    configuration: &Configuration,
    device: &Device,
    no_fuse: bool,
    least: f64,
    seed: u64,
) -> Vec<Worst> {
    let Configuration { file, options, recording, .. } = configuration;
    let network = file.model.network().unwrap();
    let compile = Compile { seed, no_fuse, ..file.compile() };
    let mut model = file.model.compile(device, compile).unwrap();
    model.set_weights(initial_weights(&network)).unwrap();
    model.adapt(&data(&network)).unwrap();
    let mut run = Run { checkpoints: recording.early_step.is_some(), ..Run::default() };
    model.fit(&data(&network), options, &mut run).unwrap();
    assert_eq!(run.losses.len(), recording.losses.len(), "number of steps");
    let mut of_losses = Worst::default();
    let rows = run.losses.iter().zip(&recording.losses).zip(&recording.loss_relative);
    for (step, ((ours, theirs), bound)) in (1..).zip(rows) {
        let error = (ours - theirs).abs() / theirs.abs();
        of_losses.note(error, bound.max(least), || format!("loss of step {step}, {ours} for {theirs}"));
    }
    let mut found =
        vec![of_losses, compared(recording, "weights", &by_name(&network, &model.weights().unwrap()))];
    if let Some(early) = recording.early_step {
        let at = |step| run.states.iter().rfind(|state| state.0 == step).unwrap();
        found.push(compared(recording, "early", &by_name(&network, &at(early).1)));
        for (slot, name) in slots(&file.optimizer).into_iter().enumerate() {
            let state = in_slot(&network, file, &at(run.losses.len()).2, slot);
            found.push(compared(recording, name, &state));
        }
    }
    found
}

/// Every configuration of a folder on a device; lists all failures.
fn all_follow(folder: &str, name: &str, device: &Device, no_fuse: bool, least: f64) {
    let mut failures = Vec::new();
    for configuration in configurations(folder) {
        for worst in follow(&configuration, device, no_fuse, least, DRAW_SEED) {
            let line = format!("{}, {name}: {worst}", configuration.name);
            println!("{line}");
            failures.extend((!worst.is_within()).then_some(line));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_cpu_executor_follows_every_recorded_run() {
    all_follow("runs", "cpu", &Device::cpu(), true, LEAST_LOSS_BOUNDS[0]);
    all_follow("runs", "reference", &Device::reference(), true, LEAST_LOSS_BOUNDS[0]);
}

#[test]
fn the_software_adapter_follows_every_recorded_run() {
    all_follow("runs", "software adapter", &software_gpu(), true, LEAST_LOSS_BOUNDS[1]);
}

#[test]
fn the_software_adapter_follows_every_recorded_run_fused() {
    all_follow("runs", "software adapter, fused", &software_gpu(), false, LEAST_LOSS_BOUNDS[1]);
}

#[test]
fn the_cpu_executor_follows_every_recorded_net() {
    all_follow("nets", "cpu", &Device::cpu(), true, LEAST_LOSS_BOUNDS[0]);
    all_follow("nets", "reference", &Device::reference(), true, LEAST_LOSS_BOUNDS[0]);
}

#[test]
fn the_software_adapter_follows_every_recorded_net() {
    all_follow("nets", "software adapter", &software_gpu(), true, LEAST_LOSS_BOUNDS[1]);
}

#[test]
fn the_software_adapter_follows_every_recorded_net_fused() {
    all_follow("nets", "software adapter, fused", &software_gpu(), false, LEAST_LOSS_BOUNDS[1]);
}

/// Recordings of layers that draw are only useful if they tell one draw from another.
#[test]
fn other_draws_are_noticed() {
    let draw = ["Dropout", "RandomFlip", "RandomTranslation"];
    let mut count = 0;
    for configuration in ["runs", "nets"].into_iter().flat_map(configurations) {
        let layers = &configuration.file.model.layers;
        if layers.iter().any(|node| draw.contains(&node.layer.class())) {
            for seed in [DRAW_SEED ^ 1, DRAW_SEED ^ 1 << 32] {
                let found = follow(&configuration, &Device::cpu(), true, LEAST_LOSS_BOUNDS[0], seed);
                assert!(found.iter().all(|worst| !worst.is_within()), "{}", configuration.name);
            }
            count += 1;
        }
    }
    assert!(count >= 8, "only {count} recordings have a layer that draws");
}
