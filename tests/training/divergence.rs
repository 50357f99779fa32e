//! Numbers that are not finite: the step is undone and named, on both executors, fused and not.

use shadegrad::data::{Augmentation, Dataset};
use shadegrad::device::Device;
use shadegrad::error::Error;
use shadegrad::model::{
    Activation, Adadelta, Adam, AdamW, Add, BatchNormalization, Conv2D, Dense, Dropout, Flatten,
    GlobalAveragePooling2D, Lion, MaxPooling2D, Node, Optimizer, RmsProp, Sequential, Sgd, Softmax,
    WeightTensor, Weights,
};
use shadegrad::profile::Sampling;
use shadegrad::train::{
    Bad, Callback, CallbackError, Checkpoint, Checkpoints, Compile, Divergence, FitOptions, Found,
    LearningRateSchedule, Model, NoCallback, StepDecay,
};

use crate::common::{devices, random_data};
use crate::moving_average::Watch;
use crate::steps::{Recorder, bits, flat};

/// A data set in which only the images of the third batch are not empty.
const SIDE: usize = 16;
pub const BATCH: usize = 8;
pub const BAD: usize = 3;

fn optimizers() -> Vec<Optimizer> {
    let limit = Some(0.5);
    vec![
        Sgd::default().into(),
        Sgd { momentum: 0.9, nesterov: true, weight_decay: Some(0.01), ..Sgd::default() }.into(),
        Adadelta { learning_rate: 1.0, ..Adadelta::default() }.into(),
        RmsProp::default().into(),
        RmsProp { momentum: 0.5, centered: true, ..RmsProp::default() }.into(),
        RmsProp { clipvalue: limit, ..RmsProp::default() }.into(),
        Adam { clipnorm: limit, ..Adam::default() }.into(),
        AdamW { global_clipnorm: limit, ..AdamW::default() }.into(),
        Lion::default().into(),
    ]
}

/// Both executors, and the adapter without fusion.
fn places() -> Vec<(String, Device, bool)> {
    let [cpu, gpu] = devices();
    let place = |(name, device): &(&str, Device), no_fuse: bool| {
        (format!("{name}, no_fuse {no_fuse}"), device.clone(), no_fuse)
    };
    vec![place(&cpu, false), place(&gpu, false), place(&gpu, true)]
}

fn diverged(model: &mut Model, data: &Dataset, options: &FitOptions, run: &mut dyn Callback) -> Divergence {
    match model.fit(data, options, run) {
        Err(Error::Diverged(divergence)) => *divergence,
        other => panic!("{other:?}"),
    }
}

/// Dark images, whose hidden units are all dead, except a batch in which half of each image is bright: its loss is
/// finite, and the gradient of the first layer is a sum of eight times 0.75e38 or more, above the largest f32. The
/// gradients of the dark half and of the last layer are finite, so that layer is updated in the bad step.
pub fn overflowing(device: &Device, optimizer: Optimizer, compile: Compile) -> (Model, Dataset) {
    overflowing_with(device, optimizer, compile, None)
}

/// The same, with some hidden units dropped and a normalized branch if `dropped` is set.
fn overflowing_with(
    device: &Device,
    optimizer: Optimizer,
    compile: Compile,
    dropped: Option<f64>,
) -> (Model, Dataset) {
    let model =
        Sequential::new([SIDE, SIDE, 1]).add(Flatten::new()).add(Dense::new(64).activation(Activation::Relu));
    let model = match dropped {
        // And a branch of zeros, whose moving statistics follow each batch.
        Some(rate) => model
            .add(Dropout::new(rate))
            .add(Dense::new(3))
            .add(Node::new(GlobalAveragePooling2D::new()).inputs(["input"]))
            .add(BatchNormalization::new().momentum(0.5))
            .add(Dense::new(3))
            .add(Node::new(Add::new()).inputs(["dense_1", "dense_2"]))
            .add(Softmax::new()),
        None => model.add(Dense::new(3).activation(Activation::Softmax)),
    };
    let mut model = model.compile(device, Compile { optimizer, seed: 5, ..compile }).unwrap();
    let mut tensors: Vec<WeightTensor> = model.weights().unwrap().tensors().to_vec();
    for tensor in &mut tensors {
        match tensor.name.as_str() {
            "dense.kernel" => tensor.values.fill(4e-33),
            "dense_1.kernel" => tensor
                .values
                .iter_mut()
                .zip([3e38, 3e38, -3e38].into_iter().cycle())
                .for_each(|(w, v)| *w = v),
            _ => tensor.values.fill(0.0),
        }
    }
    model.set_weights(Weights::new(model.network(), tensors).unwrap()).unwrap();
    let pixels = SIDE * SIDE;
    let mut images = vec![0; 4 * BATCH * pixels];
    for image in images[(BAD - 1) * BATCH * pixels..BAD * BATCH * pixels].chunks_mut(pixels) {
        image[..pixels / 2].fill(255);
    }
    let mut labels: Vec<u8> = (0..4 * BATCH).map(|at| (at % 3) as u8).collect();
    labels[(BAD - 1) * BATCH..BAD * BATCH].fill(2);
    (model, Dataset::new(images, labels, [SIDE, SIDE, 1], 3).unwrap())
}

