//! What `fit` does: it learns, it ends where it should, and it reports every step and epoch.

use shadegrad::train::{FitOptions, NoCallback};

use crate::common::{devices, mnist_train, random_data, small, unusual_models};
use crate::steps::{Recorder, compile, flat};

/// A net that cannot memorise 32 images computes wrong gradients.
#[test]
fn one_batch_is_learnt_by_heart() {
    let batch = mnist_train().take(32).unwrap();
    for (name, device) in devices() {
        let mut model = compile(&small(), &device, 1);
        let options = FitOptions { epochs: 120, batch_size: 32, ..FitOptions::default() };
        model.fit(&batch, &options, &mut NoCallback).unwrap();
        let found = model.evaluate(&batch).unwrap();
        println!("{name}: loss {:.2e} after {} steps", found.loss, options.epochs);
        assert!(found.loss < 0.01, "{name}: loss {}", found.loss);
        assert_eq!(found.accuracy, Some(1.0), "{name}");
    }
}

#[test]
fn training_ends_after_max_steps() {
    let (_, model) = unusual_models().swap_remove(4);
    // 23 samples in batches of 8: three steps an epoch, the last one of 7 samples.
    let data = random_data(23, [5, 5, 1], 2, 3);
    // (epochs, max_steps, steps, samples of each epoch)
    let rows: [(usize, Option<usize>, usize, &[u32]); 8] = [
        (3, None, 9, &[23, 23, 23]),
        (3, Some(1), 1, &[8]),
        (3, Some(2), 2, &[16]),
        (3, Some(3), 3, &[23]),
        (3, Some(4), 4, &[23, 8]),
        (3, Some(6), 6, &[23, 23]),
        (3, Some(9), 9, &[23, 23, 23]),
        (3, Some(1000), 9, &[23, 23, 23]),
    ];
    for (name, device) in devices() {
        let mut whole = Recorder::default();
        for (epochs, max_steps, steps, samples) in rows {
            let place = format!("{name}, {epochs} epochs, max_steps {max_steps:?}");
            let mut run = Recorder::default();
            let options = FitOptions { epochs, batch_size: 8, max_steps, ..FitOptions::default() };
            let history = compile(&model, &device, 5).fit(&data, &options, &mut run).unwrap();
            assert_eq!(history.steps, steps, "{place}");
            assert_eq!(history.epochs, run.epochs, "{place}");
            let schedule = run.schedule.unwrap();
            assert_eq!((schedule.steps, schedule.steps_per_epoch), (steps, 3), "{place}");
            assert_eq!((schedule.epochs, run.epochs.len()), (samples.len(), samples.len()), "{place}");
            if max_steps.is_none() {
                whole = run;
                continue;
            }
            assert_eq!(run.steps, whole.steps[..steps], "{place}: steps of the uncut run");
        }
    }
}

/// The metrics of an epoch are means over its samples, whatever their batches.
#[test]
fn reports_add_up() {
    let (_, model) = unusual_models().swap_remove(4);
    let data = random_data(23, [5, 5, 1], 2, 3);
    for (name, device) in devices() {
        let mut run = Recorder::default();
        let options = FitOptions { epochs: 3, batch_size: 8, max_steps: Some(8), ..FitOptions::default() };
        compile(&model, &device, 5).fit(&data, &options, &mut run).unwrap();
        let numbers: Vec<_> = run.steps.iter().map(|step| (step.step, step.epoch, step.n)).collect();
        let expected =
            [(1, 1, 8), (2, 1, 8), (3, 1, 7), (4, 2, 8), (5, 2, 8), (6, 2, 7), (7, 3, 8), (8, 3, 8)];
        assert_eq!(numbers, expected, "{name}");
        for epoch in &run.epochs {
            let steps = run.steps.iter().filter(|step| step.epoch == epoch.epoch);
            let (mut loss, mut correct, mut n) = (0.0, 0, 0);
            for step in steps {
                assert!(step.correct.unwrap() <= step.n, "{name}: {step:?}");
                loss += f64::from(step.loss) * f64::from(step.n);
                correct += step.correct.unwrap();
                n += step.n;
            }
            // The same sums in f64, in the same order.
            let loss_error = (epoch.loss - loss / f64::from(n)).abs();
            assert!(loss_error <= 1e-14 * epoch.loss, "{name}: {epoch:?}");
            assert_eq!(epoch.accuracy, Some(f64::from(correct) / f64::from(n)), "{name}: {epoch:?}");
            assert!(epoch.seconds >= 0.0 && epoch.val_loss.is_none(), "{name}: {epoch:?}");
        }
    }
}

/// Validation between epochs reads the same data as `evaluate`, and does not change training by a bit.
#[test]
fn validation_does_not_touch_training() {
    let (_, model) = unusual_models().swap_remove(0);
    let (train, validation) = (random_data(20, [12, 12, 1], 4, 1), random_data(50, [12, 12, 1], 4, 2));
    for (name, device) in devices() {
        let plain = FitOptions { epochs: 2, batch_size: 8, ..FitOptions::default() };
        let mut without = compile(&model, &device, 9);
        without.fit(&train, &plain, &mut NoCallback).unwrap();
        let mut with = compile(&model, &device, 9);
        let options = FitOptions { validation: Some(validation.clone()), ..plain };
        let history = with.fit(&train, &options, &mut NoCallback).unwrap();
        assert_eq!(flat(&with.weights().unwrap()), flat(&without.weights().unwrap()), "{name}");
        let last = history.epochs.last().unwrap();
        let found = with.evaluate(&validation).unwrap();
        assert_eq!((last.val_loss, last.val_accuracy), (Some(found.loss), found.accuracy), "{name}");
    }
}
