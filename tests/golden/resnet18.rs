//! The ResNet-18 of `assets/models` against torchvision's, from the same weights under PyTorch's names; `make_torch_resnet.py` says what
//! is recorded, and how.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use shadegrad::cpu::CpuExecutor;
use shadegrad::data::{Dataset, Targets};
use shadegrad::executor::{DataSlot, Executor, Pass};
use shadegrad::io::ModelFile;
use shadegrad::io::import::{Import, import_weights};
use shadegrad::model::{Loss, Network, Optimizer, Sgd, Weights};
use shadegrad::ops::Real;
use shadegrad::plan::{BatchParams, Phase, Plan, Role, Stage, Tensor};

use crate::common::{Noise, repository, software_gpu};

const SIDE: usize = 64;
const BATCH: usize = 2;
const CLASSES: usize = 1000;
const BUCKETS: usize = 128;
const IMAGES: u64 = 1000;
const LABELS: u64 = 1001;
const SKETCHES: u64 = 2000;
const STRIDE: u64 = 10_000;

/// How many times as far from float64 as PyTorch's own float32 ours may be.
const MOST_TIMES: f64 = 2.0;
/// Of twins in f64, in which epsilon is an f32 and so a variance off by up to 2^-25 of 1e-5, or 3e-13, times what batch statistics of eight
/// values make of a rounding: in f32, 1.6e-5 of 2^-24.
const EXACT: f64 = 1e-10;

#[derive(Deserialize)]
struct Recording {
    seed: u64,
    state: Vec<State>,
    tensors: Vec<Row>,
}

/// A tensor of PyTorch's model.
#[derive(Deserialize)]
struct State {
    name: String,
    shape: Vec<usize>,
}

/// A recorded tensor.
#[derive(Deserialize)]
struct Row {
    what: String,
    tensor: String,
    shape: Vec<usize>,
    norm: f64,
    /// Relative distance of PyTorch's float32 from its float64, the worse of with and without oneDNN.
    float32: f64,
}

impl Recording {
    fn noise(&self, number: u64) -> Noise {
        Noise(self.seed * STRIDE + number)
    }

