//! Samples that do not count alike.

use shadegrad::data::Dataset;
use shadegrad::model::{Optimizer, Sgd};
use shadegrad::train::{Compile, FitOptions};

use crate::common::{devices, random_data};
use crate::steps::{bits, flat};
use crate::targets::{fit, options, plain};

/// By the formula: twice the weight is twice the gradient, and means stay means over samples.
#[test]
fn a_sample_counts_as_often_as_its_weight_says() {
    let data = random_data(16, [3, 3, 1], 2, 4);
    let sgd = Optimizer::Sgd(Sgd { learning_rate: 0.5, ..Sgd::default() });
    for (name, device) in devices() {
        let step = |data: &Dataset, class_weight: Vec<f64>| {
            let compile = Compile { optimizer: sgd, seed: 1, ..Compile::default() };
            let mut model = plain().compile(&device, compile).unwrap();
            let before = flat(&model.weights().unwrap());
            let options = FitOptions { epochs: 1, batch_size: 16, class_weight, ..FitOptions::default() };
            let loss = fit(&mut model, data, &options).epochs[0].loss;
            let after = flat(&model.weights().unwrap());
            let moved: Vec<f32> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
            (loss, moved)
        };
        let weighted = |weight: f32| data.clone().with_sample_weights(vec![weight; 16]).unwrap();
        let (loss, moved) = step(&data, vec![]);
        let (twice, moved_twice) = step(&weighted(2.0), vec![]);
        assert!((twice - 2.0 * loss).abs() < 1e-6, "{name}: {twice} {loss}");
        for (twice, once) in moved_twice.iter().zip(&moved) {
            assert!((twice - 2.0 * once).abs() < 1e-5, "{name}: {twice} {once}");
        }
        assert_eq!(step(&weighted(0.0), vec![]), (0.0, vec![0.0; moved.len()]), "{name}");
        // Weights of classes are weights of their samples, and of both the product counts.
        let of_class = |label: &u32| [0.5f32, 3.0][*label as usize];
        let by_hand = data.clone().with_sample_weights(data.labels().iter().map(of_class).collect()).unwrap();
        let (found, expected) = (step(&data, vec![0.5, 3.0]), step(&by_hand, vec![]));
        assert_eq!(bits(&found.1), bits(&expected.1), "{name}");
        assert_eq!(found.0, expected.0, "{name}");
        let half = data.clone().with_sample_weights(vec![0.5; 16]).unwrap();
        let (both, _) = step(&half, vec![1.0, 6.0]);
        assert!((both - expected.0).abs() < 1e-6, "{name}");
        // A validation set is not weighted by its classes, but by its own weights.
        let validated = |validation: Dataset| {
            let mut model = plain().compile(&device, Compile::default()).unwrap();
            let options =
                FitOptions { class_weight: vec![0.5, 3.0], validation: Some(validation), ..options(1) };
            let record = fit(&mut model, &data, &options).epochs[0];
            (record.val_loss.unwrap(), model.evaluate(&data).unwrap().loss)
        };
        let (val_loss, evaluated) = validated(data.clone());
        assert!((val_loss - evaluated).abs() < 1e-6, "{name}: {val_loss} {evaluated}");
        let (val_loss, evaluated) = validated(weighted(3.0));
        assert!((val_loss - 3.0 * evaluated).abs() < 1e-5, "{name}: {val_loss} {evaluated}");
    }
}
