//! `shadegrad train`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, anyhow};

use super::args::{DataSource, DeviceArg, FuseArg, ModelSource, count, of_out};
use super::interrupt;
use super::job::{Job, Sets};
use super::judging::ReportArgs;
use super::layout::LayoutArgs;
use super::output::Output;
use super::recorder::{not_begun, unfinished};
use super::run::Run;
use super::training::TrainingArgs;
use super::tune::TuneArg;
use crate::data::Dataset;
use crate::device::Device;
use crate::executor::check_data;
use crate::io::checkpoint::RunSettings;
use crate::io::read_weights;
use crate::io::run::RunFolder;
use crate::model::{bytes, thousands};
use crate::plan::Plan;
use crate::profile::Sampling;
use crate::train::{Checkpoints, Compile, FitOptions, StopReason};

/// The folder of runs without `--out`.
pub const RUNS: &str = "runs";
/// Batches that `--profile` measures step by step in a short run. In a long one it measures one in LONGEST_PERIOD, so
/// that the others run as they would without it.
const PROFILED_BATCHES: usize = 50;
const SHORTEST_PERIOD: usize = 2;
const LONGEST_PERIOD: usize = 100;

/// Flags that a resumed run cannot have: they were set when it began.
const RESUMED: [&str; 21] = [
    "model",
    "transpose",
    "first_label",
    "init",
    "no_fuse",
    "tune",
    "force",
    "batch_size",
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
];

/// Train a model, evaluate it on the test set, and write a run folder
///
/// Without arguments this is the Keras tutorial: its convolutional network on MNIST, RMSprop, batches of 64, 5
/// epochs. The run folder gets model.toml, weights.safetensors, steps.jsonl, history.jsonl, history.csv and
/// result.json, and a checkpoint after each epoch, from which `train --resume --out DIR` continues. Ctrl-C stops
/// after the batches in progress.
#[derive(Debug, clap::Args)]
pub struct TrainArgs {
    /// The model: the embedded one or a model file
    #[arg(long, value_name = "tutorial|FILE.toml", default_value = "tutorial")]
    pub(super) model: ModelSource,
    /// The data set: the embedded one or a folder with four IDX files; by default mnist, and with --resume where it was
    #[arg(long, value_name = "mnist|DIR")]
    pub(super) data: Option<DataSource>,
    #[command(flatten)]
    pub(super) layout: LayoutArgs,
    #[command(flatten)]
    pub(super) training: TrainingArgs,
    /// Evaluate a set of your own after each epoch: a folder with IDX files of a test set, or else of a training set
    #[arg(long, value_name = "DIR", conflicts_with_all = ["validation_split", "stratify"])]
    pub(super) validation_data: Option<PathBuf>,
    /// Initial weights, with the names and layouts of Keras
    #[arg(long, value_name = "FILE.safetensors")]
    pub(super) init: Option<PathBuf>,
    #[command(flatten)]
    pub(super) device: DeviceArg,
    #[command(flatten)]
    pub(super) fuse: FuseArg,
    #[command(flatten)]
    tune: TuneArg,
    /// The run folder; by default runs/MODEL-N with the next free N
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Resume the run in --out from its last checkpoint; of the settings that affect its result only --epochs and
    /// --max-steps may be changed, to larger values, and --device and --allow-nan; if its data has moved, give --data
    /// and --validation-data
    #[arg(long, requires = "out", conflicts_with_all = RESUMED)]
    pub(super) resume: bool,
    /// Resume even if the data is not the data that the run was begun with; an epoch must have as many steps
    #[arg(long, requires = "resume")]
    pub(super) accept_other_data: bool,
    /// Print only the results, no progress and nothing about the model
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Like --quiet, with a line of JSON after each epoch and one with the folder and result.json at the end
    #[arg(long, conflicts_with_all = ["report", "top_k", "profile"])]
    pub(super) json: bool,
    /// Write a checkpoint after every N steps within an epoch too, not only after each epoch
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) checkpoint_steps: Option<usize>,
    /// Keep the last N checkpoints, and that of the best epoch
    #[arg(long, value_name = "N", default_value_t = TrainArgs::KEEP_CHECKPOINTS, value_parser = count, allow_negative_numbers = true)]
    pub(super) keep_checkpoints: usize,
    /// Write no checkpoints: the run cannot be resumed if it is interrupted
    #[arg(long, conflicts_with_all = ["checkpoint_steps", "resume"])]
    no_checkpoints: bool,
    /// Replace the files of an earlier run in --out, and its metrics in --tensorboard; other files stay
    #[arg(long, requires = "out")]
    pub(super) force: bool,
    /// Keep the data set in the host's memory and stream it to the adapter, as always happens if it does not fit
    /// there; results are the same
    #[arg(long)]
    pub(super) stream: bool,
    #[command(flatten)]
    pub(super) report: ReportArgs,
    /// Write the metrics for TensorBoard as well, into a folder named after the run inside this one
    #[arg(long, value_name = "DIR")]
    pub(super) tensorboard: Option<PathBuf>,
    /// Time the steps of the plan during training, on some batches, and print them as `bench` does; results are the
    /// same
    #[arg(long)]
    pub(super) profile: bool,
}

