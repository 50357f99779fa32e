//! What callbacks ask for: another rate, a checkpoint, an end.

use shadegrad::data::Dataset;
use shadegrad::device::Device;
use shadegrad::error::Error;
use shadegrad::model::{Activation, Conv2D, Dense, Flatten, Sequential};
use shadegrad::train::collective::Threads;
use shadegrad::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, Compile, EarlyStopping, EpochRecord, FitOptions,
    History, LearningRateSchedule, Model, Monitor, ReduceOnPlateau, Requests, StepDecay, StepRecord,
    StopReason, Updates,
};

use crate::common::{devices, mnist_train};
use crate::steps::{bits, flat};

/// Asks for something after a step or an epoch, and keeps the checkpoints.
#[derive(Default)]
struct Asker {
    after_step: Option<usize>,
    after_epoch: Option<usize>,
    asks: Requests,
    due: bool,
    interrupt_after: Option<usize>,
    /// When it wants checkpoints beside those that it asks for.
    wants: Checkpoints,
    steps: usize,
    kept: Vec<Checkpoint>,
    ends: Vec<History>,
}

impl Asker {
    fn after_step(step: usize, asks: Requests) -> Asker {
        Asker { after_step: Some(step), asks, ..Asker::default() }
    }

    fn after_epoch(epoch: usize, asks: Requests) -> Asker {
        Asker { after_epoch: Some(epoch), asks, ..Asker::default() }
    }
}

impl Callback for Asker {
    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.steps = record.step;
        self.due |= self.after_step == Some(record.step);
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.due |= self.after_epoch == Some(record.epoch);
        Ok(())
    }

    fn interrupted(&self) -> bool {
        self.interrupt_after.is_some_and(|step| self.steps >= step)
    }

    fn requests(&mut self) -> Requests {
        if std::mem::take(&mut self.due) { self.asks.clone() } else { Requests::default() }
    }

    fn checkpoints(&self) -> Checkpoints {
        self.wants
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.kept.push(checkpoint.clone());
        Ok(())
    }

    fn on_train_end(&mut self, history: &History) -> Result<(), CallbackError> {
        self.ends.push(history.clone());
        Ok(())
    }
}

fn stop(why: &str) -> Requests {
    Requests::stop(why)
}

fn rate(factor: f32) -> Requests {
    Requests::rate(factor).and(Requests::checkpoint())
}

fn data() -> Dataset {
    mnist_train().take(112).unwrap()
}

/// Seven steps per epoch.
fn options() -> FitOptions {
    FitOptions { epochs: 3, batch_size: 16, ..FitOptions::default() }
}

fn model(device: &Device) -> Model {
    let layers = Sequential::new([28, 28, 1])
        .add(Conv2D::new(4, 3).strides(3))
        .add(Flatten::new())
        .add(Dense::new(10).activation(Activation::Softmax));
    layers.compile(device, Compile { seed: 4, ..Compile::default() }).unwrap()
}

struct Outcome {
    weights: Vec<u32>,
    history: History,
    rates: Vec<f32>,
}

fn train(device: &Device, options: &FitOptions, from: Option<Checkpoint>, asker: &mut Asker) -> Outcome {
    let mut model = model(device);
    let history = match from {
        Some(checkpoint) => model.resume(&data(), options, checkpoint, asker),
        None => model.fit(&data(), options, asker),
    };
    let history = history.unwrap();
    // However it ended.
    assert_eq!(asker.ends, std::slice::from_ref(&history));
    let rates = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    Outcome { weights: bits(&flat(&model.weights().unwrap())), history, rates }
}

#[test]
fn a_rate_that_is_asked_for_is_that_of_a_schedule() {
    for (name, device) in devices() {
        for asked in [1, 5, 7, 8] {
            let mut asker = Asker::after_step(asked, rate(0.5));
            let changed = train(&device, &options(), None, &mut asker);
            let [kept] = &asker.kept[..] else { panic!("{name}: {} checkpoints", asker.kept.len()) };
            let from = kept.steps();
            assert!(from >= asked && from <= 21, "{name}: asked after step {asked}, changed after {from}");
            let schedule = StepDecay { boundaries: vec![from - 1], values: vec![1e-3, 5e-4] };
            let scheduled = FitOptions { schedule: schedule.into(), ..options() };
            let expected = train(&device, &scheduled, None, &mut Asker::default());
            assert!(changed.weights == expected.weights, "{name}: asked after step {asked}: weights differ");
            assert_eq!(changed.rates, expected.rates, "{name}: asked after step {asked}");
            // The checkpoint knows of the change, though none else was made.
            let rest = train(&device, &options(), Some(kept.clone()), &mut Asker::default());
            assert!(rest.weights == changed.weights, "{name}: resumed after step {from}: weights differ");
        }
    }
}

