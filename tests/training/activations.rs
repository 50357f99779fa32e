//! Activations, losses of outputs, and dropout, on both executors.

use shadegrad::data::Dataset;
use shadegrad::device::Device;
use shadegrad::model::{
    Activation, ActivationLayer, BinaryCrossentropy, CategoricalCrossentropy, Dense, Dropout, Flatten, Huber,
    Loss, Sequential, Softmax, Weights,
};
use shadegrad::ops::{Arg, DropoutBackward, DropoutForward, DropoutShape, Op};
use shadegrad::plan::{BatchParams, Plan};
use shadegrad::random::{Purpose, philox4x32};
use shadegrad::train::{Compile, FitOptions, Model};

use crate::common::{activation_models, devices, random_data};
use crate::steps::{Recorder, bits, distance, flat};

/// Relative. WGSL allows an exponential an error of 3 + 2|x| units in the last place, and these nets have up to three
/// of them between input and loss: ten times the bound for other models.
const LOSS: f64 = 1e-4;
/// After twenty steps, likewise.
const WEIGHT: f64 = 1e-4;

fn trained(model: &Sequential, loss: Loss, device: &Device, no_fuse: bool) -> (Recorder, Model) {
    let network = model.network().unwrap();
    let data = random_data(60, network.input_shape, network.classes(), 9);
    let mut model = model.compile(device, Compile { loss, seed: 3, no_fuse, ..Compile::default() }).unwrap();
    let options = FitOptions { epochs: 5, batch_size: 16, ..FitOptions::default() };
    let mut run = Recorder::default();
    model.fit(&data, &options, &mut run).unwrap();
    (run, model)
}

#[test]
fn executors_train_alike_fused_and_not() {
    for (what, model, loss) in activation_models() {
        let [(_, cpu), (_, gpu)] = devices();
        let (expected, mut plain) = trained(&model, loss, &cpu, true);
        for (device, no_fuse) in [(&cpu, false), (&gpu, true), (&gpu, false)] {
            let (run, mut trained) = trained(&model, loss, device, no_fuse);
            assert_eq!(run.steps.len(), 20);
            for (ours, theirs) in run.steps.iter().zip(&expected.steps) {
                let error = f64::from((ours.loss - theirs.loss).abs() / theirs.loss);
                assert!(error <= LOSS, "{what}, no_fuse {no_fuse}: {ours:?} for {theirs:?}");
            }
            let [ours, theirs] = [&mut trained, &mut plain].map(|model| flat(&model.weights().unwrap()));
            let error = distance(&ours, &theirs);
            println!("{what}, no_fuse {no_fuse}: weights within {error:.1e}");
            assert!(error <= WEIGHT, "{what}, no_fuse {no_fuse}: weights off by {error:.1e}");
        }
    }
}

/// Prediction returns the last layer's outputs, and evaluation uses them.
#[test]
fn predictions_are_the_outputs_that_evaluation_judges() {
    for (what, model, loss) in activation_models() {
        for (name, device) in devices() {
            let (_, mut trained) = trained(&model, loss, &device, false);
            let network = model.network().unwrap();
            let data = random_data(60, network.input_shape, network.classes(), 9);
            let outputs = trained.predict(data.images()).unwrap();
            let judged = trained.evaluate(&data).unwrap();
            let (expected, correct) = judge(&outputs, &data, network.outputs(), loss);
            let error = (judged.loss - expected).abs() / expected;
            assert!(error <= 1e-5, "{what}, {name}: loss {} for {expected}", judged.loss);
            assert_eq!(judged.accuracy, Some(correct), "{what}, {name}");
        }
    }
}