#[test]
fn a_gradient_that_overflows_is_taken_back_and_named() {
    let options = FitOptions { epochs: 2, batch_size: BATCH, shuffle: false, ..FitOptions::default() };
    for (name, device, no_fuse) in places() {
        for optimizer in optimizers() {
            let place = format!("{name}, {optimizer:?}");
            let compile = Compile { no_fuse, stream: no_fuse, ..Compile::default() };
            let (mut model, data) = overflowing(&device, optimizer, compile);
            let mut run = Recorder::default();
            let found = diverged(&mut model, &data, &options, &mut run);
            assert_eq!((found.step, found.epoch, found.bad), (BAD, 1, Bad::Gradient), "{place}");
            let Found::Output { step, tensor, element, value, .. } = &found.found else {
                panic!("{place}: {found:?}")
            };
            assert_eq!(
                (step.as_str(), tensor.as_str(), &element[..], *value),
                ("dense/backward_bias", "the gradient of `dense.bias`", &[0][..], f32::INFINITY),
                "{place}"
            );
            assert!(found.to_string().contains("a gradient of step 3 (epoch 1) is not finite"), "{found}");
            // The bad step is the last that is reported, and its loss was finite.
            assert_eq!(run.steps.len(), BAD, "{place}");
            assert!(run.steps[BAD - 1].loss.is_finite(), "{place}: {:?}", run.steps);
            let state = model.training_state().run;
            assert_eq!(state.step + state.within.rows, BAD - 1, "{place}");
            // The weights are those of a run that ends before that step.
            let (mut short, _) = overflowing(&device, optimizer, compile);
            let until = FitOptions { max_steps: Some(BAD - 1), ..options.clone() };
            short.fit(&data, &until, &mut NoCallback).unwrap();
            let [kept, expected] = [&mut model, &mut short].map(|model| flat(&model.weights().unwrap()));
            assert_eq!(bits(&kept), bits(&expected), "{place}");
            // The tripwire of one pass does not stop the next one.
            let dark = data.slice(0..2 * BATCH).unwrap();
            model.fit(&dark, &options, &mut NoCallback).unwrap();
            assert_ne!(bits(&flat(&model.weights().unwrap())), bits(&expected), "{place}");
        }
    }
}

/// The averages, too, are those from before the step, whether a gradient or the loss was bad.
#[test]
fn averages_are_taken_back() {
    let adam =
        Adam { use_ema: true, ema_momentum: 0.75, ema_overwrite_frequency: Some(2), ..Adam::default() };
    let optimizer = Optimizer::from(adam);
    let by_gradient = FitOptions { epochs: 2, batch_size: BATCH, shuffle: false, ..FitOptions::default() };
    let by_loss = FitOptions { schedule: jump(5), ..by_gradient.clone() };
    for (name, device, no_fuse) in places() {
        let compile = Compile { no_fuse, ..Compile::default() };
        let begin = |what: &str| match what {
            "gradient" => overflowing(&device, optimizer, compile),
            _ => (small(&device, optimizer, compile), random_data(30, [5, 5, 1], 2, 3)),
        };
        for (what, options) in [("gradient", &by_gradient), ("loss", &by_loss)] {
            let place = format!("{name}, {what}");
            let (mut model, data) = begin(what);
            let found = diverged(&mut model, &data, options, &mut NoCallback);
            assert!(found.step > 2, "{place}: {found}");
            let until = FitOptions { max_steps: Some(found.step - 1), ..options.clone() };
            let mut run = Watch::default();
            let (mut short, _) = begin(what);
            short.fit(&data, &until, &mut run).unwrap();
            let expected = run.kept.last().unwrap();
            // What another call of `fit` begins with; it ends after a step, or diverges at once after a jump.
            let mut next = Watch { interrupt_after: Some(1), ..Watch::default() };
            let dark = data.slice(0..2 * BATCH).unwrap();
            let _ = model.fit(&dark, &by_gradient, &mut next);
            let begun = &next.kept[0];
            assert_eq!(bits(&flat(&begun.weights)), bits(&flat(&expected.weights)), "{place}");
            assert_eq!(bits(&begun.optimizer_state), bits(&expected.optimizer_state), "{place}");
        }
    }
}

