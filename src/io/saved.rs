//! A finished run as a model that can be used.

use std::path::Path;

use super::run::{MODEL_FILE, WEIGHTS_FILE, check_run};
use super::{read_weights, weights_from_bytes};
use crate::device::Device;
use crate::error::Error;
use crate::io::ModelFile;
use crate::model::{Network, Weights};
use crate::train::{Compile, Model};

/// The model of a run folder; needs no data set and no device.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedRun {
    /// `model.toml`.
    pub file: ModelFile,
    /// The shapes and names of its layers.
    pub network: Network,
    /// `weights.safetensors`.
    pub weights: Weights,
}

impl SavedRun {
    /// Reads a run folder.
    ///
    /// # Errors
    /// When the folder, its model file or its weights are missing, damaged, or do not belong together.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        check_run(dir)?;
        let file = ModelFile::read(&dir.join(MODEL_FILE))?;
        let network = file.model.network()?;
        let weights = read_weights(&dir.join(WEIGHTS_FILE), &network)?;
        Ok(SavedRun { file, network, weights })
    }

    /// A run from the bytes of its files, for those who have no folder.
    ///
    /// # Errors
    /// When they are damaged, or do not belong together.
    pub fn from_bytes(model_toml: &str, weights: &[u8]) -> Result<Self, Error> {
        let file = ModelFile::parse(MODEL_FILE, model_toml)?;
        let network = file.model.network()?;
        let weights = weights_from_bytes(WEIGHTS_FILE, weights, &network)?;
        Ok(SavedRun { file, network, weights })
    }

    /// The model with these weights, ready on a device.
    ///
    /// # Errors
    /// As [`Sequential::compile`](crate::Sequential::compile).
    pub fn compile(&self, device: &Device) -> Result<Model, Error> {
        let ModelFile { model, loss, optimizer, augmentation, training, class_names, feature_names } =
            &self.file;
        let compile =
            Compile { loss: *loss, optimizer: *optimizer, augmentation: *augmentation, ..Compile::default() };
        let mut compiled = model.compile(device, compile)?;
        compiled.set_weights(self.weights.clone())?;
        compiled.set_class_names(class_names.clone())?;
        compiled.set_feature_names(feature_names.clone())?;
        compiled.fitted = training.clone();
        Ok(compiled)
    }

    /// The name of a class in the model file, else its number.
    pub fn class_name(&self, class: usize) -> String {
        self.file.class_names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }
}

impl Model {
    /// The model of a run folder on the best available device ([`Device::auto`]), with the weights of the end of
    /// training.
    ///
    /// It needs no data set: [`predict`](Self::predict) takes images from anywhere, such as
    /// [`Picture`](crate::data::Picture)s. Training can be continued, with a fresh state of the optimizer.
    ///
    /// ```no_run
    /// use shadegrad::train::Model;
    ///
    /// let mut model = Model::load("runs/tutorial-1".as_ref())?;
    /// let probabilities = model.predict(&[0; 28 * 28])?;
    /// assert_eq!(probabilities.len(), 10);
    /// # Ok::<(), shadegrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the folder, its model file or its weights are missing, damaged, or do not belong together.
    pub fn load(run: &Path) -> Result<Self, Error> {
        Model::open(run, &Device::auto())
    }

    /// [`load`](Self::load) on a device of your choice.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn open(run: &Path, device: &Device) -> Result<Self, Error> {
        SavedRun::read(run)?.compile(device)
    }
}
