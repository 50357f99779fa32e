//! The flags of `shadegrad train`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::{DataSource, FuseArg, ModelSource, ProcessArgs, count, of_out};
use super::device_args::DevicesArg;
use super::init::{InitArgs, TrainableArg};
use super::judging::ReportArgs;
use super::layout::LayoutArgs;
use super::output::note;
use super::training::TrainingArgs;
use super::tune::TuneArg;
use crate::data::{LoadOptions, PictureFolder};
use crate::io::ModelFile;
use crate::io::checkpoint::{self, RunSettings};
use crate::io::run::RunFolder;
use crate::profile::Sampling;
use crate::train::{Checkpoints, FitOptions};

/// The folder of runs without `--out`.
pub const RUNS: &str = "runs";

/// Batches that `--profile` measures step by step in a short run. In a long one it measures one in LONGEST_PERIOD, so
/// that the others run as they would without it.
const PROFILED_BATCHES: usize = 50;
const SHORTEST_PERIOD: usize = 2;
const LONGEST_PERIOD: usize = 100;

/// Flags that a resumed run cannot have: they were set when it began.
const RESUMED: [&str; 31] = [
    "model",
    "transpose",
    "first_label",
    "target",
    "coarse_labels",
    "split_seed",
    "size",
    "channels",
    "init",
    "no_fuse",
    "tune",
    "force",
    "batch_size",
    "micro_batches",
    "seed",
    "optimizer",
    "learning_rate",
    "schedule",
    "no_shuffle",
    "limit",
    "validation_split",
    "stratify",
    "until_loss",
    "until_accuracy",
    "early_stopping",
    "reduce_lr_on_plateau",
    "no_checkpoints",
    "map",
    "fresh",
    "ignore",
    "trainable",
];

/// Train a model, evaluate it on the test set, and write a run folder
///
/// Without arguments it trains the convolutional network of the Keras tutorial on MNIST, with RMSprop, batches of 64
/// and 5 epochs. The run folder gets model.toml, weights.safetensors, steps.jsonl, history.jsonl, history.csv and
/// result.json, and a checkpoint after each epoch, from which `train --resume --out DIR` continues. Ctrl-C stops after
/// the steps in progress, with a checkpoint; a second Ctrl-C stops at once.
#[derive(Debug, clap::Args)]
pub struct TrainArgs {
    /// The model: the embedded `tutorial` or a model file; by default the tutorial, or for pictures a larger model
    /// made for them
    #[arg(long, value_name = "tutorial|FILE.toml")]
    pub(super) model: Option<ModelSource>,
    /// The data set: the embedded `mnist`, which is the default; a folder with a sub-folder of pictures for each
    /// class, or with IDX, CIFAR or NumPy files or tables; or a table (docs/data.md). With --resume, where the data is
    /// now if it has moved
    #[arg(long, value_name = "mnist|DIR|FILE.csv")]
    pub(super) data: Option<DataSource>,
    #[command(flatten)]
    pub(super) layout: LayoutArgs,
    #[command(flatten)]
    pub(super) training: TrainingArgs,
    /// Evaluate this set after each epoch, instead of a part of the training set: a folder with the files of a test
    /// set or, if it has none, of a training set; or a table
    #[arg(long, value_name = "DIR|FILE.csv", conflicts_with_all = ["validation_split", "stratify"])]
    pub(super) validation_data: Option<PathBuf>,
    #[command(flatten)]
    pub(super) init: InitArgs,
    #[command(flatten)]
    pub(super) trainable: TrainableArg,
    #[command(flatten)]
    pub(super) device: DevicesArg,
    /// Let devices of several kinds train together: only the first one updates the weights, and sends them to the
    /// others. Results then depend on which device computes which micro-batches
    #[arg(long)]
    pub(super) mixed_devices: bool,
    #[command(flatten)]
    pub(super) fuse: FuseArg,
    #[command(flatten)]
    pub(super) tune: TuneArg,
    /// The run folder; by default runs/MODEL-N, with the next free N
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Resume the run in --out from its last checkpoint
    ///
    /// Of the settings that affect the result, only --epochs and --max-steps can change, to larger values, and
    /// --device and --allow-nan. If the data has moved, give its new place with --data and --validation-data.
    #[arg(long, requires = "out", conflicts_with_all = RESUMED)]
    pub(super) resume: bool,
    /// Resume even if the images or labels are not those that the run began with; an epoch must have as many steps as
    /// before
    #[arg(long, requires = "resume")]
    pub(super) accept_other_data: bool,
    /// Print only the results: no progress, nothing about the model
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Like --quiet, but print a line of JSON after each epoch, and at the end one with the run folder and the content
    /// of result.json
    #[arg(long, conflicts_with_all = ["report", "top_k", "profile"])]
    pub(super) json: bool,
    /// Show a live view in the terminal instead of lines of progress
    ///
    /// It shows curves, learning rate, speed, the last mistakes and, with --profile, the times of kernels. Keys stop
    /// training, save a checkpoint, and halve or double the learning rate.
    #[arg(long, conflicts_with_all = ["quiet", "json"])]
    pub(super) tui: bool,
    /// Also write a checkpoint after every N steps, not only after each epoch
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) checkpoint_steps: Option<usize>,
    /// Keep the last N checkpoints, that of the best epoch, and those that a key of --tui saved
    #[arg(long, value_name = "N", default_value_t = TrainArgs::KEEP_CHECKPOINTS, value_parser = count, allow_negative_numbers = true)]
    pub(super) keep_checkpoints: usize,
    /// Write no checkpoints: a run that is interrupted cannot be resumed then
    #[arg(long, conflicts_with_all = ["checkpoint_steps", "resume"])]
    pub(super) no_checkpoints: bool,
    /// Replace the files of an earlier run in --out and its metrics in --tensorboard; other files stay
    #[arg(long, requires = "out")]
    pub(super) force: bool,
    /// Keep the data set in the host's memory and stream it to the adapter, which otherwise happens only if it does
    /// not fit there. Results are the same
    #[arg(long)]
    pub(super) stream: bool,
    #[command(flatten)]
    pub(super) report: ReportArgs,
    /// Also write the metrics for TensorBoard, into a folder in DIR that is named after the run
    #[arg(long, value_name = "DIR")]
    pub(super) tensorboard: Option<PathBuf>,
    /// Time the steps of the plan on some batches during training, and print the times as `bench` does; with several
    /// micro-batches, time the parts of each training step instead. Results are the same
    #[arg(long)]
    pub(super) profile: bool,
    /// Flags of the program.
    #[arg(skip)]
    pub(super) process: ProcessArgs,
}

