//! Every optimizer through `fit`, and penalties in every reported loss.

use shadegrad::model::{
    Activation, Adadelta, Adam, AdamW, Conv2D, Dense, Flatten, Lion, Optimizer, Regularizer, RmsProp,
    Sequential, Sgd,
};
use shadegrad::train::{Compile, FitOptions, Model, NoCallback};

use crate::common::{devices, random_data};
use crate::steps::{Recorder, flat};

fn compile(
    regularizer: Option<Regularizer>,
    optimizer: Optimizer,
    device: &shadegrad::device::Device,
) -> Model {
    let mut conv = Conv2D::new(3, 2).activation(Activation::Relu);
    conv.kernel_regularizer = regularizer;
    let model = Sequential::new([5, 5, 1])
        .add(conv)
        .add(Flatten::new())
        .add(Dense::new(2).activation(Activation::Softmax));
    model.compile(device, Compile { optimizer, seed: 5, ..Compile::default() }).unwrap()
}

fn optimizers() -> Vec<Optimizer> {
    let clipped = AdamW { clipnorm: Some(0.1), ..AdamW::default() };
    vec![
        Sgd::default().into(),
        Sgd { momentum: 0.9, nesterov: true, weight_decay: Some(0.01), ..Sgd::default() }.into(),
        Adadelta { learning_rate: 1.0, global_clipnorm: Some(0.5), ..Adadelta::default() }.into(),
        RmsProp { clipvalue: Some(0.01), ..RmsProp::default() }.into(),
        Adam::default().into(),
        clipped.into(),
        Lion { clipvalue: Some(0.5), ..Lion::default() }.into(),
    ]
}

/// State, including the correction of Adam's bias, carries over from one call of `fit` to the next, even if another
/// batch size in between rebuilds the plan.
#[test]
fn training_goes_on_where_it_stood() {
    let data = random_data(24, [5, 5, 1], 2, 3);
    let options = |epochs| FitOptions { epochs, batch_size: 8, ..FitOptions::default() };
    for (name, device) in devices() {
        for optimizer in optimizers() {
            let mut whole = compile(None, optimizer, &device);
            whole.fit(&data, &options(3), &mut NoCallback).unwrap();
            let mut parts = compile(None, optimizer, &device);
            let untrained = flat(&parts.weights().unwrap());
            parts.fit(&data, &options(1), &mut NoCallback).unwrap();
            parts.evaluate_with(&data, Some(5)).unwrap();
            parts.fit(&data, &options(2), &mut NoCallback).unwrap();
            let [whole, parts] = [whole, parts].map(|mut model| flat(&model.weights().unwrap()));
            assert_eq!(whole, parts, "{name}, {optimizer:?}");
            assert_ne!(whole, untrained, "{name}, {optimizer:?}");
        }
    }
}

/// A penalty is the same in every batch, so a mean over batches has all of it, in training as in evaluation.
#[test]
fn reported_losses_have_the_penalty_in_them() {
    let data = random_data(23, [5, 5, 1], 2, 3);
    let regularizer = Regularizer::l1_l2(0.3, 0.7);
    for (name, device) in devices() {
        let [mut plain, mut penalised] =
            [None, Some(regularizer)].map(|regularizer| compile(regularizer, Optimizer::default(), &device));
        let weights = plain.weights().unwrap();
        let of_weight = |&w: &f32| 0.3 * f64::from(w).abs() + 0.7 * f64::from(w).powi(2);
        let penalty: f64 = weights.tensors()[0].values.iter().map(of_weight).sum();
        assert!(penalty > 0.5, "{penalty} is hardly a penalty");
        let [before, after] =
            [&mut plain, &mut penalised].map(|model| model.evaluate_with(&data, Some(8)).unwrap().loss);
        // Losses and penalty are f32 of size 1: some roundings each.
        assert!((after - before - penalty).abs() < 1e-6, "{name}: {before} and {penalty} make {after}");
        let options = FitOptions { epochs: 1, batch_size: 23, max_steps: Some(1), ..FitOptions::default() };
        let mut run = Recorder::default();
        penalised.fit(&data, &options, &mut run).unwrap();
        let first = f64::from(run.steps[0].loss);
        assert!((first - after).abs() < 1e-6, "{name}: {first} in training, {after} in evaluation");
    }
}