    /// The weights of PyTorch's model as a file, as `weights` of the script makes them.
    fn weight_file(&self) -> Vec<u8> {
        let mut tensors = Vec::new();
        for (number, State { name, shape }) in (0..).zip(&self.state) {
            let len = shape.iter().product::<usize>();
            let noise = self.noise(number).vector(len);
            let about_one = ["running_var", "bn1.weight", "bn2.weight", "downsample.1.weight"];
            let (mean, scale) = match shape.as_slice() {
                [] => (0.0, 0.0),
                [outputs, _, ..] => (0.0, (6.0 / (len / outputs) as f64).sqrt()),
                _ if about_one.iter().any(|end| name.ends_with(end)) => (1.0, 0.5),
                _ => (0.0, 0.2),
            };
            let values: Vec<u8> =
                noise.iter().flat_map(|noise| ((mean + scale * noise) as f32).to_le_bytes()).collect();
            tensors.push((name, shape, values));
        }
        let views = tensors.iter().map(|(name, shape, values)| {
            // What counts batches is an integer.
            let (dtype, values) =
                if shape.is_empty() { (Dtype::I64, &[0; 8][..]) } else { (Dtype::F32, &values[..]) };
            (name.as_str(), TensorView::new(dtype, shape.to_vec(), values).unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    }

    fn data(&self) -> Dataset {
        let images = self.noise(IMAGES).bytes(BATCH * SIDE * SIDE * 3);
        let targets = Targets::classes(self.noise(LABELS).bytes(BATCH), CLASSES).unwrap();
        Dataset::from_parts(images, targets, [SIDE, SIDE, 3]).unwrap()
    }

    /// A sketch of the tensor of a row, as `sketch` of the script makes it.
    fn sketch(&self, number: usize, values: &[f64]) -> Vec<f64> {
        if values.len() <= BUCKETS {
            return values.to_vec();
        }
        let mut noise = self.noise(SKETCHES + number as u64);
        let mut sums = vec![0.0; BUCKETS];
        for value in values {
            let bits = noise.bits();
            sums[bits as usize % BUCKETS] += if bits >> 63 == 1 { -value } else { *value };
        }
        sums
    }
}

/// The model for small images; with `frozen`, no batch normalization is trained.
fn network(frozen: bool) -> Network {
    let mut file = ModelFile::read(&repository("assets/models/resnet18.toml")).unwrap();
    file.model.input_shape = [SIDE, SIDE, 3].into();
    for node in &mut file.model.layers {
        node.trainable = !(frozen && node.layer.class() == "BatchNormalization");
    }
    file.model.network().unwrap()
}

/// Logits, and the gradients of all weights that are trained, under PyTorch's names and in its order.
type Computed = BTreeMap<String, Vec<f64>>;

/// Reads a tensor of an executor, as exactly as that has it.
type Read<E> = fn(&mut E, &Tensor) -> Vec<f64>;

/// Runs a batch through an executor.
fn computed<E: Executor + ?Sized>(
    executor: &mut E,
    read: Read<E>,
    weights: &Weights,
    data: &Dataset,
    phase: Phase,
) -> Computed {
    let plan = executor.plan().clone();
    for (tensor, place) in weights.tensors().iter().zip(&plan.parameters) {
        executor.write(place, &tensor.values).unwrap();
    }
    executor.set_data(DataSlot::Training, data).unwrap();
    let training = u32::from(phase == Phase::Train);
    let params = BatchParams { training, ..BatchParams::of_samples(BATCH) };
    let pass = Pass { phase, data: DataSlot::Training, order: &[0, 1], batches: &[params], transforms: &[] };
    executor.run(&pass, &mut |_, _| ControlFlow::Continue(())).unwrap();
    let mut found = Computed::from([("logits".to_owned(), read(executor, &plan.logits))]);
    if phase == Phase::Train {
        for (spec, place) in plan.network.trainable_weights().zip(&plan.gradients) {
            found.insert(torch_name(&spec.name), in_torch_order(&spec.shape, read(executor, place)));
        }
    }
    found
}

/// `layer1_0_bn1.gamma` is `layer1.0.bn1.weight` there.
fn torch_name(name: &str) -> String {
    let (layer, weight) = name.split_once('.').unwrap();
    let weight = if ["beta", "bias"].contains(&weight) { "bias" } else { "weight" };
    format!("{}.{weight}", layer.replace('_', "."))
}

/// `[h, w, in, out]` as `[out, in, h, w]`, and `[in, out]` as `[out, in]`.
fn in_torch_order(shape: &[usize], values: Vec<f64>) -> Vec<f64> {
    let [h, w, inputs, outputs] = match *shape {
        [h, w, inputs, outputs] => [h, w, inputs, outputs],
        [inputs, outputs] => [1, 1, inputs, outputs],
        _ => return values,
    };
    let mut turned = Vec::with_capacity(values.len());
    for o in 0..outputs {
        for i in 0..inputs {
            for place in 0..h * w {
                turned.push(values[(place * inputs + i) * outputs + o]);
            }
        }
    }
    turned
}

/// The values of the CPU executor, of any precision.
fn values<T: Real + Into<f64>>(executor: &mut CpuExecutor<T>, tensor: &Tensor) -> Vec<f64> {
    executor.values(tensor).iter().map(|&value| value.into()).collect()
}

/// Everything that is compared, from an executor of each plan.
fn all<E: Executor + ?Sized>(
    recording: &Recording,
    executor: impl Fn(Plan) -> Box<E>,
    read: Read<E>,
) -> BTreeMap<&'static str, Computed> {
    let data = recording.data();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), recording.weight_file()).unwrap();
    let run = |frozen: bool, phase: Phase| {
        let network = network(frozen);
        let imported = import_weights(file.path(), &network, &Import::default(), 0).unwrap();
        let plan = Plan::build(&network, Loss::default(), Optimizer::Sgd(Sgd::default()), BATCH).unwrap();
        computed(&mut *executor(plan), read, &imported.weights, &data, phase)
    };
    [
        ("outputs", run(false, Phase::Evaluate)),
        ("frozen", run(true, Phase::Train)),
        ("training", run(false, Phase::Train)),
    ]
    .into()
}

fn recorded() -> (Recording, BTreeMap<String, Vec<f64>>) {
    let recording: Recording = crate::recording("resnet18/recording.json");
    let bytes = std::fs::read(repository("tests/golden/resnet18/sketches.safetensors")).unwrap();
    let sketches = SafeTensors::deserialize(&bytes).unwrap();
    let values = |view: &TensorView<'_>| {
        assert_eq!(view.dtype(), Dtype::F64);
        view.data().as_chunks::<8>().0.iter().map(|&eight| f64::from_le_bytes(eight)).collect()
    };
    let sketches = sketches.tensors().iter().map(|(name, view)| (name.clone(), values(view))).collect();
    (recording, sketches)
}

