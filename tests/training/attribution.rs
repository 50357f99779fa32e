//! Saliency and Grad-CAM: by hand on tiny nets, alike on both executors, and what is refused.

use shadegrad::data::TargetKind;
use shadegrad::io::ModelFile;
use shadegrad::layers::WeightTensor;
use shadegrad::model::{
    Activation, AveragePooling2D, Conv2D, Dense, Flatten, GlobalAveragePooling2D, Loss, Sequential, Weights,
};
use shadegrad::train::{Compile, FitOptions, Maps, Model, NoCallback};
use shadegrad::{Dataset, Device};

use crate::common::{devices, mnist_train, random_data, repository, small};
use crate::steps::{bits, compile, distance};

/// The model with these values of its weights, in order.
fn with(model: &Sequential, device: &Device, values: &[&[f32]]) -> Model {
    let network = model.network().unwrap();
    let tensors = network.weights().zip(values).map(|(spec, values)| WeightTensor {
        name: spec.name.clone(),
        shape: spec.shape.clone(),
        values: values.to_vec(),
    });
    let weights = Weights::new(&network, tensors.collect()).unwrap();
    let mut compiled = compile(model, device, 0);
    compiled.set_weights(weights).unwrap();
    compiled
}

fn maps(height: usize, width: usize, values: &[f32]) -> Maps {
    Maps { height, width, values: values.to_vec() }
}

/// A convolution by 1 and -1 with biases 0 and 2, then ReLU: for x = 3, -1, 1, 4 it gives (3, 0), (0, 3), (1, 1), (4, 0). The weights of
/// the dense layer are, by place, (1, 2), (-1, 4), (3, -2), (1, 0) for class 0 and (0, 1), (2, 1), (-4, 1), (-2, 1) for class 1.
///
/// Grad-CAM: their means are (1, 1) and (-1, 1). Saliency at x: the first weight where x > 0, minus the second one where x < 2.
#[test]
fn a_tiny_net_is_as_computed_by_hand() {
    let model = Sequential::new([2, 2, 1])
        .add(Conv2D::new(2, 1).activation(Activation::Relu))
        .add(Flatten::new())
        .add(Dense::new(2).activation(Activation::Softmax));
    let dense = [1.0, 0.0, 2.0, 1.0, -1.0, 2.0, 4.0, 1.0, 3.0, -4.0, -2.0, 1.0, 1.0, -2.0, 0.0, 1.0];
    let sample = [3.0f32, -1.0, 1.0, 4.0];
    for (name, device) in devices() {
        let mut model = with(&model, &device, &[&[1.0, -1.0], &[0.0, 2.0], &dense, &[0.5, 0.25]]);
        assert_eq!(model.grad_cam_layer(), Some("conv2d"), "{name}");
        let samples = [sample, sample].concat();
        let saliency = model.saliency(&samples, &[0, 1]).unwrap();
        assert_eq!(saliency, maps(2, 2, &[1.0, 4.0, 5.0, 1.0, 0.0, 1.0, 5.0, 2.0]), "{name}");
        for layer in [None, Some("conv2d")] {
            let grad_cam = model.grad_cam(&samples, &[0, 1], layer).unwrap();
            assert_eq!(grad_cam, maps(2, 2, &[3.0, 3.0, 2.0, 4.0, 0.0, 3.0, 0.0, 0.0]), "{name}, {layer:?}");
        }
    }
}

/// The largest of two channels, of bytes and of f32 alike: the derivatives are by what the first layer gets.
#[test]
fn the_largest_channel_counts() {
    let model =
        Sequential::new([1, 2, 2]).add(Flatten::new()).add(Dense::new(2).activation(Activation::Softmax));
    let kernel = [1.0, 0.0, -3.0, 1.0, 2.0, 4.0, 0.5, -5.0];
    for (name, device) in devices() {
        let mut model = with(&model, &device, &[&kernel, &[0.0; 2]]);
        let expected = maps(1, 2, &[3.0, 2.0, 1.0, 5.0]);
        assert_eq!(model.saliency(&[7u8; 8], &[0, 1]).unwrap(), expected, "{name}");
        assert_eq!(model.saliency(&[0.5f32; 8], &[0, 1]).unwrap(), expected, "{name}");
    }
    // Features are one row.
    let flat = Sequential::new([3]).add(Dense::new(2).activation(Activation::Softmax));
    let mut flat = with(&flat, &Device::cpu(), &[&[1.0, 0.0, -3.0, 1.0, 2.0, 4.0], &[0.0; 2]]);
    assert_eq!(flat.saliency(&[0.5f32; 3], &[0]).unwrap(), maps(1, 3, &[1.0, 3.0, 2.0]));
}

