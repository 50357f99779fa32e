//! Folders of pictures as data: where decoded pictures are kept, what is printed meanwhile, and the model where none is given.

use std::path::{Path, PathBuf};

use anyhow::bail;
use etcetera::BaseStrategy;

use super::output::note;
use super::progress::counter;
use crate::data::{LoadOptions, PictureFolder, PictureOptions, PictureSets, Shape};
use crate::io::ModelFile;
use crate::model::thousands;

/// Names the folder in which decoded pictures are kept; set to nothing they are kept nowhere.
const CACHE: &str = "SHADEGRAD_CACHE_DIR";
/// Their place in the user's cache folder.
const FOLDER: &str = "shadegrad/pictures";

/// Looks at a folder of pictures, and prints what is unusual about it.
pub fn find(dir: &Path, options: &LoadOptions) -> anyhow::Result<PictureFolder> {
    let options = PictureOptions { cache: cache_dir(), ..options.into() };
    let folder = PictureFolder::find(dir, &options)?;
    for said in folder.notes() {
        note(format_args!("note: {said}"));
    }
    Ok(folder)
}

/// Decodes the pictures, or takes them from the cache.
pub fn load(folder: PictureFolder) -> anyhow::Result<PictureSets> {
    let [h, w, c] = folder.shape();
    let colours = if c == 1 { "grey" } else { "coloured" };
    note(format_args!(
        "Pictures: {} of {} classes as {colours} images of {h}x{w}; {}",
        thousands(folder.len()),
        folder.class_names().len(),
        folder.split()
    ));
    load_silently(folder)
}

/// [`load`], of which the sets are not told, because another reading told them or takes them for one.
pub fn load_silently(folder: PictureFolder) -> anyhow::Result<PictureSets> {
    let bar = (!folder.is_cached()).then(|| counter(folder.len(), "decoding pictures"));
    let sets = folder.load(&|done, _| bar.iter().for_each(|bar| bar.set_position(done as u64)));
    bar.iter().for_each(indicatif::ProgressBar::finish_and_clear);
    let sets = sets?;
    if let Some(warning) = sets.warning() {
        note(format_args!("warning: {warning}; `shadegrad data DIR` lists all"));
    }
    Ok(sets)
}

fn cache_dir() -> Option<PathBuf> {
    match std::env::var_os(CACHE) {
        Some(dir) if dir.is_empty() => None,
        Some(dir) => Some(dir.into()),
        None => Some(etcetera::choose_base_strategy().ok()?.cache_dir().join(FOLDER)),
    }
}

/// The model for pictures where none is given.
pub fn model(folder: &PictureFolder) -> anyhow::Result<ModelFile> {
    let names = folder.class_names();
    Ok(ModelFile::pictures_of(folder.shape(), names.len(), names, folder.train_len())?)
}

/// Refuses a model that is for other images or classes than these.
pub fn check_model(file: &ModelFile, folder: &PictureFolder) -> anyhow::Result<()> {
    let (network, shape, classes) = (file.model.network()?, folder.shape(), folder.class_names().len());
    let [h, w, c] = shape;
    let mut lines = Vec::new();
    if network.input_shape != Shape::Image(shape) {
        lines.push(format!("input_shape = [{h}, {w}, {c}]"));
    }
    let binary = network.is_binary() && classes == 2;
    if network.outputs() != classes && !binary {
        lines.push(format!("units = {classes}` in the last layer instead of `units = {}", network.outputs()));
    }
    if lines.is_empty() {
        return Ok(());
    }
    let flags = match network.input_shape {
        Shape::Image([h, w, c @ (1 | 3)]) if network.input_shape != Shape::Image(shape) => {
            format!("; or scale the pictures to {h}x{w}: --size {h}x{w} --channels {c}")
        }
        _ => String::new(),
    };
    bail!(
        "model `{}` is for inputs of {} and {} classes, but the pictures become images of [{h}, {w}, {c}] of {classes} classes; \
         change the model file to `{}`{flags}",
        file.model.name,
        network.input_shape,
        network.classes(),
        lines.join("` and `")
    )
}
