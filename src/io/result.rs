//! The result of a run: `result.json`.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::run::{FORMAT, RESULT_FILE, RunError};
use crate::data::{DataDigests, LoadOptions, sha256};
use crate::files;
use crate::io::ModelFile;
use crate::io::checkpoint::RunSettings;
#[cfg(doc)]
use crate::train::Judgement;
use crate::train::{Evaluation, History, Stopped};

/// The result of a run, and what is needed beside `model.toml` to repeat it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Why and when training ended; `None` in a run from before this was recorded.
    #[serde(default)]
    pub stopped: Option<Stopped>,
    /// Mean loss over the test set; `None` where it is not finite.
    pub test_loss: Option<f64>,
    /// Share of the test set that was classified correctly; `None` where targets are no classes.
    #[serde(default)]
    pub test_accuracy: Option<f64>,
    /// The accuracy of always naming the class that has the most samples in the test set; `None` where targets are no classes, and in a
    /// run from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_accuracy: Option<f64>,
    /// Where targets are no classes, the metrics on the test set by name ([`Judgement::figures`]).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub test_metrics: BTreeMap<String, f64>,
    /// Epochs started.
    pub epochs: usize,
    /// Optimizer steps taken.
    pub steps: usize,
    /// Training time in seconds, without evaluation.
    pub seconds: f64,
    /// From the first line of `main` to the end of the first training step, as the host sees it: when its loss has
    /// arrived. What the system needs to load the program is not counted. `None` in a run from before this was
    /// measured.
    #[serde(default)]
    pub seconds_to_first_step: Option<f64>,
    /// The time to evaluate the test set in seconds, its upload to the device included. `None` as above.
    #[serde(default)]
    pub test_seconds: Option<f64>,
    /// Checkpoints written by the process that finished the run. `None` as above.
    #[serde(default)]
    pub checkpoints_written: Option<usize>,
    /// The time it took to make and write them, in seconds; not part of `seconds`. `None` as above.
    #[serde(default)]
    pub checkpoint_seconds: Option<f64>,
    /// Name and driver.
    pub device: String,
    /// Of `weights.safetensors`, in hexadecimal.
    pub weights_sha256: String,
    /// What wrote this.
    pub versions: Versions,
    /// The seed of initial weights and shuffles.
    pub seed: u64,
    /// Samples per batch.
    pub batch_size: usize,
    /// Whether samples were shuffled.
    pub shuffle: bool,
    /// The bound on the number of steps, if one was given.
    pub max_steps: Option<usize>,
    /// The file with the initial weights, if one was given.
    pub init: Option<String>,
    /// `mnist` or a folder.
    pub data: String,
    /// The folder of the validation set, if one was given.
    #[serde(default)]
    pub validation_data: Option<String>,
    /// The bound on the number of training images, if one was given.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Samples that were trained on.
    pub train_samples: usize,
    /// Samples that were evaluated after each epoch; 0 without validation.
    #[serde(default)]
    pub validation_samples: usize,
    /// Samples of the test set.
    pub test_samples: usize,
    /// The kernel variant that ran each step of the plan; `twin` on the CPU executor.
    pub kernels: BTreeMap<String, String>,
    /// Whether measuring chose these variants; otherwise the device's class did.
    #[serde(default)]
    pub tuned: bool,
    /// Whether images were read with rows and columns swapped, where that was set ([`crate::data::LoadOptions`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transpose: Option<bool>,
    /// The label of the first class, where that was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_label: Option<u8>,
    /// The digests of the data; `None` in a run from before they were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_digests: Option<DataDigests>,
    /// Samples of the largest batch where fewer samples were trained on than `batch_size`; the test set was evaluated
    /// in such batches, too. `None` otherwise, and in a run from before batches were limited in this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<usize>,
    /// The columns of a CSV file that are targets, where that was set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<String>,
    /// Whether the classes of CIFAR-100 are its coarse labels.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub coarse_labels: bool,
    /// What a data set without a test set is split by.
    #[serde(default, skip_serializing_if = "crate::numbers::is_zero")]
    pub split_seed: u32,
    /// Height and width of images that were made of pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// Their channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
}

impl RunResult {
    /// The result of a training that has ended, and of its evaluation; `samples` are those of the training, the validation and the test
    /// set, `weights` the bytes of its `weights.safetensors`. What only its surroundings know, metrics of other targets and times
    /// outside training, is not in it.
    pub fn new(
        file: &ModelFile,
        settings: &RunSettings,
        seed: u64,
        samples: [usize; 3],
        history: &History,
        evaluation: &Evaluation,
        weights: &[u8],
    ) -> Self {
        let training = &file.training;
        let [train_samples, validation_samples, test_samples] = samples;
        RunResult {
            stopped: history.stopped.clone(),
            test_loss: evaluation.loss.is_finite().then_some(evaluation.loss),
            test_accuracy: evaluation.accuracy,
            baseline_accuracy: None,
            test_metrics: BTreeMap::new(),
            epochs: history.epochs.len(),
            steps: history.steps,
            seconds: history.epochs.iter().map(|epoch| epoch.seconds).sum(),
            checkpoints_written: Some(history.checkpoints),
            checkpoint_seconds: Some(history.checkpoint_seconds),
            seconds_to_first_step: None,
            test_seconds: None,
            device: settings.device.clone(),
            weights_sha256: sha256(weights),
            versions: Versions::current(),
            seed,
            batch_size: training.batch_size,
            shuffle: training.shuffle,
            max_steps: training.max_steps,
            init: settings.init.clone(),
            data: settings.data.clone(),
            validation_data: settings.validation_data.clone(),
            limit: settings.limit,
            train_samples,
            validation_samples,
            test_samples,
            kernels: settings.kernels.clone(),
            tuned: settings.tuned,
            data_digests: settings.data_digests.clone(),
            transpose: settings.transpose,
            first_label: settings.first_label,
            size: settings.size,
            channels: settings.channels,
            capacity: settings.capacity,
            target: settings.target.clone(),
            coarse_labels: settings.coarse_labels,
            split_seed: settings.split_seed,
        }
    }

    /// How the run read the files of its data set.
    pub fn load_options(&self) -> LoadOptions {
        LoadOptions {
            transpose: self.transpose,
            first_label: self.first_label,
            target: self.target.clone(),
            coarse_labels: self.coarse_labels,
            split_seed: self.split_seed,
            size: self.size,
            channels: self.channels,
        }
    }

    /// Samples of the largest batch that ran.
    pub fn largest_batch(&self) -> usize {
        self.capacity.unwrap_or(self.batch_size)
    }
}

/// The versions of what wrote a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Of this crate.
    pub shadegrad: String,
    /// Of the layout of a run's files.
    pub format: u32,
}

impl Versions {
    /// Those of this build.
    pub fn current() -> Self {
        Versions { shadegrad: env!("CARGO_PKG_VERSION").to_owned(), format: FORMAT }
    }
}

/// The result of a run; `None` when the folder has none.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read_result(dir: &Path) -> Result<Option<RunResult>, RunError> {
    let path = dir.join(RESULT_FILE);
    let fail = |problem: String| RunError::Result { path: path.display().to_string(), problem };
    match files::read(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(fail(cause.to_string())),
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| fail(error.to_string())),
    }
}