/// How far what was computed is from PyTorch's float64, by each row: its bound is what `bound` says of the row.
fn compare(computed: &BTreeMap<&'static str, Computed>, bound: impl Fn(&Row) -> f64) {
    let (recording, sketches) = recorded();
    let mut failures = Vec::new();
    for (number, row) in recording.tensors.iter().enumerate() {
        let ours = &computed[row.what.as_str()][&row.tensor];
        assert_eq!(ours.len(), row.shape.iter().product::<usize>(), "{}", row.tensor);
        let sketch = recording.sketch(number, ours);
        let theirs = &sketches[&format!("{}/{}", row.what, row.tensor)];
        let square = sketch.iter().zip(theirs).map(|(ours, theirs)| (ours - theirs).powi(2)).sum::<f64>();
        let apart = square.sqrt() / row.norm;
        let line = format!(
            "{} {}: {apart:.2e} from float64, at most {:.2e}; PyTorch's float32 is {:.2e} from it",
            row.what,
            row.tensor,
            bound(row),
            row.float32
        );
        println!("{line}");
        failures.extend((apart.is_nan() || apart > bound(row)).then_some(line));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(recording.tensors.len() > 80);
}

#[test]
fn twins_in_f64_are_the_same_network() {
    let (recording, _) = recorded();
    compare(&all(&recording, |plan| Box::new(CpuExecutor::<f64>::new(plan)), values), |_| EXACT);
}

#[test]
fn the_cpu_executor_is_as_near_as_pytorch_in_f32() {
    let (recording, _) = recorded();
    compare(&all(&recording, |plan| Box::new(CpuExecutor::fast(plan)), values), |row| {
        MOST_TIMES * row.float32
    });
}

/// How far from exact the gradient of the logits may be in WGSL, relative to its length: `exp` may be off by 3 + 2 |x| units in the last
/// place, and so may the sum of them, by their mean; a division by 2.5.
fn of_softmax(logits: &[f64], labels: &[u32]) -> f64 {
    let (mut errors, mut gradients) = (0.0, 0.0);
    for (logits, &label) in logits.chunks(CLASSES).zip(labels) {
        let largest = logits.iter().copied().fold(f64::MIN, f64::max);
        let sum = logits.iter().map(|logit| (logit - largest).exp()).sum::<f64>();
        let parts: Vec<(f64, f64)> = logits
            .iter()
            .map(|logit| ((logit - largest).exp() / sum, 3.0 + 2.0 * (largest - logit)))
            .collect();
        let mean = parts.iter().map(|(p, units)| p * units).sum::<f64>();
        for (class, (p, units)) in (0..).zip(&parts) {
            errors += (p * (units + mean + 2.5) * f64::from(f32::EPSILON)).powi(2);
            gradients += (p - f64::from(u8::from(class == label))).powi(2);
        }
    }
    (errors / gradients).sqrt()
}

#[test]
fn shaders_are_as_near_but_for_their_softmax() {
    let (recording, _) = recorded();
    let device = software_gpu();
    let read: Read<dyn Executor> =
        |executor, tensor| executor.read(tensor).unwrap().into_iter().map(f64::from).collect();
    let computed = all(&recording, |plan| device.executor(plan).unwrap(), read);
    let data = recording.data();
    compare(&computed, |row| {
        let logits = &computed[row.what.as_str()]["logits"];
        let of_softmax = if row.tensor == "logits" { 0.0 } else { of_softmax(logits, data.labels()) };
        MOST_TIMES * row.float32 + of_softmax
    });
}

/// Where only the last layer is trained, there is nothing below it on the way back: no step, no gradient, no state of the optimizer, and no
/// statistics of the batch.
#[test]
fn a_trunk_that_is_not_trained_costs_no_way_back() {
    let plan = |trained: fn(&str) -> bool| {
        let mut file = ModelFile::read(&repository("assets/models/resnet18.toml")).unwrap();
        file.model.input_shape = [SIDE, SIDE, 3].into();
        let names: Vec<String> =
            file.model.network().unwrap().layers.iter().map(|layer| layer.name.clone()).collect();
        for (node, name) in file.model.layers.iter_mut().zip(&names) {
            node.trainable = trained(name);
        }
        file.plan(BATCH).unwrap()
    };
    let head = plan(|name| name == "fc");
    let back: Vec<&str> = head
        .steps
        .iter()
        .filter(|step| step.stage == Stage::Backward)
        .map(|step| step.name.as_str())
        .collect();
    assert_eq!(back, ["fc/backward_bias", "fc/backward_kernel"]);
    let of_role = |plan: &Plan, role: Role| {
        plan.buffers.iter().filter(|buffer| buffer.role == role).map(|buffer| buffer.len).sum::<usize>()
    };
    // The gradient of the logits, and of the weights of `fc` with one slot of momentum.
    assert_eq!(of_role(&head, Role::ActivationGradient), BATCH * CLASSES);
    for role in [Role::Gradients, Role::OptimizerState] {
        assert_eq!(of_role(&head, role), 513 * CLASSES, "{role:?}");
    }
    let of_batch = ["batch_norm_sums", "batch_norm_squares", "batch_norm_update"];
    let kinds = |plan: &Plan| plan.steps.iter().filter(|step| of_batch.contains(&step.op.kind())).count();
    assert_eq!(kinds(&head), 0);
    // All of it is there where all is trained, and from the last stage on where that is.
    let all = plan(|_| true);
    assert!(kinds(&all) >= 40 && of_role(&all, Role::Gradients) > 11_000_000);
    let last = plan(|name| name.starts_with("layer4") || name == "fc");
    let layers = last
        .steps
        .iter()
        .filter(|step| step.stage == Stage::Backward)
        .filter_map(|step| step.name.split('/').next());
    let mut layers: Vec<&str> = layers.collect();
    layers.dedup();
    assert!(
        layers
            .iter()
            .all(|name| name.starts_with("layer4") || ["fc", "global_average_pooling2d"].contains(name)),
        "{layers:?}"
    );
}
