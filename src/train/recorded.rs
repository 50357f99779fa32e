//! Schedules and callbacks against the decisions of Keras, recorded by `tests/golden/make_loop_golden.py`.

use serde::Deserialize;

use super::plateau::{PlateauState, ReduceOnPlateau};
use super::rate::LearningRateSchedule;
use super::records::EpochRecord;
use super::stopping::{EarlyStopping, EarlyStoppingState};
use super::{Monitor, state::TrainingState};

#[derive(Deserialize)]
struct Recording {
    steps: Vec<usize>,
    schedules: Vec<Rates>,
    early_stopping: Vec<Stopping>,
    plateau: Vec<Plateau>,
}

#[derive(Deserialize)]
struct Rates {
    schedule: LearningRateSchedule,
    rates: Vec<f32>,
}

#[derive(Deserialize)]
struct Stopping {
    settings: EarlyStopping,
    figures: Vec<f64>,
    epochs: usize,
    stopped: bool,
    weights_of_epoch: usize,
}

#[derive(Deserialize)]
struct Plateau {
    settings: ReduceOnPlateau,
    figures: Vec<f64>,
    learning_rate: f64,
    rates: Vec<f32>,
}

fn recording() -> Recording {
    serde_json::from_str(include_str!("../../tests/golden/training_loop.json")).unwrap()
}

/// An epoch in which the monitored metric has this value, and all others a different one.
fn record(epoch: usize, monitor: Monitor, figure: f64) -> EpochRecord {
    let at = |place| if monitor == place { figure } else { 0.123 };
    EpochRecord {
        epoch,
        loss: at(Monitor::Loss),
        accuracy: Some(at(Monitor::Accuracy)),
        val_loss: Some(at(Monitor::ValLoss)),
        val_accuracy: Some(at(Monitor::ValAccuracy)),
        learning_rate: 0.0,
        seconds: 0.0,
    }
}

/// Both take the same 32-bit quotients. A 32-bit power or cosine is off by at most 2 ulps and ours by half an ulp; a
/// product and a sum or two after it add as much again: 4 ulps of the largest term, which for the cosine is the peak.
const ULPS: f32 = 4.0;

#[test]
fn schedules_follow_keras() {
    let Recording { steps, schedules, .. } = recording();
    for Rates { schedule, rates } in schedules {
        schedule.check().unwrap();
        let peak = match &schedule {
            LearningRateSchedule::Cosine(cosine) => {
                cosine.warmup_target.or(cosine.initial_learning_rate).unwrap() as f32
            }
            LearningRateSchedule::OneCycle(cycle) => cycle.max_learning_rate.unwrap() as f32,
            _ => 0.0,
        };
        for (&step, rate) in steps.iter().zip(rates) {
            // The optimizer's own rate is not used where the schedule names one.
            let found = schedule.rate(step, 77.0);
            let bound = match schedule {
                LearningRateSchedule::Step(_) => 0.0,
                _ => ULPS * f32::EPSILON * rate.max(peak),
            };
            assert!((found - rate).abs() <= bound, "{schedule:?}, step {step}: {found} and not {rate}");
        }
    }
}

#[test]
fn a_schedule_without_a_rate_takes_the_optimizers() {
    for Rates { mut schedule, .. } in recording().schedules {
        let given = schedule.rate(3, 77.0);
        let initial = match &mut schedule {
            LearningRateSchedule::Exponential(decay) => decay.initial_learning_rate.take(),
            LearningRateSchedule::Cosine(decay) => decay.initial_learning_rate.take(),
            LearningRateSchedule::OneCycle(cycle) => cycle.max_learning_rate.take(),
            LearningRateSchedule::Constant | LearningRateSchedule::Step(_) => None,
        };
        if let Some(initial) = initial {
            assert_eq!(schedule.rate(3, initial), given, "{schedule:?}");
            schedule.set_initial_learning_rate(0.5).unwrap();
            // The greatest rate of a cycle that begins there.
            if let LearningRateSchedule::OneCycle(cycle) = &mut schedule {
                cycle.pct_start = 1.0 / cycle.total_steps as f64;
            }
            assert_eq!(schedule.rate(0, 77.0), 0.5, "{schedule:?}");
        } else {
            assert!(schedule.set_initial_learning_rate(0.5).is_err(), "{schedule:?}");
        }
    }
}

#[test]
fn early_stopping_decides_as_keras() {
    for (row, recorded) in recording().early_stopping.into_iter().enumerate() {
        let Stopping { settings, figures, epochs, stopped, weights_of_epoch } = recorded;
        let mut state = EarlyStoppingState::default();
        let (mut kept, mut last, mut stop) = (None, 0, false);
        for (epoch, figure) in (1..).zip(figures) {
            let verdict = settings.after_epoch(&mut state, &record(epoch, settings.monitor, figure));
            if verdict.keep && settings.restore_best_weights {
                kept = Some(epoch);
                assert_eq!(state.best_epoch, epoch, "row {row}");
            }
            (last, stop) = (epoch, verdict.stop);
            if stop {
                break;
            }
        }
        assert_eq!((last, stop), (epochs, stopped), "row {row}: {settings:?}");
        assert_eq!(kept.unwrap_or(last), weights_of_epoch, "row {row}: {settings:?}");
    }
}

#[test]
fn the_rate_is_reduced_as_by_keras() {
    for (row, Plateau { settings, figures, learning_rate, rates }) in
        recording().plateau.into_iter().enumerate()
    {
        let (mut state, mut rate) = (PlateauState::default(), learning_rate as f32);
        for (epoch, (figure, expected)) in (1..).zip(figures.into_iter().zip(rates)) {
            let reduced = settings.after_epoch(&mut state, &record(epoch, settings.monitor, figure), rate);
            rate = reduced.unwrap_or(rate);
            assert_eq!(rate, expected, "row {row}, epoch {epoch}: {settings:?}");
        }
    }
}

#[test]
fn figures_that_are_no_numbers_never_improve() {
    for monitor in [Monitor::Loss, Monitor::Accuracy, Monitor::ValLoss, Monitor::ValAccuracy] {
        for bad in [f64::NAN, f64::INFINITY] {
            assert!(!monitor.improves(bad, None, 0.0), "{monitor:?} {bad}");
        }
        assert!(!monitor.improves(f64::NAN, Some(0.5), 0.0), "{monitor:?}");
        assert!(monitor.improves(0.5, None, 0.0), "{monitor:?}");
    }
    // A first epoch that diverges ends nothing, and later epochs count.
    let stopping = EarlyStopping::default();
    let mut state = EarlyStoppingState::default();
    let verdicts: Vec<_> = [f64::NAN, 2.0, 1.0, 1.0]
        .into_iter()
        .zip(1..)
        .map(|(figure, epoch)| stopping.after_epoch(&mut state, &record(epoch, Monitor::ValLoss, figure)))
        .map(|verdict| (verdict.keep, verdict.stop))
        .collect();
    assert_eq!(verdicts, [(true, false), (true, false), (true, false), (false, true)]);
}

#[test]
fn the_state_is_kept_as_json() {
    let mut state = TrainingState { epochs_begun: 3, steps_begun: 17, ..TrainingState::default() };
    state.learning_rate = Some(1e-4);
    state.run.early_stopping = EarlyStoppingState { best: Some(0.1 + 0.2), best_epoch: 2, wait: 1 };
    state.run.plateau = PlateauState { best: None, wait: 2, cooldown: 1 };
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<TrainingState>(&text).unwrap(), state, "{text}");
}