#[test]
fn what_is_asked_changes_nothing_else() {
    for (name, device) in devices() {
        let plain = train(&device, &options(), None, &mut Asker::default());
        let checkpoint = Requests::checkpoint();
        for (asker, steps) in [
            (Asker::after_step(3, checkpoint.clone()), 3..=7),
            (Asker::after_epoch(2, checkpoint), 14..=14),
            (Asker::after_step(3, rate(1.0)), 3..=7),
        ] {
            let mut asker = asker;
            let asked = train(&device, &options(), None, &mut asker);
            assert!(asked.weights == plain.weights, "{name}: weights differ");
            let [kept] = &asker.kept[..] else { panic!("{name}: {} checkpoints", asker.kept.len()) };
            assert!(steps.contains(&kept.steps()), "{name}: after step {}", kept.steps());
            let rest = train(&device, &options(), Some(kept.clone()), &mut Asker::default());
            assert!(rest.weights == plain.weights, "{name}: from step {}: weights differ", kept.steps());
        }
    }
}

#[test]
fn a_checkpoint_says_whether_it_was_asked_for() {
    let checkpoint = Requests::checkpoint();
    // (who asks, after which steps it may be heeded)
    let rows = [
        (Asker::after_step(10, checkpoint.clone()), 10..=14),
        (Asker::after_step(14, checkpoint.clone()), 14..=14),
        (Asker::after_epoch(2, checkpoint), 14..=14),
    ];
    for (asker, steps) in rows {
        let mut asker = Asker { wants: Checkpoints::Epochs, ..asker };
        train(&Device::cpu(), &options(), None, &mut asker);
        let [asked, due] =
            [true, false].map(|asked| asker.kept.iter().filter(move |kept| kept.asked_for == asked));
        let asked: Vec<_> = asked.map(Checkpoint::steps).collect();
        assert!(asked.len() == 1 && steps.contains(&asked[0]), "{asked:?} is not in {steps:?}");
        let due: Vec<_> = due.map(Checkpoint::steps).collect();
        let expected: Vec<_> = [0, 7, 14, 21].into_iter().filter(|step| !asked.contains(step)).collect();
        assert_eq!(due, expected);
    }
}

#[test]
fn a_factor_holds_beside_what_plateaus_and_schedules_do() {
    let plateau = ReduceOnPlateau {
        monitor: Monitor::Loss,
        patience: 1,
        min_delta: 10.0,
        ..ReduceOnPlateau::default()
    };
    let reduced = FitOptions { reduce_lr_on_plateau: Some(plateau), ..options() };
    let decay = StepDecay { boundaries: vec![6, 13], values: vec![0.5, 0.25, 0.125] };
    let scheduled = FitOptions { schedule: LearningRateSchedule::Step(decay), ..options() };
    let device = Device::cpu();
    for options in [reduced, scheduled] {
        let plain = train(&device, &options, None, &mut Asker::default()).rates;
        let halved = train(&device, &options, None, &mut Asker::after_epoch(1, rate(0.5))).rates;
        assert_eq!(halved, [plain[0], plain[1] / 2.0, plain[2] / 2.0]);
    }
}

#[test]
fn a_reason_to_stop_is_told() {
    for (name, device) in devices() {
        let rows = [
            (Asker::after_step(4, stop("a friend called")), 1, "in epoch 1: a friend called", 0),
            (Asker::after_epoch(2, stop("good enough for me")), 2, "in epoch 2: good enough for me", 2),
            // With the last step of an epoch, the epoch is ended first.
            (Asker::after_step(7, stop("enough")), 1, "in epoch 1: enough", 1),
        ];
        for (mut asker, epoch, told, epochs) in rows {
            let end = train(&device, &options(), None, &mut asker);
            let stopped = end.history.stopped.unwrap();
            let place = format!("{name}, {told}");
            assert_eq!((stopped.reason, stopped.epoch), (StopReason::Callback, epoch), "{place}");
            // An adapter has the rest of a short epoch in flight.
            let ended = end.history.epochs.len();
            assert!(ended == epochs || ended == epoch && asker.steps == 7, "{place}: {ended} epochs");
            assert_eq!(stopped.to_string(), told);
            assert_eq!(end.history.steps, asker.steps, "{place}");
        }
    }
}