impl TrainArgs {
    pub(super) const KEEP_CHECKPOINTS: usize = checkpoint::KEEP;

    /// The data set of a new run.
    pub(super) fn data(&self) -> DataSource {
        self.data.clone().unwrap_or(DataSource::Mnist)
    }

    pub(super) fn quiet(&self) -> bool {
        self.quiet || self.json
    }

    /// The folder of the run to resume, if one is.
    pub(super) fn resumed(&self) -> anyhow::Result<Option<RunFolder>> {
        if !self.resume {
            return Ok(None);
        }
        let dir = self.out.as_deref().context("--resume needs the folder of a run: --out DIR")?;
        Ok(Some(RunFolder::resume(dir)?))
    }

    pub(super) fn folder(&self, model: &str) -> anyhow::Result<RunFolder> {
        Ok(match &self.out {
            Some(dir) => RunFolder::at(dir, self.force).map_err(of_out)?,
            None => RunFolder::next(Path::new(RUNS), model).map_err(of_out)?,
        })
    }

    /// Makes a model file and the options of the data those of a run on pictures, which are split by their folders or by a seed
    /// of their own.
    pub(super) fn fit_to_pictures(
        &self,
        folder: &PictureFolder,
        file: &mut ModelFile,
        layout: &mut LoadOptions,
    ) -> anyhow::Result<()> {
        if self.validation_data.is_some() || self.training.splits() {
            bail!(
                "--validation-data, --validation-split and --stratify are not for pictures: their validation set is a \
                 folder val/ beside train/, or is split off by --split-seed; leave these flags out"
            );
        }
        if file.training.validation_split.take().is_some() {
            note(
                "note: `validation_split` of the model file is not used: pictures are split by their folders or by --split-seed",
            );
        }
        file.training.stratify = false;
        if self.model.is_none() && !self.training.schedules() {
            file.fit_cycle(self.training.limit.unwrap_or(usize::MAX).min(folder.train_len()));
        }
        if file.class_names.is_empty() && file.model.network()?.classes() == folder.class_names().len() {
            file.class_names = folder.class_names().to_vec();
        }
        let [height, width, channels] = folder.shape();
        (layout.size, layout.channels) = (Some([height, width]), Some(channels));
        Ok(())
    }

    /// Which batches of a run are measured step by step.
    pub(super) fn sampling(&self, options: &FitOptions, samples: usize) -> Option<Sampling> {
        let steps = options.epochs.saturating_mul(samples.div_ceil(options.batch_size.max(1)));
        let steps = steps.min(options.max_steps.unwrap_or(usize::MAX));
        let period = (steps / PROFILED_BATCHES).clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
        self.profile.then_some(Sampling::Every(period))
    }

    pub(super) fn checkpoints(&self, settings: &RunSettings) -> Checkpoints {
        match (self.no_checkpoints, settings.checkpoint_steps) {
            (true, _) => Checkpoints::Never,
            (false, Some(steps)) => Checkpoints::Steps(steps),
            (false, None) => Checkpoints::Epochs,
        }
    }
}
