//! Saving a model into a folder that [`Model::load`] reads.

use std::fs::{self, FileType};
use std::path::Path;

use super::run::{MODEL_FILE, RunError, WEIGHTS_FILE, is_leftover, weights_metadata, write_own};
use super::weights::has_metadata;
use super::weights_to_bytes;
use crate::error::Error;
use crate::io::ModelFile;
use crate::model::thousands;
use crate::train::Model;

/// The files of a folder that [`Model::save`] wrote.
const SAVED: [&str; 2] = [WEIGHTS_FILE, MODEL_FILE];

impl Model {
    /// The model as a model file: layers, loss, optimizer, augmentation, names of classes, and how it was trained
    /// last (the defaults before that).
    pub fn file(&self) -> ModelFile {
        ModelFile {
            model: self.sequential.clone(),
            loss: self.compile.loss,
            optimizer: self.compile.optimizer,
            augmentation: self.compile.augmentation,
            training: self.fitted.clone(),
            class_names: self.class_names.clone(),
            feature_names: self.feature_names.clone(),
        }
    }

    /// Saves the model: [`load`](Self::load) of the same folder gives it back, with the same weights to the bit. The
    /// program reads such a folder as well: `shadegrad predict DIR`, `evaluate DIR --data ...`, `export DIR`.
    ///
    /// The folder, created if it is missing, gets `model.toml` (layers, loss, optimizer, names of classes, options of
    /// the last training) and `weights.safetensors` (names and layouts of Keras). A model that was saved there before
    /// is replaced. The state of the optimizer is not saved: to resume training with the same bits, use a
    /// [`Backup`](crate::io::Backup).
    ///
    /// ```no_run
    /// # let mut model = shadegrad::train::Model::load("runs/tutorial-1".as_ref())?;
    /// model.save("digits".as_ref())?;
    /// let again = shadegrad::train::Model::load("digits".as_ref())?;
    /// # Ok::<(), shadegrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`RunError::NotASavedModel`] when the folder holds anything else, such as the files of a run, a model file of your own,
    ///   or symbolic links; it stays as it was.
    /// - [`ModelError`](crate::model::ModelError) when the model's name cannot stand in a model file.
    /// - [`RunError::Write`] when a file cannot be written, and the device's when it does not answer.
    pub fn save(&mut self, dir: &Path) -> Result<(), Error> {
        let file = self.file();
        let text = file.to_toml()?;
        // A name given by the user may hold what a model file refuses.
        ModelFile::parse(MODEL_FILE, &text)?;
        let weights = weights_to_bytes(&self.weights()?, &weights_metadata(&file.model.name))?;
        claim(dir)?;
        for (name, bytes) in SAVED.into_iter().zip([weights.as_slice(), text.as_bytes()]) {
            let path = dir.join(name);
            write_own(&path, bytes).map_err(|cause| RunError::write(&path, cause))?;
        }
        Ok(())
    }
}

/// Creates the folder, or checks that it holds only a saved model.
fn claim(dir: &Path) -> Result<(), RunError> {
    fs::create_dir_all(dir).map_err(|cause| RunError::write(dir, cause))?;
    let ours = saved_files(dir);
    match others(dir, |kind, name| kind.is_file() && ours.contains(&name))? {
        None => Ok(()),
        Some(found) => Err(RunError::NotASavedModel { dir: dir.display().to_string(), found }),
    }
}

/// The first thing in a folder that is not ours, in words, and how many more there are. Files that a killed process left are ours.
pub(super) fn others(
    dir: &Path,
    is_ours: impl Fn(FileType, &str) -> bool,
) -> Result<Option<String>, RunError> {
    let fail = |cause| RunError::write(dir, cause);
    let mut others = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(fail)?;
        if !(is_ours(kind, &name) || kind.is_file() && is_leftover(&name)) {
            others.push(name);
        }
    }
    others.sort();
    Ok(others.split_first().map(|(first, more)| match more.len() {
        0 => format!("`{first}`"),
        more => format!("`{first}` and {} more", thousands(more)),
    }))
}

/// The files in a folder that [`Model::save`] wrote: weights of this crate, and the model beside them. A killed
/// process may leave the weights alone.
fn saved_files(dir: &Path) -> &'static [&'static str] {
    let has_weights = has_metadata(&dir.join(WEIGHTS_FILE));
    let has_model = || ModelFile::read(&dir.join(MODEL_FILE)).is_ok();
    match has_weights {
        true if has_model() => &SAVED,
        true => &SAVED[..1],
        false => &[],
    }
}
