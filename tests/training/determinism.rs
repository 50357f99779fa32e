//! The seed decides everything: bit for bit on one device, and between devices for everything except arithmetic.

use std::collections::BTreeMap;

use shadegrad::data::batches::epoch_order;
use shadegrad::device::Device;
use shadegrad::io::weights_to_bytes;
use shadegrad::ops::BatchParams;
use shadegrad::train::{FitOptions, NoCallback};

use crate::common::{devices, mnist_train, random_data, small, software_choice, unusual_models};
use crate::steps::{Driver, bits, compile, flat};

/// The weight file after some epochs with a short last batch.
fn trained(device: &Device, seed: u64, predict_between: bool) -> Vec<u8> {
    let data = mnist_train().take(200).unwrap();
    let mut model = compile(&small(), device, seed);
    let options = FitOptions { epochs: 1, batch_size: 32, ..FitOptions::default() };
    for _ in 0..2 {
        model.fit(&data, &options, &mut NoCallback).unwrap();
        if predict_between {
            model.predict(&data.images()[..784 * 5]).unwrap();
        }
    }
    weights_to_bytes(&model.weights().unwrap(), &BTreeMap::new()).unwrap()
}

#[test]
fn same_seed_same_device_same_bytes() {
    for (name, device) in devices() {
        let first = trained(&device, 11, false);
        assert!(first == trained(&device, 11, false), "{name}: a second run gave other weights");
        assert!(first == trained(&device, 11, true), "{name}: predicting in between changed the training");
        assert!(first != trained(&device, 12, false), "{name}: another seed gave the same weights");
    }
}

#[test]
fn the_cpu_executor_gives_the_same_bytes_on_any_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| trained(&Device::cpu(), 11, false))
    };
    let one = on(1);
    for threads in [2, 3] {
        assert!(on(threads) == one, "{threads} threads");
    }
    assert!(trained(&Device::reference(), 11, false) != one, "no fast row ran");
}

/// A newly opened device gives the same bits as one that has run before.
#[test]
fn a_fresh_device_gives_the_same_bytes() {
    let (_, used) = &devices()[1];
    let (fresh, _) = Device::open(&software_choice()).unwrap();
    assert!(trained(used, 4, false) == trained(&fresh, 4, false));
}

#[test]
fn initial_weights_are_the_same_on_every_device() {
    for (what, model) in unusual_models() {
        let network = model.network().unwrap();
        let expected = bits(&flat(&network.initial_weights(21)));
        let data = random_data(3, network.input_shape, network.classes(), 1);
        for (name, device) in devices() {
            // Evaluating uploads the weights to the device; they are read back from there.
            let mut model = compile(&model, &device, 21);
            model.evaluate(&data).unwrap();
            assert_eq!(bits(&flat(&model.weights().unwrap())), expected, "{name}, {what}");
        }
    }
}

/// Every batch of two shuffled epochs, computed from the data set: bytes over 255, labels one-hot, zeros past the
/// end.
#[test]
fn gathered_batches_are_the_same_on_every_device() {
    let models = unusual_models().into_iter().chain([("small", small())]);
    for (what, model) in models {
        let network = model.network().unwrap();
        let (pixels, classes, batch) = (network.input_shape.len(), network.classes(), 4);
        let data = random_data(11, network.input_shape, classes, 8);
        for (name, device) in devices() {
            let mut driver = Driver::new(&model, &device, batch, 0, &data);
            for epoch in 0..2 {
                let order = epoch_order(data.len(), epoch, Some(3));
                for row in BatchParams::of_pass(data.len(), batch, 0.001) {
                    let samples = &order[row.first as usize..][..row.batch_size as usize];
                    let mut input = vec![0f32; batch * pixels];
                    let mut target = vec![0f32; batch * classes];
                    for (i, &sample) in samples.iter().enumerate() {
                        let image = data.image(sample as usize).unwrap();
                        for (p, &byte) in image.iter().enumerate() {
                            input[i * pixels + p] = f32::from(byte) / 255.0;
                        }
                        target[i * classes + data.label(sample as usize).unwrap() as usize] = 1.0;
                    }
                    driver.step(samples);
                    let place = format!("{name}, {what}, epoch {epoch}, batch {}", row.slot);
                    let found = [driver.plan.input.clone(), driver.plan.target.clone()]
                        .map(|tensor| bits(&driver.read(&tensor)));
                    assert!(found[0] == bits(&input), "{place}: other images");
                    assert!(found[1] == bits(&target), "{place}: other targets");
                }
            }
        }
    }
}

/// `fit` takes the samples in the order of `epoch_order`: the same steps by hand give the same weights, to the bit.
#[test]
fn fit_takes_the_batches_in_their_order() {
    let (_, model) = unusual_models().swap_remove(1);
    let data = random_data(23, [13, 11, 3], 3, 6);
    for (name, device) in devices() {
        for shuffle in [true, false] {
            let options = FitOptions { epochs: 2, batch_size: 8, shuffle, ..FitOptions::default() };
            let mut fitted = compile(&model, &device, 13);
            fitted.fit(&data, &options, &mut NoCallback).unwrap();
            let mut driver = Driver::new(&model, &device, 8, 13, &data);
            for epoch in 0..2 {
                for samples in epoch_order(data.len(), epoch, shuffle.then_some(13)).chunks(8) {
                    driver.step(samples);
                }
            }
            let [by_fit, by_hand] = [flat(&fitted.weights().unwrap()), driver.weights()].map(|w| bits(&w));
            assert!(by_fit == by_hand, "{name}, shuffle {shuffle}");
        }
    }
}
