//! What the runs train on; samples.py makes the same, and says what it is.

use shadegrad::data::{Dataset, Samples, Shape, TargetKind, Targets};
use shadegrad::model::Network;

use crate::common::Noise;

const SAMPLES: usize = 150;
const DATA_SEED: u64 = 2024;
const SAMPLE_WEIGHT_SEED: u64 = 77;
/// Numbers that `values_of` makes.
const VALUES: usize = 3;

/// Inputs and targets of the kind that the model has, with weights where its name asks for them.
pub fn data(network: &Network) -> Dataset {
    let data = match network.input_shape {
        Shape::Image(shape) => of_images(network, shape),
        Shape::Flat(features) => of_features(features),
    };
    if !network.name.starts_with("weighted") {
        return data;
    }
    let spread = Noise(SAMPLE_WEIGHT_SEED).vector(SAMPLES);
    let weight = |(at, spread): (usize, f64)| if at % 7 == 0 { 0.0 } else { (spread.abs() * 2.0) as f32 };
    data.with_sample_weights(spread.into_iter().enumerate().map(weight).collect()).unwrap()
}

fn of_images(network: &Network, shape: [usize; 3]) -> Dataset {
    let [h, w, c] = shape;
    let images = Noise(DATA_SEED).bytes(SAMPLES * h * w * c);
    let each = || images.chunks(h * w * c);
    let targets = match network.target {
        TargetKind::Classes => {
            let classes = network.classes();
            let label = |image| (brightest(quadrants(image, shape)) % classes) as u8;
            return Dataset::new(images.clone(), each().map(label).collect(), shape, classes).unwrap();
        }
        TargetKind::MultiLabel => {
            let corner = (h / 2 * (w / 2) * c) as u32;
            let bright =
                |image| quadrants(image, shape).map(|sum| if 2 * sum > 255 * corner { 1.0 } else { 0.0f32 });
            Targets::multi_label(each().map(bright), 4)
        }
        TargetKind::Values => {
            let pixels =
                |image: &[u8]| image.iter().map(|&byte| f32::from(byte) / 255.0).collect::<Vec<f32>>();
            Targets::values(each().map(pixels), h * w * c)
        }
    };
    Dataset::from_parts(images.clone(), targets.unwrap(), shape).unwrap()
}

/// The sums of the quadrants of an image, by rows.
fn quadrants(image: &[u8], [h, w, c]: [usize; 3]) -> [u32; 4] {
    let mut sums = [0u32; 4];
    for (at, &byte) in image.iter().enumerate() {
        let (i, j) = (at / (w * c), at / c % w);
        sums[2 * usize::from(i >= h / 2) + usize::from(j >= w / 2)] += u32::from(byte);
    }
    sums
}

/// The first of equals.
fn brightest(sums: [u32; 4]) -> usize {
    (0..4).fold(0, |best, at| if sums[at] > sums[best] { at } else { best })
}

fn of_features(features: usize) -> Dataset {
    let x: Vec<f32> =
        Noise(DATA_SEED).vector(SAMPLES * features).into_iter().map(|value| value as f32).collect();
    let targets = Targets::values(x.chunks(features).map(values_of), VALUES);
    Dataset::from_parts(Samples::from(x), targets.unwrap(), [features]).unwrap()
}

/// In f64 from left to right, rounded at the end.
fn values_of(x: &[f32]) -> [f32; VALUES] {
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|at| f64::from(x[at]));
    [a * b + 0.5 * c, d.abs() - e * e, 2.0 + a - 3.0 * c * d].map(|value| value as f32)
}