/// Loss and accuracy by their formulas.
fn judge(outputs: &[f32], data: &Dataset, units: usize, loss: Loss) -> (f64, f64) {
    let classes = data.classes();
    let (mut total, mut correct) = (0.0, 0);
    for (row, &label) in outputs.chunks(classes).zip(data.labels()) {
        let row: Vec<f64> = row.iter().copied().map(f64::from).collect();
        let label = label as usize;
        let sum: f64 = row.iter().sum();
        // A single unit stands for class 1; its prediction is that of class 0 as well.
        let judged = if units == 1 { 1..2 } else { 0..classes };
        let target = |c: usize| f64::from(u8::from(c == label));
        let mean = |of: &dyn Fn(f64) -> f64| {
            judged.clone().map(|c| of(row[c] - target(c))).sum::<f64>() / units as f64
        };
        let ln = |p: f64| p.clamp(1e-7, 1.0 - 1e-7).ln();
        total += match loss {
            Loss::MeanSquaredError => mean(&|d| d * d),
            Loss::MeanAbsoluteError => mean(&f64::abs),
            Loss::Huber(Huber { delta }) => {
                mean(&|d| if d.abs() <= delta { d * d / 2.0 } else { delta * (d.abs() - delta / 2.0) })
            }
            Loss::BinaryCrossentropy(BinaryCrossentropy { label_smoothing: s }) => {
                let of = |c: usize| {
                    let t = target(c) * (1.0 - s) + s / 2.0;
                    -(t * ln(row[c]) + (1.0 - t) * ln(1.0 - row[c])) / units as f64
                };
                judged.clone().map(of).sum()
            }
            Loss::CategoricalCrossentropy(CategoricalCrossentropy { label_smoothing: s }) => {
                let of = |c: usize| -(target(c) * (1.0 - s) + s / classes as f64) * ln(row[c] / sum);
                (0..classes).map(of).sum()
            }
        };
        let first = (1..classes).fold(0, |best, c| if row[c] > row[best] { c } else { best });
        correct += usize::from(first == label);
    }
    (total / data.len() as f64, f64::from(correct as u32) / data.len() as f64)
}

/// Softmax or sigmoid as a last layer equals the argument of the layer before: the same plan except for names.
#[test]
fn an_activation_layer_at_the_end_is_trained_from_logits() {
    let body = || Sequential::new([3, 3, 1]).add(Flatten::new());
    let (softmax, sigmoid) = (Activation::Softmax, Activation::Sigmoid);
    // The loss, the name of its op, and both models.
    let rows = [
        (
            Loss::default(),
            "softmax_cross_entropy",
            [body().add(Dense::new(4).activation(softmax)), body().add(Dense::new(4)).add(Softmax::new())],
        ),
        (
            BinaryCrossentropy::default().into(),
            "sigmoid_cross_entropy",
            [
                body().add(Dense::new(1).activation(sigmoid)),
                body().add(Dense::new(1)).add(ActivationLayer::new(sigmoid)),
            ],
        ),
    ];
    for (loss, kind, models) in rows {
        let [argument, layer] = models.map(|model| {
            let network = model.network().unwrap();
            let plan = Plan::build(&network, loss, Default::default(), 8).unwrap();
            plan.steps.into_iter().map(|step| (step.op, step.args)).collect::<Vec<_>>()
        });
        assert_eq!(argument, layer);
        assert!(argument.iter().any(|(op, _)| op.kind() == kind), "{kind}");
    }
}

/// The mask of some elements at a step, from the generator itself.
fn mask(seed: u64, step: u32, layer: u32, rate: f64, len: usize) -> Vec<bool> {
    let key = [seed as u32, (seed >> 32) as u32];
    let words = (0..len.div_ceil(4) as u32)
        .flat_map(|block| philox4x32([block, step, layer, Purpose::Dropout as u32], key));
    words.map(|word| f64::from(word >> 8) / f64::from(1 << 24) >= rate).take(len).collect()
}

