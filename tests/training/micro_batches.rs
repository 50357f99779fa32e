//! Batches of several micro-batches: whoever computes them, the bits are those of one process, and the sums those of the batch.

use std::sync::Mutex;
use std::thread::scope;

use shadegrad::data::{Augmentation, Dataset};
use shadegrad::device::{Device, DeviceChoice};
use shadegrad::error::{CollectiveError, Error};
use shadegrad::model::{
    Activation, Adam, BatchNormalization, Conv2D, Dense, Dropout, Flatten, Loss, MaxPooling2D, Optimizer,
    ReLU, Regularizer, RmsProp, Sequential, Sgd,
};
use shadegrad::train::collective::Threads;
use shadegrad::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, Compile, EarlyStopping, FitOptions, History, Model,
    Monitor, StepRecord, StopReason, Updates,
};

use crate::common::{devices, mnist_train, small};
use crate::steps::{bits, compile, flat};

/// Keeps what is reported, and interrupts after this many steps.
#[derive(Default)]
struct Keeper {
    steps: Vec<StepRecord>,
    kept: Vec<Checkpoint>,
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
        Checkpoints::Steps(3)
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.kept.push(checkpoint.clone());
        Ok(())
    }
}

/// Everything that depends on where a sample lies in a batch, or on sums over it.
pub fn layers() -> Sequential {
    let penalised = Dense { kernel_regularizer: Some(Regularizer::l2(1e-3)), ..Dense::new(24) };
    Sequential::new([28, 28, 1])
        .add(Conv2D::new(6, 3).activation(Activation::Relu))
        .add(MaxPooling2D::new(2))
        .add(Conv2D::new(8, 3).strides(2))
        .add(BatchNormalization::new().momentum(0.8))
        .add(ReLU::new())
        .add(Flatten::new())
        .add(penalised.activation(Activation::Relu))
        .add(Dropout::new(0.3))
        .add(Dense::new(10).activation(Activation::Softmax))
}

pub fn settings() -> Compile {
    let augmentation = Augmentation { rotation_range: 10.0, noise_stddev: 0.05, ..Augmentation::default() };
    let adam = Adam {
        global_clipnorm: Some(0.5),
        use_ema: true,
        ema_overwrite_frequency: Some(3),
        ..Adam::default()
    };
    Compile { seed: 4, augmentation: Some(augmentation), optimizer: adam.into(), ..Compile::default() }
}

fn data() -> Dataset {
    mnist_train().take(150).unwrap()
}

/// Of 105 samples: six whole batches and one of nine, of whose micro-batches the last is empty or nearly so.
fn options(micro_batches: usize) -> FitOptions {
    FitOptions {
        epochs: 3,
        batch_size: 16,
        micro_batches: Some(micro_batches),
        validation_split: Some(0.3),
        early_stopping: Some(EarlyStopping {
            patience: 2,
            restore_best_weights: true,
            ..EarlyStopping::default()
        }),
        ..FitOptions::default()
    }
}

/// What a rank ends with, as bits.
#[derive(Debug, PartialEq)]
struct Ended {
    weights: Vec<u32>,
    steps: Vec<(usize, u32, Option<u32>)>,
    validation: Vec<Option<u64>>,
    test: (u64, Option<u64>),
    predicted: Vec<u32>,
}

fn ended(model: &mut Model, keeper: &Keeper, history: &History) -> Ended {
    let evaluation = model.evaluate(&data()).unwrap();
    Ended {
        weights: bits(&flat(&model.weights().unwrap())),
        steps: keeper.steps.iter().map(|step| (step.step, step.loss.to_bits(), step.correct)).collect(),
        validation: history.epochs.iter().map(|epoch| epoch.val_loss.map(f64::to_bits)).collect(),
        test: (evaluation.loss.to_bits(), evaluation.accuracy.map(f64::to_bits)),
        predicted: bits(&model.predict(data().images()).unwrap()),
    }
}

