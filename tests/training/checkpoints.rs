//! Training that stops and is resumed takes the same steps as training that does not stop.

use shadegrad::data::{Augmentation, Dataset};
use shadegrad::device::Device;
use shadegrad::model::{
    Activation, BatchNormalization, Conv2D, Dense, Flatten, Optimizer, ReLU, RmsProp, Sequential,
};
use shadegrad::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, Compile, EarlyStopping, FitOptions, History, Model,
    Monitor, ReduceOnPlateau, StepRecord, StopReason,
};

use crate::common::{devices, mnist_train};
use crate::steps::{bits, flat};

/// Keeps every checkpoint, and interrupts after this many steps.
#[derive(Default)]
struct Keeper {
    steps: Vec<StepRecord>,
    kept: Vec<Checkpoint>,
    every: Option<usize>,
    interrupt_after: Option<usize>,
}

impl Callback for Keeper {
    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.steps.push(*record);
        Ok(())
    }

    fn interrupted(&self) -> bool {
        self.interrupt_after.is_some_and(|steps| self.steps.len() >= steps)
    }

    fn checkpoints(&self) -> Checkpoints {
        self.every.map_or(Checkpoints::Epochs, Checkpoints::Steps)
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.kept.push(checkpoint.clone());
        Ok(())
    }
}

fn data() -> Dataset {
    mnist_train().take(150).unwrap()
}

/// Seven steps per epoch, and everything that has a state of its own.
fn options() -> FitOptions {
    FitOptions {
        epochs: 5,
        batch_size: 16,
        validation_split: Some(0.3),
        early_stopping: Some(EarlyStopping {
            patience: 4,
            restore_best_weights: true,
            ..EarlyStopping::default()
        }),
        reduce_lr_on_plateau: Some(ReduceOnPlateau {
            monitor: Monitor::Loss,
            patience: 1,
            min_delta: 10.0,
            ..ReduceOnPlateau::default()
        }),
        ..FitOptions::default()
    }
}

fn model(device: &Device) -> Model {
    let augmentation = Augmentation { rotation_range: 10.0, noise_stddev: 0.05, ..Augmentation::default() };
    let momentum = RmsProp { momentum: 0.5, centered: true, ..RmsProp::default() };
    let compile = Compile {
        seed: 4,
        augmentation: Some(augmentation),
        optimizer: Optimizer::RmsProp(momentum),
        ..Compile::default()
    };
    // Moving statistics are weights that no gradient changes.
    let layers = Sequential::new([28, 28, 1])
        .add(Conv2D::new(4, 3).strides(3))
        .add(BatchNormalization::new().momentum(0.9))
        .add(ReLU::new())
        .add(Flatten::new())
        .add(Dense::new(10).activation(Activation::Softmax));
    layers.compile(device, compile).unwrap()
}

struct Outcome {
    weights: Vec<u32>,
    history: History,
    keeper: Keeper,
}

/// Trains from a checkpoint, or from the start.
fn train(device: &Device, options: &FitOptions, from: Option<Checkpoint>, mut keeper: Keeper) -> Outcome {
    let mut model = model(device);
    let history = match from {
        Some(checkpoint) => model.resume(&data(), options, checkpoint, &mut keeper),
        None => model.fit(&data(), options, &mut keeper),
    };
    let weights = bits(&flat(&model.weights().unwrap()));
    Outcome { weights, history: history.unwrap(), keeper }
}

/// A history without its times.
fn told(history: &History) -> Vec<(usize, u64, u64, Option<u64>, u32)> {
    let epoch = |record: &shadegrad::train::EpochRecord| {
        let val_loss = record.val_loss.map(f64::to_bits);
        let [loss, accuracy] = [record.loss, record.accuracy.unwrap()].map(f64::to_bits);
        (record.epoch, loss, accuracy, val_loss, record.learning_rate.to_bits())
    };
    history.epochs.iter().map(epoch).collect()
}