impl TrainArgs {
    pub(super) const KEEP_CHECKPOINTS: usize = 3;

    /// The data set of a new run.
    pub(super) fn data(&self) -> DataSource {
        self.data.clone().unwrap_or(DataSource::Mnist)
    }

    pub(super) fn quiet(&self) -> bool {
        self.quiet || self.json
    }

    /// The folder of the run to resume, if one is.
    fn resumed(&self) -> anyhow::Result<Option<RunFolder>> {
        if !self.resume {
            return Ok(None);
        }
        let dir = self.out.as_deref().context("--resume needs the folder of a run: --out DIR")?;
        Ok(Some(RunFolder::resume(dir)?))
    }

    fn folder(&self, model: &str) -> anyhow::Result<RunFolder> {
        Ok(match &self.out {
            Some(dir) => RunFolder::at(dir, self.force).map_err(of_out)?,
            None => RunFolder::next(Path::new(RUNS), model).map_err(of_out)?,
        })
    }

    /// Which batches of a run are measured step by step.
    fn sampling(&self, options: &FitOptions, samples: usize) -> Option<Sampling> {
        let steps = options.epochs.saturating_mul(samples.div_ceil(options.batch_size));
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

/// Trains. All mistakes that can be found are found before a device is opened. `started` is when the program began.
pub fn run(args: &TrainArgs, started: Instant, output: &mut Output) -> anyhow::Result<ExitCode> {
    if args.quiet() {
        output.quiet();
    }
    let (job, folder) = match args.resumed()? {
        Some(folder) => (Job::resume(args, &folder)?, Some(folder)),
        None => (Job::begin(args)?, None),
    };
    let mut last = job.checkpoint_path(args);
    let begun = last.clone();
    let prepared = prepare(args, job, folder, output);
    let (mut run, options) = prepared.map_err(|error| not_begun(error, begun.as_deref()))?;
    interrupt::listen();
    let trained = run.train(&options, output, &mut last);
    let trained = trained.map_err(|error| unfinished(error, last.as_deref(), args))?;
    if trained.history.stopped.is_some_and(|stopped| stopped.reason == StopReason::Interrupted) {
        return run.tell_interrupted(&trained.history, output);
    }
    let seconds_to_first_step = trained.first_step.map(|at| at.duration_since(started).as_secs_f64());
    let kept = run.keep(&trained.history, seconds_to_first_step);
    let (evaluation, result) = kept.map_err(|error| unfinished(error, last.as_deref(), args))?;
    run.print(&trained.history, &evaluation, &result, output)?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the data, claims the folder, opens the device, and prints what was chosen.
fn prepare<'a>(
    args: &'a TrainArgs,
    mut job: Job,
    resumed: Option<RunFolder>,
    output: &mut Output,
) -> anyhow::Result<(Run<'a>, FitOptions)> {
    let network = job.file.model.network()?;
    args.report.check(network.classes())?;
    let init = args.init.as_deref().map(|path| read_weights(path, &network)).transpose()?;
    let folder = match resumed {
        Some(folder) => folder.probed()?,
        None => args.folder(&job.file.model.name)?,
    };
    let board = args.check_tensorboard(&folder, &job.settings)?;
    job.settings.tensorboard = board;
    let sets = job.sets(args)?;
    let mut options = job.fit_options(&sets)?;
    options.allow_nan = job.settings.allow_nan;
    options.profile = args.sampling(&options, sets.train.len());
    for data in [Some(&sets.train), sets.validation.as_ref()].into_iter().flatten() {
        check_data(&network, data)?;
    }
    sets.warn_of_classes(&job.file.class_names);
    let batch = options.batch_size.min(sets.train.len());
    let plan = Plan::build(&network, job.file.loss, job.file.optimizer, batch)?
        .augment(job.file.augmentation.as_ref());
    let (opened, digests) = std::thread::scope(|scope| {
        // Every byte is read for them: some hundredths of a second, while the driver opens the device.
        let digests = scope.spawn(|| sets.digests());
        (job.open(&args.device.device, &plan), digests.join())
    });
    let digests = digests.map_err(|_| anyhow!("the data set could not be digested"))?;
    job.check_same_data(args, &digests)?;
    let (device, why) = opened?;
    job.settings.data_digests = Some(digests);
    job.settings.capacity = Some(batch).filter(|&batch| batch < options.batch_size);
    let plan = if job.settings.no_fuse { plan } else { device.prepare(plan) };

    output.line(format_args!("Device: {why}"))?;
    output.line(job.file.model.summary()?)?;
    output.line(memory(&plan, &sets, &device, args.stream))?;
    let (device, tuning) = args.tune.apply(device, &plan)?;
    job.settings.device = device.title();
    job.settings.kernels = kernels(&device, &plan);
    job.settings.tuned |= tuning.is_some();
    let compile = Compile {
        loss: job.file.loss,
        optimizer: job.file.optimizer,
        augmentation: job.file.augmentation,
        seed: job.seed()?,
        no_fuse: job.settings.no_fuse,
        stream: args.stream,
    };
    let mut model = job.file.model.compile(&device, compile)?;
    if let Some(weights) = init {
        model.set_weights(weights)?;
    }
    Ok((Run { args, job, sets, device, plan, model, folder }, options))
}

/// The memory budget in one line; `stream` is whether data sets are streamed even if they fit. The test set takes the
/// place of the validation set.
fn memory(plan: &Plan, sets: &Sets, device: &Device, stream: bool) -> String {
    let (mut on_device, mut carried) = ([0, 0], 0);
    let mut place = |set: &Dataset, slot: usize| match device.streaming(plan) {
        Some(streaming) if stream || set.len() > streaming.most_resident => {
            carried = streaming.bytes as usize;
            format!("{} (streamed)", thousands(set.len()))
        }
        _ => {
            on_device[slot] = on_device[slot].max(set.len() * plan.bytes_per_sample());
            thousands(set.len())
        }
    };
    let sets = [(Some(&sets.train), 0), (sets.validation.as_ref(), 1), (Some(&sets.test), 1)];
    let sets: Vec<_> = sets.into_iter().filter_map(|(set, slot)| Some(place(set?, slot))).collect();
    format!(
        "Memory: {} for batches of {}, {} for {} samples",
        bytes(plan.bytes() as usize),
        plan.batch,
        bytes(on_device.iter().sum::<usize>() + carried),
        sets.join(" + ")
    )
}

/// The kernel that runs each step.
fn kernels(device: &Device, plan: &Plan) -> BTreeMap<String, String> {
    plan.steps.iter().map(|step| (step.name.clone(), device.kernel(&step.op).to_owned())).collect()
}
