//! A trained model in a program: no data set, no training, any device.
//!
//!     cargo run --release -- train --out runs/digits
//!     cargo run --release --example use_model -- runs/digits

use std::error::Error;
use std::path::Path;

use shadegrad::data::Picture;
use shadegrad::train::Model;

/// A picture as any decoder or canvas gives it: `height * width * 4` bytes of red, green, blue and alpha. This one is
/// an upright stroke of a dark pen on light paper, far from the middle.
fn draw() -> Result<Picture, shadegrad::data::DataError> {
    let (height, width) = (300, 200);
    let inked =
        |y: usize, x: usize| (60..260).contains(&y) && (x as f32 - 150.0 + y as f32 * 0.1).abs() < 9.0;
    let pixel =
        |at: usize| if inked(at / width, at % width) { [40, 40, 60, 255] } else { [240, 238, 230, 255] };
    Picture::new(height, width, (0..height * width).flat_map(pixel).collect())
}

/// The most probable class of the drawing and its probability.
pub fn classify(run: &Path) -> Result<(usize, f32), Box<dyn Error>> {
    // The best device there is; `Model::open(run, &Device::cpu())` takes another.
    let mut model = Model::load(run)?;

    // Models are trained on images of bytes, here 28 x 28 x 1. `drawn` makes a drawing look like those of MNIST: grey,
    // bright on black, 20 pixels high, centred. Several images may follow one another.
    let image = draw()?.drawn(model.network().input_shape.image().ok_or("no model of images")?)?;

    // One row of probabilities per image.
    let probabilities = model.predict(&image)?;
    let best = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let class = best.ok_or("the model has no classes")?;
    Ok((class, probabilities[class]))
}

fn main() -> Result<(), Box<dyn Error>> {
    let run = std::env::args_os().nth(1).ok_or("give the folder of a run, such as runs/tutorial-1")?;
    let (class, probability) = classify(run.as_ref())?;
    println!("{class} ({probability:.4})");
    Ok(())
}
