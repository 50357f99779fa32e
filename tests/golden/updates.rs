//! Every optimizer except RMSprop (rmsprop.rs) on eight numbers for ten steps, on both executors; recorded by
//! `make_keras_updates.py`.

use serde::Deserialize;
use shadegrad::model::Optimizer;
use shadegrad::plan::BatchParams;

use crate::common::devices;
use crate::recording;
use crate::rmsprop::{update, update_plan};

#[derive(Deserialize)]
struct Recording {
    initial: Vec<f32>,
    gradients: Vec<Vec<f32>>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    optimizer: Optimizer,
    /// After each step.
    weights: Vec<Vec<f64>>,
    /// Magnitudes at each step, computed from absolute gradients.
    magnitudes: Vec<Vec<f64>>,
}

const HALF_ULP: f64 = 1.0 / (1 << 24) as f64;

/// How far apart two executors may be after each step, for one weight.
///
/// In step s, counted from 1, each rounds the weight and its decay twice, by half an ulp of the weight. A running mean is
/// a sum of products, off by at most 4 half ulps for each step of its past, of the sum of their magnitudes; an update has
/// two of them, and after them two roots of 9 half ulps each, as WGSL allows, two quotients of 5, and 8 roundings of
/// constants and products. Adam's correction has in it the root of 1 - beta_2^s, whose power Keras's mathematical library may
/// have off by an ulp, half an ulp of 1; half of that relative error is left after the root, and only Keras has it.
///
/// In these steps no sum whose sign Lion takes is so near 0 that its roundings decide it; one that is 0 is so exactly.
fn bounds(optimizer: &Optimizer, weights: &[f64], magnitudes: &[f64]) -> Vec<f64> {
    let beta_2 = match optimizer {
        Optimizer::Adam(adam) => adam.beta_2,
        Optimizer::AdamW(adamw) => adamw.beta_2,
        _ => 0.0,
    };
    let steps = (1..).zip(weights.iter().zip(magnitudes));
    let of_step = |(step, (weight, magnitude)): (i32, (&f64, &f64))| {
        let of_correction = if beta_2 > 0.0 { 0.25 / (1.0 - beta_2.powi(step)) } else { 0.0 };
        let roundings = 8.0 * f64::from(step) + 2.0 * 9.0 + 2.0 * 5.0 + 8.0 + of_correction;
        HALF_ULP * (3.0 * weight.abs() + roundings * magnitude.abs())
    };
    let both_executors = steps.map(of_step).map(|bound| 2.0 * bound);
    both_executors
        .scan(0.0, |sum, bound| {
            *sum += bound;
            Some(*sum)
        })
        .collect()
}

/// The weights after each step.
fn ours(recording: &Recording, optimizer: Optimizer, device: &shadegrad::device::Device) -> Vec<Vec<f64>> {
    let mut executor = device.executor(update_plan(optimizer)).unwrap();
    let params = |step| BatchParams {
        batch_size: 1,
        learning_rate: optimizer.learning_rate() as f32,
        correction: optimizer.correction(step),
        ..BatchParams::default()
    };
    update(executor.as_mut(), &recording.initial, &recording.gradients, params, |executor, tensor| {
        executor.read(tensor).unwrap().into_iter().map(f64::from).collect()
    })
}

/// The worst share of the bound, over all steps and weights.
fn worst(row: &Row, found: &[Vec<f64>]) -> f64 {
    let mut worst = 0.0f64;
    for at in 0..found[0].len() {
        let column = |rows: &[Vec<f64>]| rows.iter().map(|row| row[at]).collect::<Vec<f64>>();
        let bounds = bounds(&row.optimizer, &column(&row.weights), &column(&row.magnitudes));
        for ((found, expected), bound) in column(found).iter().zip(column(&row.weights)).zip(bounds) {
            // A weight of 0 without a gradient stays exactly 0.
            let error = (found - expected).abs();
            worst = worst.max(if error == 0.0 { 0.0 } else { error / bound });
        }
    }
    worst
}

#[test]
fn every_executor_updates_as_keras() {
    let recording: Recording = recording("updates.json");
    assert_eq!(recording.rows.len(), 12);
    for row in &recording.rows {
        assert_eq!((row.weights.len(), row.magnitudes.len()), (10, 10));
        for (name, device) in devices() {
            let share = worst(row, &ours(&recording, row.optimizer, &device));
            println!("{name}, {:?}: at worst {share:.3} of the bound", row.optimizer);
            assert!(share <= 1.0, "{name}, {:?}: {share} of the bound", row.optimizer);
        }
    }
}

/// The bounds are only useful if a step with another rate, or of another number, violates them.
#[test]
fn a_slightly_wrong_rate_is_noticed() {
    let recording: Recording = recording("updates.json");
    for row in &recording.rows {
        let mut found = ours(&recording, row.optimizer, &shadegrad::device::Device::cpu());
        for (step, weights) in found.iter_mut().enumerate() {
            for (at, weight) in weights.iter_mut().enumerate() {
                *weight += 1e-4 * row.magnitudes[step][at];
            }
        }
        assert!(worst(row, &found) > 1.0, "{:?}", row.optimizer);
    }
}