#[test]
fn every_checkpoint_leads_to_the_same_end() {
    for (name, device) in devices() {
        let whole = train(&device, &options(), None, Keeper { every: Some(3), ..Keeper::default() });
        assert_eq!(whole.keeper.steps.len(), 35, "{name}");
        let places: Vec<_> = whole.keeper.kept.iter().map(Checkpoint::steps).collect();
        assert_eq!(places, [0, 3, 6, 7, 10, 13, 14, 17, 20, 21, 24, 27, 28, 31, 34, 35], "{name}");
        assert!(
            whole.history.epochs.iter().any(|epoch| epoch.learning_rate < 1e-3),
            "{name}: nothing was reduced"
        );
        for checkpoint in whole.keeper.kept.iter().step_by(3) {
            let place = format!("{name}, from step {}", checkpoint.steps());
            let rest = train(&device, &options(), Some(checkpoint.clone()), Keeper::default());
            assert!(rest.weights == whole.weights, "{place}: weights differ");
            assert_eq!(told(&rest.history), told(&whole.history), "{place}");
            assert_eq!(rest.history.steps, 35, "{place}");
            assert!(rest.keeper.steps == whole.keeper.steps[checkpoint.steps()..], "{place}: steps differ");
        }
    }
}

#[test]
fn what_is_interrupted_goes_on() {
    for (name, device) in devices() {
        let whole = train(&device, &options(), None, Keeper::default());
        for after in [1, 7, 11] {
            let place = format!("{name}, interrupted after {after}");
            let keeper = Keeper { interrupt_after: Some(after), ..Keeper::default() };
            let first = train(&device, &options(), None, keeper);
            assert_eq!(first.history.stopped.unwrap().reason, StopReason::Interrupted, "{place}");
            let checkpoint = first.keeper.kept.last().unwrap().clone();
            let taken = first.keeper.steps.len();
            // Work on the device is finished first.
            assert!((after..35).contains(&taken), "{place}: {taken} steps");
            assert_eq!((checkpoint.steps(), first.history.steps), (taken, taken), "{place}");
            let rest = train(&device, &options(), Some(checkpoint), Keeper::default());
            assert!(rest.weights == whole.weights, "{place}: weights differ");
            assert_eq!(told(&rest.history), told(&whole.history), "{place}");
        }
    }
}

#[test]
fn a_shorter_run_goes_on_as_the_longer_one() {
    let device = Device::cpu();
    let whole = train(&device, &options(), None, Keeper::default());
    let shorter = [
        ("epochs", FitOptions { epochs: 2, ..options() }),
        ("max_steps within an epoch", FitOptions { max_steps: Some(17), ..options() }),
        ("max_steps at its end", FitOptions { max_steps: Some(14), ..options() }),
    ];
    for (what, options_of_first) in shorter {
        let first = train(&device, &options_of_first, None, Keeper::default());
        let checkpoint = first.keeper.kept.last().unwrap().clone();
        let rest = train(&device, &options(), Some(checkpoint), Keeper::default());
        assert!(rest.weights == whole.weights, "{what}: weights differ");
        assert_eq!(told(&rest.history), told(&whole.history), "{what}");
    }
}

#[test]
fn what_cannot_go_on_is_refused() {
    let device = Device::cpu();
    let first = train(&device, &options(), None, Keeper::default());
    let checkpoint = || first.keeper.kept.last().unwrap().clone();
    let resume = |options: FitOptions, checkpoint| {
        model(&device).resume(&data(), &options, checkpoint, &mut Keeper::default()).unwrap_err().to_string()
    };
    let message = resume(FitOptions { max_steps: Some(5), ..options() }, checkpoint());
    assert!(message.contains("`max_steps` is 5"), "{message}");
    let message = resume(FitOptions { batch_size: 20, ..options() }, checkpoint());
    assert!(message.contains("`steps of an epoch` is 6"), "{message}");
    let mut short = checkpoint();
    short.optimizer_state = vec![0.0; 8];
    let message = resume(options(), short);
    assert!(message.contains("optimizer's state has 8 numbers"), "{message}");
    // Training that was good enough is finished, however many epochs there might be.
    let until = FitOptions { until_loss: Some(100.0), ..options() };
    let good = train(&device, &until, None, Keeper::default());
    let rest = train(&device, &until, good.keeper.kept.last().cloned(), Keeper::default());
    assert_eq!((rest.keeper.steps.len(), rest.history.stopped), (0, good.history.stopped));
    // Nothing is left to do, which is not an error.
    let done = train(&device, &options(), Some(checkpoint()), Keeper::default());
    assert!(done.keeper.steps.is_empty() && done.weights == first.weights);
    assert_eq!(done.history.stopped.unwrap().reason, StopReason::Epochs);
}
