//! Photographs in folders that are called like what they show: a model learns them, is saved, and names others.
//!
//!     cargo run --release --example pictures -- photos/ new.jpg more.jpg
//!
//! Where drivers of Mesa print `error: XDG_RUNTIME_DIR ...` though all is well: `shadegrad::device::mesa_runtime_dir` says what to set.

use std::error::Error;
use std::path::Path;

use shadegrad::Device;
use shadegrad::data::{PictureOptions, load_pictures, read_picture};
use shadegrad::io::ModelFile;
use shadegrad::train::{FitOptions, Model, NoCallback};

/// Trains on a folder of photographs and saves the model; returns how many of those that it has not seen are named rightly.
pub fn learn(photos: &Path, saved: &Path) -> Result<f64, Box<dyn Error>> {
    // A tenth of the pictures validates each epoch, a tenth is for the end.
    let photos = load_pictures(photos, &PictureOptions::default())?;
    if let Some(broken) = photos.warning() {
        eprintln!("warning: {broken}");
    }
    let file = ModelFile::for_pictures(&photos.train)?;
    let mut model = file.model.compile(&Device::auto(), file.compile())?;
    let options = FitOptions { validation: photos.validation, ..file.training };
    model.fit(&photos.train, &options, &mut NoCallback)?;
    model.save(saved)?;
    model.evaluate(&photos.test)?.accuracy.ok_or_else(|| "no classes".into())
}

/// What a picture shows, and how sure the model is.
pub fn name(model: &mut Model, picture: &Path) -> Result<(String, f32), Box<dyn Error>> {
    let shape = model.network().input_shape.image().ok_or("no model of pictures")?;
    let probabilities = model.predict(&read_picture(picture)?.fitted(shape)?)?;
    let best = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let best = best.ok_or("no classes")?;
    Ok((model.class_names()[best].clone(), probabilities[best]))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [photos, pictures @ ..] = &arguments[..] else {
        return Err("give a folder of photographs, and pictures to name".into());
    };
    if pictures.is_empty() {
        return Err("give pictures to name, behind the folder of photographs".into());
    }
    let saved = Path::new("runs/photos");
    let right = learn(photos.as_ref(), saved)?;
    println!("right: {right:.4}");
    // Another program begins here: it needs the folder only. Loaded once, a model names any number of pictures.
    let mut model = Model::load(saved)?;
    for picture in pictures {
        let (class, sure) = name(&mut model, picture.as_ref())?;
        println!("{}: {class} ({sure:.4})", picture.display());
    }
    // No better than naming always the same.
    if right <= 1.0 / model.class_names().len() as f64 {
        return Err("the model has learnt nothing: are there enough pictures, in the right folders?".into());
    }
    Ok(())
}