/// The input z of a single sigmoid unit speaks for class 1, and -z for class 0.
#[test]
fn a_single_sigmoid_unit_speaks_for_one_class_and_against_the_other() {
    let model = Sequential::new([2, 2, 1])
        .add(Conv2D::new(1, 1).activation(Activation::Relu))
        .add(GlobalAveragePooling2D::new())
        .add(Dense::new(1).activation(Activation::Sigmoid));
    let sample = [1.0f32, 2.0, 0.0, 3.0];
    for (name, device) in devices() {
        let mut model = with(&model, &device, &[&[1.0], &[0.0], &[8.0], &[0.0]]);
        let found = model.grad_cam(&[sample, sample].concat(), &[1, 0], None).unwrap();
        // 8 / 4 at each of four places.
        assert_eq!(found, maps(2, 2, &[2.0, 4.0, 0.0, 6.0, 0.0, 0.0, 0.0, 0.0]), "{name}");
        assert_eq!(model.saliency(&sample, &[0]).unwrap(), maps(2, 2, &[2.0, 2.0, 0.0, 2.0]), "{name}");
    }
}

/// Of labels the input of the sigmoid, of numbers the output itself.
#[test]
fn scores_suit_the_targets() {
    let model = |target| {
        let dense = Dense::new(1).activation(Activation::Sigmoid);
        Sequential::new([1, 1, 1]).target(target).add(Flatten::new()).add(dense)
    };
    // (target, loss, derivative by x = 0 with a weight of 8)
    let rows = [
        (TargetKind::MultiLabel, Loss::default(), 8.0),
        // Sigmoid has the slope 1/4 at 0.
        (TargetKind::Values, Loss::MeanSquaredError, 2.0),
    ];
    for (target, loss, expected) in rows {
        let model = model(target);
        let network = model.network().unwrap();
        let tensors = network.weights().map(|spec| WeightTensor {
            name: spec.name.clone(),
            shape: spec.shape.clone(),
            values: vec![if spec.name.ends_with("kernel") { 8.0 } else { 0.0 }],
        });
        let weights = Weights::new(&network, tensors.collect()).unwrap();
        for (name, device) in devices() {
            let mut model = model.compile(&device, Compile { loss, ..Compile::default() }).unwrap();
            model.set_weights(weights.clone()).unwrap();
            let found = model.saliency(&[0u8], &[0]).unwrap().values;
            assert!((found[0] - expected).abs() < 1e-5, "{name}, {target}: {found:?}");
        }
    }
}

/// A residual net with batch normalization, dropped and moved images, and a small net, after a little training.
fn trained() -> Vec<(&'static str, Sequential, Dataset)> {
    let file = ModelFile::read(&repository("tests/golden/nets/residual.toml")).unwrap();
    vec![
        ("small", small(), mnist_train().take(200).unwrap()),
        ("residual", file.model, random_data(200, [12, 12, 3], 4, 3)),
    ]
}

/// A gradient is a sum of at most some hundred products in each of some ten layers, each rounded once or twice: 1e3 roundings of 2^-24,
/// as a share of the largest value.
const ROUNDING: f64 = 1e3 / (1 << 24) as f64;

