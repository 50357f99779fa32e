//! Photographs in folders that are called like what they show: a model learns them, is saved, and names one more.
//!
//!     cargo run --release --example pictures -- photos/ new.jpg

use std::error::Error;
use std::path::Path;

use shadegrad::Device;
use shadegrad::data::{PictureOptions, load_pictures, read_picture};
use shadegrad::io::ModelFile;
use shadegrad::train::{FitOptions, Model, NoCallback};

/// Trains on a folder of photographs and saves the model.
pub fn learn(photos: &Path, saved: &Path) -> Result<f64, Box<dyn Error>> {
    // A tenth of the pictures validates each epoch, a tenth is for the end.
    let photos = load_pictures(photos, &PictureOptions::default())?;
    let file = ModelFile::for_pictures(&photos.train)?;
    let mut model = file.model.compile(&Device::auto(), file.compile())?;
    let options = FitOptions { validation: photos.validation, ..file.training };
    model.fit(&photos.train, &options, &mut NoCallback)?;
    model.save(saved)?;
    model.evaluate(&photos.test)?.accuracy.ok_or_else(|| "no classes".into())
}

/// What a picture shows.
pub fn name(saved: &Path, picture: &Path) -> Result<String, Box<dyn Error>> {
    let mut model = Model::load(saved)?;
    let shape = model.network().input_shape.image().ok_or("no model of pictures")?;
    let probabilities = model.predict(&read_picture(picture)?.fitted(shape)?)?;
    let best = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    Ok(model.class_names()[best.ok_or("no classes")?].clone())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [photos, picture] = &arguments[..] else {
        return Err("give a folder of photographs and a picture".into());
    };
    let saved = Path::new("runs/photos");
    let right = learn(photos.as_ref(), saved)?;
    println!("right: {right:.4}");
    println!("{}", name(saved, picture.as_ref())?);
    // No better than naming always the same.
    if right <= 1.0 / Model::load(saved)?.class_names().len() as f64 {
        return Err("the model has learnt nothing: are there enough pictures, in the right folders?".into());
    }
    Ok(())
}
