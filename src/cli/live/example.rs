//! A run for tests.

use std::sync::Arc;

use super::mistakes::{Mistake, Mistakes, Picture};
use super::state::{Facts, State};
use crate::train::{EpochRecord, Schedule, StepRecord};

pub fn facts() -> Facts {
    Facts {
        model: "tutorial".to_owned(),
        device: "CPU executor".to_owned(),
        run: "runs/tutorial-1".to_owned(),
        samples: "images",
        classes: true,
        validation: true,
        ..Facts::default()
    }
}

pub fn schedule(epochs: usize, steps_per_epoch: usize) -> Schedule {
    Schedule { epochs, steps_per_epoch, steps_done: 0, steps: epochs * steps_per_epoch }
}

pub fn step_record(step: usize, epoch: usize, loss: f32) -> StepRecord {
    StepRecord { step, epoch, loss, correct: Some(60), n: 64, learning_rate: 1e-3 }
}

pub fn epoch_record(epoch: usize, loss: f64) -> EpochRecord {
    EpochRecord {
        epoch,
        loss,
        accuracy: Some(0.9381),
        val_loss: Some(loss / 2.0),
        val_accuracy: Some(0.9712),
        learning_rate: 1e-3,
        seconds: 2.9,
    }
}

/// In its second epoch of two.
pub fn state(facts: Facts) -> State {
    let mut state = State::new(facts, &[]);
    state.begin(&schedule(2, 100));
    state.begin_epoch(1);
    let loss = |step: usize| 2.3 / (1.0 + step as f32 / 10.0);
    (1..=100).for_each(|step| state.end_step(&step_record(step, 1, loss(step))));
    state.end_epoch(&epoch_record(1, 0.2091));
    state.begin_epoch(2);
    (101..=142).for_each(|step| state.end_step(&step_record(step, 2, loss(step))));
    state
}

/// Squares, dark on the left.
pub fn mistakes() -> Arc<Mistakes> {
    let bytes = (0..28 * 28).map(|at| if at % 28 < 14 { 0 } else { 255 }).collect();
    let mistake = Mistake {
        picture: Picture { shape: [28, 28, 1], bytes },
        class: "4".to_owned(),
        predicted: "9".to_owned(),
        probability: 0.98,
    };
    Arc::new(Mistakes { set: "validation", epoch: 1, wrong: 12, looked_at: 512, shown: vec![mistake; 12] })
}