#[test]
fn without_the_tripwire_nothing_is_held() {
    let options =
        FitOptions { epochs: 1, batch_size: BATCH, shuffle: false, allow_nan: true, ..FitOptions::default() };
    for (name, device, no_fuse) in places() {
        let compile = Compile { no_fuse, ..Compile::default() };
        let (mut model, data) = overflowing(&device, Sgd::default().into(), compile);
        let history = model.fit(&data, &options, &mut NoCallback).unwrap();
        assert_eq!(history.steps, 4, "{name}");
        let weights = model.weights().unwrap();
        let bad = |at: usize| weights.tensors()[at].values.iter().filter(|w| !w.is_finite()).count();
        // Half of the first layer's kernel, and its bias. Whether the next step spreads them over the rest depends on
        // the device's ReLU of NaN.
        assert!(bad(0) >= SIDE * SIDE / 2 * 64 && bad(1) == 64, "{name}: {} and {}", bad(0), bad(1));
        // An infinite gradient is clipped, as in Keras.
        let clipped = RmsProp { clipvalue: Some(0.5), ..RmsProp::default() };
        let (mut model, data) = overflowing(&device, clipped.into(), compile);
        model.fit(&data, &options, &mut NoCallback).unwrap();
        let weights = model.weights().unwrap();
        assert!(weights.tensors()[0].values.iter().all(|w| w.is_finite()), "{name}");
    }
}

fn small(device: &Device, optimizer: Optimizer, compile: Compile) -> Model {
    let model = Sequential::new([5, 5, 1])
        .add(Conv2D::new(3, 2).activation(Activation::Relu))
        .add(Flatten::new())
        .add(Dense::new(2).activation(Activation::Softmax));
    model.compile(device, Compile { optimizer, seed: 5, ..compile }).unwrap()
}

/// The rate of the first steps, and one that no weights survive.
fn jump(steps: usize) -> LearningRateSchedule {
    StepDecay { boundaries: vec![steps], values: vec![1e-3, 3e38] }.into()
}

#[test]
fn a_loss_that_is_not_finite_updates_nothing() {
    let data = random_data(30, [5, 5, 1], 2, 3);
    let options = FitOptions { epochs: 3, batch_size: BATCH, schedule: jump(5), ..FitOptions::default() };
    for (name, device, no_fuse) in places() {
        for optimizer in optimizers() {
            let place = format!("{name}, {optimizer:?}");
            let compile = Compile { no_fuse, ..Compile::default() };
            let unguarded = FitOptions { allow_nan: true, ..options.clone() };
            let mut run = Recorder::default();
            small(&device, optimizer, compile).fit(&data, &unguarded, &mut run).unwrap();
            let first = run.steps.iter().find(|step| !step.loss.is_finite()).unwrap();
            let mut model = small(&device, optimizer, compile);
            let mut guarded = Recorder::default();
            let found = diverged(&mut model, &data, &options, &mut guarded);
            assert!(first.step > 5, "{place}: {first:?}");
            assert_eq!((found.step, found.epoch), (first.step, first.epoch), "{place}: {found}");
            assert!(matches!(found.bad, Bad::Loss(loss) if !loss.is_finite()), "{place}: {found}");
            assert!(matches!(found.found, Found::Weight { .. } | Found::Output { .. }), "{place}: {found}");
            let losses = |run: &Recorder| -> Vec<f32> {
                run.steps[..first.step].iter().map(|step| step.loss).collect()
            };
            assert_eq!(guarded.steps.len(), first.step, "{place}");
            assert_eq!(bits(&losses(&guarded)), bits(&losses(&run)), "{place}");
            let until = FitOptions { max_steps: Some(first.step - 1), ..unguarded };
            let mut short = small(&device, optimizer, compile);
            short.fit(&data, &until, &mut NoCallback).unwrap();
            let [kept, expected] = [&mut model, &mut short].map(|model| flat(&model.weights().unwrap()));
            assert_eq!(bits(&kept), bits(&expected), "{place}");
        }
    }
}