#[test]
fn executors_agree_and_nothing_depends_on_the_batch_or_is_changed() {
    for (what, model, data) in trained() {
        let [cpu, gpu] = devices().map(|(_, device)| device);
        let mut trained = compile(&model, &cpu, 3);
        trained.fit(&data, &FitOptions { epochs: 2, ..FitOptions::default() }, &mut NoCallback).unwrap();
        let weights = trained.weights().unwrap();
        // More than are computed at once, and not a multiple.
        let few = data.take(19).unwrap();
        let classes: Vec<usize> = few.labels().iter().map(|&label| label as usize).collect();
        let found = [cpu, gpu].map(|device| {
            let mut model = compile(&model, &device, 0);
            model.set_weights(weights.clone()).unwrap();
            let before = model.predict(few.images()).unwrap();
            let all = [
                model.saliency(few.images(), &classes).unwrap(),
                model.grad_cam(few.images(), &classes, None).unwrap(),
            ];
            assert_eq!(bits(&model.predict(few.images()).unwrap()), bits(&before), "{what}");
            let size = few.images().len() / 19;
            for (at, &class) in classes.iter().enumerate().skip(15) {
                let image = &few.images()[at * size..][..size];
                let one = [
                    model.saliency(image, &[class]).unwrap(),
                    model.grad_cam(image, &[class], None).unwrap(),
                ];
                for (all, one) in all.iter().zip(one) {
                    agree(&format!("{what}, {at} alone"), all.iter().nth(at).unwrap(), &one.values);
                }
            }
            all
        });
        // Of the model that was trained as well, which has an executor of its own.
        let there = trained.grad_cam(few.images(), &classes, None).unwrap();
        assert_eq!(bits(&there.values), bits(&found[0][1].values), "{what}");
        for (kind, (cpu, gpu)) in ["saliency", "Grad-CAM"].iter().zip(found[0].iter().zip(&found[1])) {
            assert_eq!((cpu.height, cpu.width), (gpu.height, gpu.width), "{what}, {kind}");
            assert!(cpu.values.iter().any(|&value| value > 0.0), "{what}, {kind}: nothing is there");
            let share = agree(&format!("{what}, {kind}"), &cpu.values, &gpu.values);
            println!("{what}, {kind}: within {share:.1e} of the largest value");
        }
    }
}

fn agree(what: &str, a: &[f32], b: &[f32]) -> f64 {
    let largest = a.iter().fold(0f32, |most, value| most.max(value.abs()));
    let error = distance(a, b);
    assert!(error <= ROUNDING * f64::from(largest), "{what}: off by {error:.1e}, values up to {largest:.1e}");
    if error > 0.0 { error / f64::from(largest) } else { 0.0 }
}

#[test]
fn maps_are_brought_to_other_sizes() {
    let given = maps(1, 2, &[0.0, 4.0, 8.0, 8.0]);
    assert_eq!(given.resized(1, 2), given);
    assert_eq!(given.resized(2, 4), maps(2, 4, &[[0.0, 1.0, 3.0, 4.0].repeat(2), vec![8.0; 8]].concat()));
    assert_eq!(given.resized(1, 1), maps(1, 1, &[2.0, 8.0]));
    assert_eq!(given.iter().collect::<Vec<_>>(), [[0.0, 4.0], [8.0, 8.0]]);
    assert_eq!(maps(0, 0, &[]).iter().count(), 0);
}

#[test]
fn what_cannot_be_is_refused() {
    let softmax = Dense::new(3).activation(Activation::Softmax);
    let conv = Sequential::new([4, 4, 1])
        .add(Conv2D::new(2, 3))
        .add(AveragePooling2D::new(2))
        .add(Flatten::new())
        .add(softmax.clone());
    let dense = Sequential::new([4, 4, 1]).add(Flatten::new()).add(softmax);
    let images = [0u8; 32];
    let (mut conv, mut dense) = (compile(&conv, &Device::cpu(), 0), compile(&dense, &Device::cpu(), 0));
    assert_eq!((conv.grad_cam_layer(), dense.grad_cam_layer()), (Some("conv2d"), None));
    let rows = [
        (conv.saliency(&images[..31], &[0, 1]), "31 numbers are not a whole number of samples"),
        (conv.saliency(&images, &[0]), "there are 1 classes for 2 samples; give one for each"),
        (conv.saliency(&images, &[0, 3]), "class 3 of sample 1 is not one of the model's 3, which are"),
        (
            conv.grad_cam(&images, &[0, 1], Some("dense")),
            "no layer `dense` whose output is an image; there are `conv2d`, `average_pooling2d`",
        ),
        (conv.grad_cam(&images, &[0, 1], Some("nonesuch")), "no layer `nonesuch`"),
        (dense.grad_cam(&images, &[0, 1], None), "no layer with filters whose output is an image"),
        (dense.grad_cam(&images, &[0, 1], Some("flatten")), "an image; it has none at all"),
    ];
    for (result, expected) in rows {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    }
    assert_eq!(conv.saliency::<u8>(&[], &[]).unwrap(), maps(4, 4, &[]));
}