#[test]
fn training_that_was_stopped_for_a_reason_is_over() {
    let restoring = EarlyStopping {
        monitor: Monitor::Loss,
        patience: 9,
        restore_best_weights: true,
        ..EarlyStopping::default()
    };
    let options = FitOptions { early_stopping: Some(restoring), ..options() };
    let device = Device::cpu();
    let asks = stop("enough").and(Requests::checkpoint());
    for mut asker in [Asker::after_step(11, asks.clone()), Asker::after_epoch(2, asks)] {
        let end = train(&device, &options, None, &mut asker);
        let kept = asker.kept.pop().unwrap();
        assert_eq!(kept.stopped.as_ref().map(|stopped| stopped.reason), Some(StopReason::Callback));
        let mut later = Asker::default();
        let again = train(&device, &options, Some(kept), &mut later);
        assert_eq!((later.steps, again.history.stopped), (0, end.history.stopped));
        assert!(again.weights == end.weights);
    }
}

/// A reason to stop is heeded before all others that let training be resumed, and it stands in the last checkpoint.
#[test]
fn a_reason_to_stop_outranks_interruption_and_the_last_step() {
    let asks = || stop("enough").and(Requests::checkpoint());
    let at_most = |steps| FitOptions { max_steps: Some(steps), ..options() };
    let interrupted = |step| Asker { interrupt_after: Some(step), ..Asker::after_step(step, asks()) };
    for (name, device) in devices() {
        // (what, options, who asks, the epoch that training ends in)
        let rows = [
            ("interrupted at once", options(), interrupted(4), 1),
            ("interrupted at the end of an epoch", options(), interrupted(14), 2),
            ("the last step within an epoch", at_most(4), Asker::after_step(4, asks()), 1),
            ("after the last step within an epoch", at_most(11), Asker::after_epoch(2, asks()), 2),
            ("the last step of an epoch", at_most(14), Asker::after_step(14, asks()), 2),
            ("after max_steps of whole epochs", at_most(14), Asker::after_epoch(2, asks()), 2),
            ("the last step of all", options(), Asker::after_step(21, asks()), 3),
            ("after the last epoch", options(), Asker::after_epoch(3, asks()), 3),
        ];
        for (what, options, mut asker, epoch) in rows {
            let place = format!("{name}, {what}");
            let end = train(&device, &options, None, &mut asker);
            let stopped = end.history.stopped.unwrap();
            let told = (stopped.reason, stopped.why.as_deref(), stopped.epoch);
            assert_eq!(told, (StopReason::Callback, Some("enough"), epoch), "{place}");
            let kept = asker.kept.pop().unwrap();
            assert_eq!((kept.steps(), kept.stopped.as_ref()), (end.history.steps, Some(&stopped)), "{place}");
            // More epochs, and no bound on steps, do not make training go on.
            let more = FitOptions { epochs: 5, max_steps: None, ..options };
            let mut later = Asker::default();
            let again = train(&device, &more, Some(kept), &mut later);
            assert_eq!((later.steps, again.history.stopped), (0, Some(stopped)), "{place}");
            assert!(again.weights == end.weights, "{place}: weights differ");
        }
    }
}

#[test]
fn a_factor_that_is_none_is_refused() {
    for factor in [0.0, -0.5, f32::NAN, f32::INFINITY] {
        let mut asker = Asker::after_step(2, rate(factor));
        let error = model(&Device::cpu()).fit(&data(), &options(), &mut asker).unwrap_err();
        assert!(asker.ends.is_empty(), "an error ends a call without `on_train_end`");
        assert!(matches!(error, Error::Setting(_)), "{error}");
        assert!(error.to_string().contains("rate_factor"), "{error}");
    }
}

/// Whoever asks, all ranks do it.
#[test]
fn ranks_heed_each_other() {
    let options = FitOptions { micro_batches: Some(2), ..options() };
    for asker in 0..2 {
        for asks in [rate(0.25), stop("enough")] {
            let ends = std::thread::scope(|scope| {
                let ranks = Threads::new(2).into_iter().enumerate();
                let (asks, options) = (&asks, &options);
                let running: Vec<_> = ranks
                    .map(|(rank, handle)| {
                        scope.spawn(move || {
                            let mut model = model(&Device::cpu());
                            model.distribute(Box::new(handle), Updates::Everywhere);
                            let asks = if rank == asker { asks.clone() } else { Requests::default() };
                            let mut own = Asker::after_step(9, asks);
                            let history = model.fit(&data(), options, &mut own).unwrap();
                            let rates: Vec<_> =
                                history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
                            (bits(&flat(&model.weights().unwrap())), history.stopped, rates)
                        })
                    })
                    .collect();
                running.into_iter().map(|rank| rank.join().unwrap()).collect::<Vec<_>>()
            });
            assert!(ends[0] == ends[1], "rank {asker} asks {asks:?}");
            let (_, stopped, rates) = &ends[0];
            match &asks.stop {
                Some(why) => assert_eq!(stopped.as_ref().unwrap().why.as_ref(), Some(why)),
                None => assert_eq!(rates, &[1e-3, 2.5e-4, 2.5e-4]),
            }
        }
    }
}