/// Draws are the same when the steps before the bad one are run again; neither that nor timing the steps changes
/// where training stops.
#[test]
fn what_draws_and_what_is_timed_is_taken_back_too() {
    let data = random_data(30, [8, 8, 1], 2, 3);
    let augmentation = Augmentation {
        rotation_range: 20.0,
        noise_stddev: 0.1,
        width_shift_range: 0.2,
        ..Default::default()
    };
    let model = |device: &Device, no_fuse: bool| {
        let model = Sequential::new([8, 8, 1])
            .add(Conv2D::new(4, 3).activation(Activation::Relu))
            .add(MaxPooling2D::new(2))
            .add(BatchNormalization::new())
            .add(Dropout::new(0.4))
            .add(Flatten::new())
            .add(Dense::new(2).activation(Activation::Softmax));
        let compile = Compile { augmentation: Some(augmentation), seed: 5, no_fuse, ..Compile::default() };
        model.compile(device, compile).unwrap()
    };
    let options = FitOptions {
        epochs: 3,
        batch_size: BATCH,
        schedule: jump(5),
        profile: Some(Sampling::Every(2)),
        ..FitOptions::default()
    };
    for (name, device, no_fuse) in places() {
        let mut run = Recorder::default();
        let unguarded = FitOptions { allow_nan: true, ..options.clone() };
        model(&device, no_fuse).fit(&data, &unguarded, &mut run).unwrap();
        let first = run.steps.iter().find(|step| !step.loss.is_finite()).unwrap();
        for profile in [None, options.profile] {
            let place = format!("{name}, {profile:?}");
            let mut tripped = model(&device, no_fuse);
            let options = FitOptions { profile, ..options.clone() };
            let found = diverged(&mut tripped, &data, &options, &mut NoCallback);
            assert_eq!((found.step, found.epoch), (first.step, first.epoch), "{place}: {found}");
            assert!(matches!(found.found, Found::Weight { .. } | Found::Output { .. }), "{place}: {found}");
            let mut short = model(&device, no_fuse);
            let until = FitOptions { max_steps: Some(first.step - 1), ..unguarded.clone() };
            short.fit(&data, &until, &mut NoCallback).unwrap();
            let [kept, expected] = [&mut tripped, &mut short].map(|model| flat(&model.weights().unwrap()));
            assert_eq!(bits(&kept), bits(&expected), "{place}");
        }
        // A gradient, after which the steps before it are run again.
        let compile = Compile { no_fuse, ..Compile::default() };
        let start = || overflowing_with(&device, RmsProp::default().into(), compile, Some(0.25));
        let (mut bad, dark) = start();
        let options = FitOptions {
            epochs: 1,
            batch_size: BATCH,
            shuffle: false,
            profile: Some(Sampling::Every(2)),
            ..FitOptions::default()
        };
        let found = diverged(&mut bad, &dark, &options, &mut NoCallback);
        assert_eq!((found.step, found.bad), (BAD, Bad::Gradient), "{name}: {found}");
        let (mut short, _) = start();
        let until = FitOptions { max_steps: Some(BAD - 1), profile: None, ..options };
        short.fit(&dark, &until, &mut NoCallback).unwrap();
        let [kept, expected] = [&mut bad, &mut short].map(|model| flat(&model.weights().unwrap()));
        assert_eq!(bits(&kept), bits(&expected), "{name}");
    }
}

/// Stops for a checkpoint after each step, and keeps the last one.
#[derive(Default)]
struct EveryStep(Option<Checkpoint>);

impl Callback for EveryStep {
    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::Steps(1)
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.0 = Some(checkpoint.clone());
        Ok(())
    }
}

/// A gradient that is not finite within a part of an epoch, and again when training resumes from the last checkpoint.
#[test]
fn parts_of_an_epoch_are_guarded_too() {
    let options = FitOptions { epochs: 1, batch_size: BATCH, shuffle: false, ..FitOptions::default() };
    for (name, device, _) in places() {
        let (mut model, data) = overflowing(&device, RmsProp::default().into(), Compile::default());
        let mut run = EveryStep::default();
        let found = diverged(&mut model, &data, &options, &mut run);
        let checkpoint = run.0.unwrap();
        assert_eq!((found.step, checkpoint.steps()), (BAD, BAD - 1), "{name}");
        assert_eq!(bits(&flat(&model.weights().unwrap())), bits(&flat(&checkpoint.weights)), "{name}");
        let (mut again, _) = overflowing(&device, RmsProp::default().into(), Compile::default());
        match again.resume(&data, &options, checkpoint, &mut NoCallback) {
            Err(Error::Diverged(other)) => assert_eq!(*other, found, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// After the last step nothing uses the weights any more.
#[test]
fn weights_that_the_last_step_spoils_are_named() {
    let data = random_data(BATCH, [5, 5, 1], 2, 3);
    let optimizer = RmsProp { learning_rate: 3e38, ..RmsProp::default() };
    for (name, device, _) in places() {
        let mut model = small(&device, optimizer.into(), Compile::default());
        let options = FitOptions { epochs: 1, batch_size: BATCH, ..FitOptions::default() };
        let found = diverged(&mut model, &data, &options, &mut NoCallback);
        assert_eq!((found.step, found.epoch, found.bad), (1, 1, Bad::Weights), "{name}");
        assert!(matches!(&found.found, Found::Weight { name, .. } if name == "conv2d.kernel"), "{found}");
    }
}