/// Calls `act` in each of so many ranks, each with a model of its own on the device; returns what they end with, in order.
fn in_ranks<T: Send>(
    devices: &[Device],
    updates: Updates,
    act: impl Fn(&mut Model, usize) -> T + Sync,
) -> Vec<T> {
    let done = Mutex::new(Vec::new());
    scope(|scope| {
        for ((rank, handle), device) in Threads::new(devices.len()).into_iter().enumerate().zip(devices) {
            let (act, done) = (&act, &done);
            scope.spawn(move || {
                let mut model = layers().compile(device, settings()).unwrap();
                model.distribute(Box::new(handle), updates);
                let end = act(&mut model, rank);
                done.lock().unwrap().push((rank, end));
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(rank, _)| *rank);
    done.into_iter().map(|(_, end)| end).collect()
}

fn alone(device: &Device, options: &FitOptions) -> (Ended, Vec<Checkpoint>) {
    let mut model = layers().compile(device, settings()).unwrap();
    let mut keeper = Keeper::default();
    let history = model.fit(&data(), options, &mut keeper).unwrap();
    (ended(&mut model, &keeper, &history), keeper.kept)
}

#[test]
fn several_ranks_give_the_bits_of_one() {
    for (name, device) in devices() {
        for (micro_batches, ranks) in [(2, 2), (4, 2), (4, 4), (6, 3)] {
            let options = options(micro_batches);
            let (expected, _) = if micro_batches == 6 {
                // One process cannot take six: three of two each are held to six of one each.
                let all = vec![device.clone(); 6];
                let mut ends = in_ranks(&all, Updates::Everywhere, |model, _| trained(model, &options));
                (ends.remove(0), ())
            } else {
                let (end, _) = alone(&device, &options);
                (end, ())
            };
            let all = vec![device.clone(); ranks];
            for (rank, end) in in_ranks(&all, Updates::Everywhere, |model, _| trained(model, &options))
                .into_iter()
                .enumerate()
            {
                assert!(end == expected, "{name}, {micro_batches} on {ranks}: rank {rank} gave other bits");
            }
        }
    }
}

fn trained(model: &mut Model, options: &FitOptions) -> Ended {
    let mut keeper = Keeper::default();
    let history = model.fit(&data(), options, &mut keeper).unwrap();
    ended(model, &keeper, &history)
}

/// Without the weights of a best epoch in their place, those that a moving average leaves are the same everywhere.
#[test]
fn averages_of_several_ranks_are_those_of_one() {
    for (name, device) in devices() {
        let options = FitOptions { early_stopping: None, ..options(4) };
        let (expected, _) = alone(&device, &options);
        for ranks in [2, 4] {
            let all = vec![device.clone(); ranks];
            for end in in_ranks(&all, Updates::Everywhere, |model, _| trained(model, &options)) {
                assert!(end == expected, "{name}, {ranks} ranks");
            }
        }
    }
}

/// The number of micro-batches is a setting like the batch size: with another one come other bits.
#[test]
fn the_number_of_micro_batches_decides_bits() {
    let device = Device::cpu();
    let [two, four] = [2, 4].map(|count| alone(&device, &options(count)).0);
    assert!(two != four);
}

#[test]
fn data_that_is_streamed_gives_the_same_bits() {
    let (_, device) = &devices()[1];
    let (expected, _) = alone(device, &options(4));
    let mut model = layers().compile(device, Compile { stream: true, ..settings() }).unwrap();
    assert!(trained(&mut model, &options(4)) == expected);
}

/// Without layers that know their batch, gradients of micro-batches add up to those of the batch but for rounding.
#[test]
fn sums_of_micro_batches_are_those_of_the_batch() {
    let losses: [(&str, Optimizer, Loss); 3] = [
        ("rmsprop", RmsProp::default().into(), Loss::default()),
        ("sgd", Sgd { momentum: 0.9, ..Sgd::default() }.into(), Loss::MeanSquaredError),
        ("adam", Adam { clipnorm: Some(0.1), ..Adam::default() }.into(), Loss::default()),
    ];
    let mut hidden = Dense::new(16).activation(Activation::Relu);
    hidden.kernel_regularizer = Some(Regularizer::l2(0.01));
    let layers = Sequential::new([28, 28, 1]).add(Flatten::new()).add(hidden);
    let layers = layers.add(Dense::new(10).activation(Activation::Softmax));
    for (name, device) in devices() {
        for (what, optimizer, loss) in losses {
            let train = |micro_batches| {
                let mut model = layers
                    .compile(&device, Compile { seed: 3, optimizer, loss, ..Compile::default() })
                    .unwrap();
                let options = FitOptions {
                    epochs: 1,
                    batch_size: 32,
                    micro_batches: Some(micro_batches),
                    ..FitOptions::default()
                };
                let mut keeper = Keeper::default();
                model.fit(&data(), &options, &mut keeper).unwrap();
                keeper.steps
            };
            let whole = train(1);
            for micro_batches in [2, 4, 64] {
                for (found, expected) in train(micro_batches).iter().zip(&whole) {
                    let place = format!("{name}, {what}, {micro_batches}, step {}", found.step);
                    let off = (found.loss - expected.loss).abs() / expected.loss;
                    assert!(off < 1e-4, "{place}: {} for {}", found.loss, expected.loss);
                    assert_eq!(found.n, expected.n, "{place}");
                }
            }
        }
    }
}

#[test]
fn one_micro_batch_is_the_plain_step() {
    for (name, device) in devices() {
        let (expected, _) = alone(&device, &FitOptions { micro_batches: None, ..options(1) });
        assert!(alone(&device, &options(1)).0 == expected, "{name}");
    }
}

/// From every checkpoint, with other numbers of ranks than it was made by.
#[test]
fn resumed_by_another_number_of_ranks() {
    for (name, device) in devices() {
        let options = options(4);
        let (expected, kept) = alone(&device, &options);
        assert!(kept.len() > 5, "{name}: {} checkpoints", kept.len());
        for (checkpoint, ranks) in kept.iter().zip([2, 4, 1, 2, 4, 1].into_iter().cycle()) {
            let all = vec![device.clone(); ranks];
            let ends = in_ranks(&all, Updates::Everywhere, |model, _| {
                let mut keeper = Keeper::default();
                let history = model.resume(&data(), &options, checkpoint.clone(), &mut keeper).unwrap();
                ended(model, &keeper, &history)
            });
            for end in ends {
                let place = format!("{name}, {ranks} ranks from step {}", checkpoint.steps());
                assert!(end.weights == expected.weights, "{place}: other weights");
                assert!(expected.steps.ends_with(&end.steps), "{place}: other steps");
                assert!(end.validation == expected.validation && end.test == expected.test, "{place}");
            }
        }
    }
}

/// One rank wants to stop; all do, at the same step, and rank 0 keeps a checkpoint of it.
#[test]
fn ranks_stop_at_the_same_step() {
    for (name, device) in devices() {
        let (expected, _) = alone(&device, &options(4));
        for asker in 0..2 {
            let all = vec![device.clone(); 2];
            let ends = in_ranks(&all, Updates::Everywhere, |model, rank| {
                let interrupt_after = (rank == asker).then_some(9);
                let mut keeper = Keeper { interrupt_after, ..Keeper::default() };
                let history = model.fit(&data(), &options(4), &mut keeper).unwrap();
                assert_eq!(history.stopped.unwrap().reason, StopReason::Interrupted);
                (history.steps, keeper.kept.pop())
            });
            let [(steps, Some(kept)), (other, None)] = &ends[..] else { panic!("{name}: {ends:?}") };
            assert_eq!((steps, *steps), (other, kept.steps()), "{name}");
            assert!((9..=11).contains(steps), "{name}: stopped after step {steps}");
            let ends = in_ranks(&all, Updates::Everywhere, |model, _| {
                let mut keeper = Keeper::default();
                let history = model.resume(&data(), &options(4), kept.clone(), &mut keeper).unwrap();
                ended(model, &keeper, &history)
            });
            assert!(ends.iter().all(|end| end.weights == expected.weights), "{name}");
        }
    }
}

/// A rank whose callback fails ends with its error, the others because of it.
#[test]
fn a_rank_that_fails_ends_all() {
    struct Failing(usize);
    impl Callback for Failing {
        fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
            if record.step >= self.0 { Err("the disk is full".into()) } else { Ok(()) }
        }
    }
    for failing in 0..3 {
        let all = vec![Device::cpu(); 3];
        let ends = in_ranks(&all, Updates::Everywhere, |model, rank| {
            let mut callback = Failing(if rank == failing { 5 } else { usize::MAX });
            let error = model.fit(&data(), &options(3), &mut callback).unwrap_err();
            // As at the end of a thread.
            drop(model.take_collective());
            error
        });
        for (rank, error) in ends.iter().enumerate() {
            match error {
                Error::Callback(said) if rank == failing => assert_eq!(said.to_string(), "the disk is full"),
                Error::Collective(CollectiveError::Failed { rank: named }) if rank != failing => {
                    assert_eq!(*named, failing);
                }
                other => panic!("rank {rank}, {failing} fails: {other:?}"),
            }
        }
    }
}

/// A number that is not finite in one micro-batch stops all ranks at its step, and weights are those from before it.
#[test]
fn a_bad_number_of_one_rank_stops_all() {
    for (name, device) in devices() {
        let mut values: Vec<f32> = data().images().iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let labels = data().labels().to_vec();
        // Sample 41 is in the third micro-batch of the third batch.
        values[41 * 784..42 * 784].fill(3e38);
        let targets = shadegrad::data::Targets::classes(labels, 10).unwrap();
        let data = Dataset::from_parts(values, targets, [28, 28, 1]).unwrap();
        let model = small();
        let options = FitOptions {
            epochs: 2,
            batch_size: 16,
            micro_batches: Some(4),
            shuffle: false,
            ..FitOptions::default()
        };
        let mut before = compile(&model, &device, 8);
        before
            .fit(&data, &FitOptions { max_steps: Some(2), ..options.clone() }, &mut Keeper::default())
            .unwrap();
        let expected = bits(&flat(&before.weights().unwrap()));
        let done = Mutex::new(Vec::new());
        scope(|scope| {
            for handle in Threads::new(2) {
                let (done, data, options, model, device) = (&done, &data, &options, &model, &device);
                scope.spawn(move || {
                    let mut model = compile(model, device, 8);
                    model.distribute(Box::new(handle), Updates::Everywhere);
                    let error = model.fit(data, options, &mut Keeper::default()).unwrap_err();
                    let weights = bits(&flat(&model.weights().unwrap()));
                    done.lock().unwrap().push((error, weights));
                });
            }
        });
        for (error, weights) in done.into_inner().unwrap() {
            let Error::Diverged(divergence) = error else { panic!("{name}: {error}") };
            assert_eq!((divergence.step, divergence.epoch), (3, 1), "{name}");
            assert!(weights == expected, "{name}: weights are not those from before the step");
        }
    }
}

/// Devices that round differently: the weights are those of rank 0 everywhere, and training learns.
#[test]
fn only_the_first_updates_where_devices_differ() {
    let (software, _) = Device::open(&DeviceChoice::Software).unwrap();
    let all = [software, Device::cpu()];
    let options = FitOptions {
        early_stopping: Some(EarlyStopping { monitor: Monitor::Loss, ..EarlyStopping::default() }),
        ..options(2)
    };
    let mut ends = in_ranks(&all, Updates::FirstOnly, |model, _| {
        let mut keeper = Keeper::default();
        model.fit(&data(), &options, &mut keeper).unwrap();
        (bits(&flat(&model.weights().unwrap())), keeper.steps)
    });
    let (second, first) = (ends.pop().unwrap(), ends.pop().unwrap());
    assert!(first == second);
    let refused = in_ranks(&all, Updates::Everywhere, |model, _| {
        model.fit(&data(), &options, &mut Keeper::default()).unwrap_err().to_string()
    });
    assert!(
        refused.iter().all(|error| error.contains("the weights of process 1 are not those")),
        "{refused:?}"
    );
}

#[test]
fn ranks_must_fit_the_micro_batches() {
    let ends = in_ranks(&[Device::cpu(), Device::cpu()], Updates::Everywhere, |model, _| {
        model.fit(&data(), &options(3), &mut Keeper::default()).unwrap_err().to_string()
    });
    assert!(ends.iter().all(|error| error.contains("`micro_batches` is 3") && error.contains("3 processes")));
}
