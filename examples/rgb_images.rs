//! Colour images from bytes that a program has already: three kinds of pictures are drawn, learnt, and named.
//!
//!     cargo run --release --example rgb_images                # or `-- software` for another device

use std::error::Error;
use std::path::Path;

use shadegrad::Device;
use shadegrad::data::{Dataset, Targets};
use shadegrad::model::{Activation, Conv2D, Dense, Flatten, MaxPooling2D, Sequential};
use shadegrad::train::{Compile, FitOptions, Model, on_epoch_end};

const SIDE: usize = 16;
const NAMES: [&str; 3] = ["disc", "square", "stripes"];

/// An image of a class: pixel after pixel, row after row, a byte each for red, green and blue. The colours tell nothing: only the form
/// does.
fn draw(class: usize, number: u32) -> Vec<u8> {
    // Spread evenly over 0 to 1, each in another order.
    let spread = |step: f64| (f64::from(number) * step).fract() as f32;
    let (row, column) = (6.0 + 3.0 * spread(0.618_034), 6.0 + 3.0 * spread(0.754_878));
    let size = 4.0 + 2.0 * spread(0.569_840);
    let ink = [0.414_214, 0.732_051, 0.236_068].map(|step| 100 + (155.0 * spread(step)) as u8);
    let inked = |y: f32, x: f32| {
        let (dy, dx) = ((y - row).abs(), (x - column).abs());
        match class {
            0 => dy * dy + dx * dx <= size * size,
            1 => dy <= size && dx <= size,
            _ => dy <= size && dx <= size && (x as u32).is_multiple_of(2),
        }
    };
    let pixel = |at: usize| if inked((at / SIDE) as f32, (at % SIDE) as f32) { ink } else { [20, 20, 30] };
    (0..SIDE * SIDE).flat_map(pixel).collect()
}

/// As many images of each class, and which class each is of.
fn images(numbers: std::ops::Range<u32>) -> Result<Dataset, Box<dyn Error>> {
    let (mut bytes, mut labels) = (Vec::new(), Vec::new());
    for number in numbers {
        for class in 0..NAMES.len() {
            bytes.extend(draw(class, number));
            labels.push(class as u32);
        }
    }
    // Bytes reach the model divided by 255.
    let data = Dataset::from_parts(bytes, Targets::classes(labels, NAMES.len())?, [SIDE, SIDE, 3])?;
    Ok(data.with_class_names(NAMES.map(str::to_owned).to_vec())?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = match std::env::args().nth(1) {
        Some(name) => Device::open(&name.parse()?)?.0,
        None => Device::auto(),
    };
    let (train, test) = (images(0..500)?, images(500..600)?);
    let mut model = Sequential::new([SIDE, SIDE, 3])
        .name("forms")
        .add(Conv2D::new(12, 3).activation(Activation::Relu))
        .add(MaxPooling2D::new(2))
        .add(Flatten::new())
        .add(Dense::new(32).activation(Activation::Relu))
        .add(Dense::new(NAMES.len()).activation(Activation::Softmax))
        .compile(&device, Compile::default())?;
    let mut progress = on_epoch_end(|record| {
        let accuracy = record.accuracy.unwrap_or_default();
        println!("Epoch {} - loss: {:.4} - accuracy: {accuracy:.4}", record.epoch, record.loss);
        Ok(())
    });
    model.fit(&train, &FitOptions { epochs: 10, batch_size: 32, ..FitOptions::default() }, &mut progress)?;
    let accuracy = model.evaluate(&test)?.accuracy.unwrap_or_default();
    println!("Right: {accuracy:.4} of {} images", test.len());

    // The names of the classes are saved with the model.
    let saved = Path::new("runs/forms");
    model.save(saved)?;
    let mut model = Model::open(saved, &device)?;
    let probabilities = model.predict(&draw(0, 1000))?;
    let shown: Vec<_> = model.class_names().iter().zip(&probabilities).collect();
    println!("A disc is taken for {shown:.3?}");

    if accuracy < 0.95 || probabilities[0] < 0.5 {
        return Err("the model has not learnt to tell the forms apart".into());
    }
    Ok(())
}
