//! The layout of checkpoints: folders, files, and what they hold beside tensors.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::{DataDigests, LoadOptions};
use crate::train::{Checkpoint, EpochRecord, Stopped, TrainingState};

/// The folder of a run's checkpoints.
pub const CHECKPOINTS: &str = "checkpoints";
pub(super) const STATE_FILE: &str = "state.toml";
pub(super) const BEST_FILE: &str = "best.safetensors";
pub(super) const OPTIMIZER_FILE: &str = "optimizer.safetensors";
pub(super) const MANIFEST_FILE: &str = "manifest.toml";
/// The one tensor of the optimizer's file.
pub(super) const OPTIMIZER_TENSOR: &str = "optimizer_state";
/// What the name of a checkpoint begins with; its step follows.
pub(super) const PREFIX: &str = "step-";
/// What the name of a checkpoint that is being replaced ends with.
pub(super) const REPLACED: &str = ".replaced";
/// Version of the layout.
pub(super) const FORMAT: u32 = 1;

/// The settings of a run beside its model file, and what it runs on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// `mnist` or a folder.
    pub data: String,
    /// The folder of the validation set, if one was given.
    pub validation_data: Option<String>,
    /// The file with the initial weights, if one was given.
    pub init: Option<String>,
    /// Most training samples, if that was limited.
    pub limit: Option<usize>,
    /// The seed of initial weights, shuffles and draws. Text, because TOML's integers end at 2^63.
    pub seed: String,
    /// Whether an adapter runs each step of the plan by itself.
    pub no_fuse: bool,
    /// Whether the kernels were chosen by measuring.
    pub tuned: bool,
    /// Whether training continues where a loss or a gradient is not finite.
    #[serde(default)]
    pub allow_nan: bool,
    /// Name and driver of the device.
    pub device: String,
    /// Steps between checkpoints within an epoch, if any.
    pub checkpoint_steps: Option<usize>,
    /// The kernel variant that runs each step of the plan.
    pub kernels: BTreeMap<String, String>,
    /// Whether images were read with rows and columns swapped, where that was set ([`crate::data::LoadOptions`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transpose: Option<bool>,
    /// The label of the first class, where that was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_label: Option<u8>,
    /// Samples of the largest batch where fewer samples are trained on than the model file's `batch_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<usize>,
    /// The folder of its TensorBoard events, if it has written any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensorboard: Option<String>,
    /// The digests of the data; `None` in a run from before they were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_digests: Option<DataDigests>,
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

impl RunSettings {
    /// Whether they are those of a run of `shadegrad train`, and not of a program of one's own, which alone knows its data.
    pub fn is_of_the_program(&self) -> bool {
        !self.data.is_empty()
    }

    /// How the run reads the files of its data set.
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
}

/// `state.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointState {
    pub(super) format: u32,
    /// The settings of the run.
    pub settings: RunSettings,
    pub(super) stopped: Option<Stopped>,
    pub(super) training: TrainingState,
    #[serde(default)]
    pub(super) epochs: Vec<EpochRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) format: u32,
    /// Whether somebody asked for the checkpoint, so that it stays. It stands here because this file is short, whatever the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) asked_for: bool,
    pub(super) sha256: BTreeMap<String, String>,
}

/// The name of the checkpoint after this many steps.
pub(super) fn name(steps: usize) -> String {
    format!("{PREFIX}{steps:08}")
}

/// The steps in the name of a checkpoint; `None` where the name is not one of a checkpoint.
pub(super) fn steps_of(name: &str) -> Option<usize> {
    let digits = name.strip_prefix(PREFIX)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Where a run keeps the checkpoint after this many steps.
pub fn path(run: &Path, steps: usize) -> PathBuf {
    run.join(CHECKPOINTS).join(name(steps))
}

/// Syncs the names in a folder to the disk, where the system supports it.
pub(in crate::io) fn sync_folder(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// The names of the checkpoints in a folder, the latest step first.
pub(super) fn names(parent: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(parent)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut whole = names.collect::<io::Result<Vec<_>>>()?;
    whole.retain(|name| steps_of(name).is_some());
    whole.sort_by_key(|name| std::cmp::Reverse(steps_of(name)));
    Ok(whole)
}

pub(super) fn best_epoch(epochs: &[EpochRecord]) -> Option<usize> {
    let figure = |record: &EpochRecord| record.val_loss.unwrap_or(record.loss);
    epochs.iter().min_by(|a, b| figure(a).total_cmp(&figure(b))).map(|record| record.epoch)
}

/// The run's steps at the end of an epoch: all epochs have the same number.
pub(super) fn steps_after(checkpoint: &Checkpoint, epoch: usize) -> Option<usize> {
    checkpoint.training.run.step.checked_div(checkpoint.training.run.epoch)?.checked_mul(epoch)
}