/// Dropout on each device, forward and backward, with a mask computed here.
#[test]
fn dropout_keeps_what_the_generator_says() {
    let (seed, rate, len) = (0x1234_5678_9abc_def0_u64, 0.3, 2 * 5 * 7);
    let x: Vec<f32> = (0..len).map(|i| i as f32 - 20.5).collect();
    let scale = (1.0 / (1.0 - rate)) as f32;
    let shape = DropoutShape::new(len, 3, rate);
    for number in [0u32, 1, 70_000] {
        let kept = mask(seed, number, 3, rate, len);
        let expected: Vec<f32> =
            x.iter().zip(&kept).map(|(x, kept)| if *kept { scale * x } else { 0.0 }).collect();
        let step = BatchParams {
            training: 1,
            number,
            seed_low: seed as u32,
            seed_high: (seed >> 32) as u32,
            ..BatchParams::default()
        };
        let mut y = vec![f32::NAN; len];
        let forward = Op::from(DropoutForward(shape));
        forward.twin(&step, &mut [Arg::In(&x), Arg::Out(&mut y)]).unwrap();
        assert_eq!(bits(&y), bits(&expected), "forward, step {number}");
        let mut dy = x.clone();
        Op::from(DropoutBackward(shape)).twin(&step, &mut [Arg::Out(&mut dy)]).unwrap();
        assert_eq!(bits(&dy), bits(&expected), "backward, step {number}");
        let evaluation = BatchParams { training: 0, ..step };
        forward.twin(&evaluation, &mut [Arg::In(&x), Arg::Out(&mut y)]).unwrap();
        assert_eq!(bits(&y), bits(&x), "evaluation, step {number}");
    }
}

/// Shares of a mask are those of independent draws: each within six standard deviations.
#[test]
fn masks_have_their_rate_and_do_not_depend_on_one_another() {
    let len = 100_000;
    let close = |what: &str, count: usize, p: f64| {
        let expected = len as f64 * p;
        let deviation = (len as f64 * p * (1.0 - p)).sqrt();
        assert!((count as f64 - expected).abs() <= 6.0 * deviation, "{what}: {count} for {expected}");
    };
    for rate in [0.1, 0.25, 0.5, 0.9] {
        let base = mask(1, 5, 2, rate, len);
        close(&format!("kept at {rate}"), base.iter().filter(|kept| **kept).count(), 1.0 - rate);
        let both = |other: &[bool]| base.iter().zip(other).filter(|(a, b)| **a && **b).count();
        let p = (1.0 - rate) * (1.0 - rate);
        close("with the next step", both(&mask(1, 6, 2, rate, len)), p);
        close("with the next layer", both(&mask(1, 5, 3, rate, len)), p);
        close("with the next seed", both(&mask(2, 5, 2, rate, len)), p);
        close("with the other half of the seed", both(&mask(1 | 1 << 32, 5, 2, rate, len)), p);
        let shifted: Vec<bool> = base[1..].iter().chain(&base[..1]).copied().collect();
        close("with the next element", both(&shifted), p);
    }
}

/// Each device's own masks, seen through the losses of a run: both devices drop the same elements, and another seed
/// or no dropout gives other losses.
#[test]
fn dropout_follows_the_seed_and_only_in_training() {
    let model = |rate| {
        Sequential::new([4, 4, 1])
            .add(Flatten::new())
            .add(Dropout::new(rate))
            .add(Dense::new(3).activation(Activation::Softmax))
    };
    let data = random_data(64, [4, 4, 1], 3, 2);
    for (name, device) in devices() {
        let losses = |rate: f64, seed: u64| {
            let compile = Compile { seed, ..Compile::default() };
            let mut run = Recorder::default();
            let mut model = model(rate).compile(&device, compile).unwrap();
            model.set_weights(model_weights()).unwrap();
            let options = FitOptions { epochs: 1, batch_size: 16, shuffle: false, ..FitOptions::default() };
            let before = model.evaluate(&data).unwrap();
            model.fit(&data, &options, &mut run).unwrap();
            (before.loss, run.steps.iter().map(|step| step.loss.to_bits()).collect::<Vec<_>>())
        };
        let (judged, first) = losses(0.5, 1);
        assert_eq!(first, losses(0.5, 1).1, "{name}: the same seed");
        assert_ne!(first, losses(0.5, 2).1, "{name}: another seed");
        let (without, plain) = losses(0.0, 1);
        assert_ne!(first, plain, "{name}: without dropout");
        assert_eq!(judged.to_bits(), without.to_bits(), "{name}: evaluation does not drop");
    }
}

/// The same weights whatever the seed.
fn model_weights() -> Weights {
    let model =
        Sequential::new([4, 4, 1]).add(Flatten::new()).add(Dense::new(3).activation(Activation::Softmax));
    model.network().unwrap().initial_weights(8)
}
