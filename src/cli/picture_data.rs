//! Folders of pictures as data: where decoded pictures are kept, what is printed meanwhile, and the model where none is given.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use etcetera::BaseStrategy;

use super::output::{note, remark};
use super::progress::counter;
use crate::data::{Dataset, LoadOptions, PictureFolder, PictureOptions, PictureSets, Shape};
use crate::io::ModelFile;
use crate::model::{bytes, thousands};

/// Names the folder in which decoded pictures are kept; set to nothing they are kept nowhere.
const CACHE: &str = "SHADEGRAD_CACHE_DIR";
/// Their place in the user's cache folder.
const FOLDER: &str = "shadegrad/pictures";
/// A file there of more bytes is told of.
const LARGE: u64 = 100 << 20;

/// Looks at a folder of pictures, and prints what is unusual about it.
pub fn find(dir: &Path, options: &LoadOptions) -> anyhow::Result<PictureFolder> {
    let options = PictureOptions { cache: cache_dir(), ..options.into() };
    let folder = PictureFolder::find(dir, &options)?;
    for said in folder.notes() {
        note(format_args!("note: {said}"));
    }
    Ok(folder)
}

/// What is said of pictures that are read.
pub struct Told {
    shape: [usize; 3],
    classes: usize,
    split: String,
}

impl Told {
    pub fn of(folder: &PictureFolder) -> Self {
        let (shape, classes) = (folder.shape(), folder.class_names().len());
        Told { shape, classes, split: folder.split().to_owned() }
    }

    /// How many there are, what is made of them, and how they are split.
    pub fn text(&self, sets: &PictureSets) -> String {
        self.ending(sets.len(), &self.split)
    }

    /// The same where all are one set, or only the test set is used.
    pub fn text_of_one(&self, one: &Dataset, is_test: bool) -> String {
        self.ending(one.len(), if is_test { "the test set, as its folder says" } else { "all of them" })
    }

    fn ending(&self, count: usize, how: &str) -> String {
        let [h, w, c] = self.shape;
        let colours = if c == 1 { "grey" } else { "coloured" };
        let (count, classes) = (thousands(count), self.classes);
        format!("Pictures: {count} of {classes} classes as {colours} images of {h}x{w}; {how}")
    }
}

/// Decodes the pictures, or takes them from the cache, and prints how many there are and how they are split.
pub fn load(folder: PictureFolder) -> anyhow::Result<PictureSets> {
    let told = Told::of(&folder);
    let sets = decode(folder)?;
    remark(told.text(&sets));
    warn(&sets);
    Ok(sets)
}

/// [`load`] without a word about the sets and about what is left out.
pub fn decode(folder: PictureFolder) -> anyhow::Result<PictureSets> {
    let bar = (!folder.is_cached()).then(|| counter(folder.len(), "decoding pictures"));
    let cache = folder.cache_file().filter(|_| bar.is_some());
    let sets = folder.load(&|done, _| bar.iter().for_each(|bar| bar.set_position(done as u64)));
    bar.iter().for_each(indicatif::ProgressBar::finish_and_clear);
    let sets = sets?;
    if let Some(file) = cache
        && let Ok(found) = fs::metadata(&file)
        && let Some(said) = kept(&file, found.len())
    {
        remark(said);
    }
    Ok(sets)
}

/// Warns of pictures that are left out.
pub fn warn(sets: &PictureSets) {
    if let Some(warning) = sets.warning() {
        note(format_args!("warning: {warning}; `shadegrad data DIR` lists all"));
    }
}

/// Where decoded pictures are kept, if they take much room.
fn kept(file: &Path, length: u64) -> Option<String> {
    (length > LARGE).then(|| {
        format!(
            "note: the decoded pictures are kept for the next time in `{}`, {}; the file may be removed, and {CACHE} names another \
             folder for such files, or none where it is empty",
            file.display(),
            bytes(length as usize)
        )
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_cache_is_told_of() {
        let file = Path::new("cache/1.pictures");
        assert_eq!(kept(file, LARGE), None);
        let said = kept(file, 312 << 20).unwrap();
        assert!(said.contains("`cache/1.pictures`, 312.00 MB; ") && said.contains(CACHE), "{said}");
    }
}
