//! `shadegrad train`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use super::args::{DataSource, DeviceArg, FuseArg, ModelSource, count, whole_path};
use super::interrupt;
use super::job::{Job, Sets};
use super::judging::{self, ReportArgs};
use super::output::{Output, note};
use super::profile::{Report, roofs};
use super::progress::spinner;
use super::recorder::{Recorder, Told};
use super::training::TrainingArgs;
use super::tune::TuneArg;
use crate::data::Dataset;
use crate::device::Device;
use crate::executor::check_data;
use crate::io::checkpoint::RunSettings;
use crate::io::run::{
    PROFILE_FILE, RESULT_FILE, RunFolder, RunResult, Versions, WEIGHTS_FILE, weights_metadata,
};
use crate::io::{HistoryCsv, TensorBoard, read_weights, sha256, weights_to_bytes};
use crate::model::{bytes, thousands};
use crate::plan::Plan;
use crate::profile::Sampling;
use crate::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, Compile, EpochRecord, Evaluation, FitOptions, History,
    Schedule, StepRecord, StopReason,
};

/// The folder in which runs without `--out` lie.
pub const RUNS: &str = "runs";
/// Batches that `--profile` measures step by step in a short run; in a long one they are one of LONGEST_PERIOD, so that
/// the others run as they would without it.
const PROFILED_BATCHES: usize = 50;
const SHORTEST_PERIOD: usize = 2;
const LONGEST_PERIOD: usize = 100;

/// What a run that goes on was told when it began.
const RESUMED: [&str; 20] = [
    "model",
    "data",
    "validation_data",
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
    "until_loss",
    "until_accuracy",
    "early_stopping",
    "reduce_lr_on_plateau",
    "no_checkpoints",
];

/// Train a model, judge it on the test set, and write a run folder
///
/// Without arguments this is the Keras tutorial: its convolutional network on MNIST, RMSprop, batches of 64, 5 epochs.
/// The run folder gets model.toml, weights.safetensors, steps.jsonl, history.jsonl, history.csv and result.json, and
/// a checkpoint after each epoch, from which `train --resume --out DIR` goes on. Ctrl-C stops after the step under way.
#[derive(Debug, clap::Args)]
pub struct TrainArgs {
    /// The model: the embedded one or a model file
    #[arg(long, value_name = "tutorial|FILE.toml", default_value = "tutorial")]
    pub(super) model: ModelSource,
    /// The data set: the embedded one or a folder with four IDX files
    #[arg(long, value_name = "mnist|DIR", default_value = "mnist")]
    pub(super) data: DataSource,
    #[command(flatten)]
    pub(super) training: TrainingArgs,
    /// Judge each epoch on a set of your own: a folder with IDX files of a test set, or else of a training set
    #[arg(long, value_name = "DIR", conflicts_with = "validation_split")]
    pub(super) validation_data: Option<PathBuf>,
    /// Initial weights, with the names and layouts of Keras
    #[arg(long, value_name = "FILE.safetensors")]
    pub(super) init: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    pub(super) fuse: FuseArg,
    #[command(flatten)]
    tune: TuneArg,
    /// The run folder; by default runs/MODEL-N with the next free N
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Go on with the run in --out from its last checkpoint; only --epochs and --max-steps may be given anew, larger
    #[arg(long, requires = "out", conflicts_with_all = RESUMED)]
    pub(super) resume: bool,
    /// Print the results only, no progress and nothing about the model
    #[arg(long, short)]
    quiet: bool,
    /// As --quiet, with the folder and result.json as one line of JSON
    #[arg(long, conflicts_with_all = ["report", "top_k", "profile"])]
    json: bool,
    /// Write a checkpoint after every N steps of an epoch too, not only after each epoch
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) checkpoint_steps: Option<usize>,
    /// Keep the last N checkpoints, and that of the best epoch
    #[arg(long, value_name = "N", default_value = "3", value_parser = count, allow_negative_numbers = true)]
    keep_checkpoints: usize,
    /// Train on where a loss or a weight is not a finite number, which ends training otherwise
    #[arg(long)]
    allow_nan: bool,
    /// Write no checkpoints: the run cannot go on when it is interrupted
    #[arg(long, conflicts_with_all = ["checkpoint_steps", "resume"])]
    no_checkpoints: bool,
    /// Replace the files of an earlier run in --out; other files in it stay
    #[arg(long, requires = "out")]
    force: bool,
    /// Keep the data set in the host's memory and stream it to the adapter, as is done anyway with one that does not fit;
    /// results are the same
    #[arg(long)]
    stream: bool,
    #[command(flatten)]
    report: ReportArgs,
    /// Write the figures for TensorBoard as well, into a folder named after the run in this one
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,
    /// Time the steps of the plan meanwhile, on some batches, and print them as `bench` does; results are the same
    #[arg(long)]
    profile: bool,
}

impl TrainArgs {
    fn tensorboard(&self, folder: &RunFolder) -> Option<TensorBoard> {
        let run = whole_path(folder.dir());
        let dir = self.tensorboard.as_ref()?;
        Some(TensorBoard::new(run.file_name().map_or(dir.clone(), |name| dir.join(name))))
    }

    fn folder(&self, model: &str) -> anyhow::Result<RunFolder> {
        Ok(match &self.out {
            Some(dir) if self.resume => RunFolder::resume(dir)?,
            Some(dir) => RunFolder::at(dir, self.force)?,
            None => RunFolder::next(Path::new(RUNS), model)?,
        })
    }

    /// Which batches of a run are measured step by step.
    fn sampling(&self, options: &FitOptions, samples: usize) -> Option<Sampling> {
        let steps = options.epochs.saturating_mul(samples.div_ceil(options.batch_size));
        let steps = steps.min(options.max_steps.unwrap_or(usize::MAX));
        let period = (steps / PROFILED_BATCHES).clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
        self.profile.then_some(Sampling::Every(period))
    }

    fn checkpoints(&self, settings: &RunSettings) -> Checkpoints {
        match (self.no_checkpoints, settings.checkpoint_steps) {
            (true, _) => Checkpoints::Never,
            (false, Some(steps)) => Checkpoints::Steps(steps),
            (false, None) => Checkpoints::Epochs,
        }
    }
}

/// Passes everything on, what happens also to those who only listen, and notes when the first step was heard of. An executor's first submission is a single step,
/// so that this is when it ended, not when a whole batch of steps did.
struct FirstStep<C> {
    inner: C,
    also: Vec<Box<dyn Callback>>,
    at: Option<Instant>,
}

impl<C: Callback> Callback for FirstStep<C> {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        self.inner.on_train_begin(schedule)?;
        self.also.iter_mut().try_for_each(|other| other.on_train_begin(schedule))
    }

    fn on_epoch_begin(&mut self, epoch: usize) -> Result<(), CallbackError> {
        self.inner.on_epoch_begin(epoch)
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.at.get_or_insert_with(Instant::now);
        self.inner.on_step(record)?;
        self.also.iter_mut().try_for_each(|other| other.on_step(record))
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.inner.on_epoch_end(record)?;
        self.also.iter_mut().try_for_each(|other| other.on_epoch_end(record))
    }

    fn interrupted(&self) -> bool {
        self.inner.interrupted()
    }

    fn checkpoints(&self) -> Checkpoints {
        self.inner.checkpoints()
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.inner.on_checkpoint(checkpoint)
    }
}

/// Trains. All that can be found wrong is found before a device is opened. `started` is when the program began.
pub fn run(args: &TrainArgs, started: Instant, output: &mut Output) -> anyhow::Result<ExitCode> {
    let quiet = args.quiet || args.json;
    if quiet {
        output.quiet();
    }
    let mut job = if args.resume { Job::resume(args)? } else { Job::begin(args)? };
    let network = job.file.model.network()?;
    let plan = Plan::build(&network, job.file.loss, job.file.optimizer, job.file.training.batch_size)?
        .augment(job.file.augmentation.as_ref());
    let init = args.init.as_deref().map(|path| read_weights(path, &network)).transpose()?;
    let mut folder = args.folder(&job.file.model.name)?;
    let sets = job.sets()?;
    let mut options = job.fit_options(&sets)?;
    options.profile = args.sampling(&options, sets.train.len());
    for data in [Some(&sets.train), sets.validation.as_ref()].into_iter().flatten() {
        check_data(&network, data)?;
    }
    let (device, why) = job.open(&args.device.device, &plan)?;
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
    interrupt::listen();
    let told =
        Told { model_toml: job.file.to_toml()?, settings: job.settings.clone(), keep: args.keep_checkpoints };
    let checkpoints = args.checkpoints(&job.settings);
    let from = job.checkpoint.as_ref().map(|checkpoint| [checkpoint.steps(), checkpoint.epochs.len()]);
    let epochs = job.checkpoint.as_ref().map_or(&[][..], |checkpoint| &checkpoint.epochs);
    let mut also: Vec<Box<dyn Callback>> = vec![Box::new(HistoryCsv::new(folder.dir(), epochs))];
    also.extend(args.tensorboard(&folder).map(|board| Box::new(board) as Box<dyn Callback>));
    let recorder =
        Recorder::new(&mut folder, told, checkpoints).allow_nan(args.allow_nan).quiet(quiet).going_on(from);
    let mut recorder = FirstStep { inner: recorder, also, at: None };
    let history = match job.checkpoint.take() {
        Some(checkpoint) => model.resume(&sets.train, &options, checkpoint, &mut recorder)?,
        None => model.fit(&sets.train, &options, &mut recorder)?,
    };
    let seconds_to_first_step = recorder.at.map(|at| at.duration_since(started).as_secs_f64());
    drop(recorder);
    if let Some(stopped) = &history.stopped {
        output.line(format_args!("Training ended {stopped}"))?;
        if stopped.reason == StopReason::Interrupted {
            let dir = folder.dir().display();
            match checkpoints {
                Checkpoints::Never => {
                    note(format_args!("Interrupted after step {}; nothing was kept", history.steps))
                }
                _ => note(format_args!(
                    "Interrupted after step {}; go on with: shadegrad train --resume --out {dir}",
                    history.steps
                )),
            }
            return Ok(ExitCode::from(interrupt::EXIT_CODE));
        }
    }
    let spinner = (!quiet).then(|| spinner(format!("judging on {} test images", thousands(sets.test.len()))));
    let test_begun = Instant::now();
    let evaluation = model.evaluate(&sets.test)?;
    let test_seconds = test_begun.elapsed().as_secs_f64();
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }

    let weights = weights_to_bytes(&model.weights()?, &weights_metadata(&network.name))?;
    folder.write(WEIGHTS_FILE, &weights)?;
    let result = RunResult {
        weights_sha256: sha256(&weights),
        seconds_to_first_step,
        test_seconds: Some(test_seconds),
        ..result(&job, &sets, &history, &evaluation)?
    };
    folder.write(RESULT_FILE, format!("{}\n", serde_json::to_string_pretty(&result)?).as_bytes())?;
    if let Some(profile) = &history.profile {
        let report = Report::new(&plan, &device, profile, roofs(&device));
        folder.write(PROFILE_FILE, format!("{}\n", serde_json::to_string_pretty(&report)?).as_bytes())?;
        output.result(format_args!("\n{}\n", report.text()))?;
    }
    if args.report.asked() {
        let report = args.report.judge(&mut model, &sets.test)?;
        output.result(format_args!("\n{}\n", judging::text(&report)))?;
    }
    if args.json {
        let run = folder.dir().display().to_string();
        output.result(serde_json::to_string(&Finished { run, result: &result })?)?;
        return Ok(ExitCode::SUCCESS);
    }
    output.result(format_args!("Run: {}", folder.dir().display()))?;
    print_figures(&evaluation, output)?;
    Ok(ExitCode::SUCCESS)
}

/// What `--json` prints.
#[derive(serde::Serialize)]
struct Finished<'a> {
    /// The folder.
    run: String,
    #[serde(flatten)]
    result: &'a RunResult,
}

/// The last line of `train` and `evaluate`.
pub fn print_figures(evaluation: &Evaluation, output: &mut Output) -> anyhow::Result<()> {
    let Evaluation { loss, accuracy } = evaluation;
    if !loss.is_finite() {
        note("warning: the test loss is not a finite number: these weights are of no use");
    }
    output.result(format_args!("Test accuracy: {accuracy:.4}  Test loss: {loss:.4}"))
}

/// The memory budget in one line; `stream` where data sets shall be streamed even if they fit. The validation set makes
/// room for the test set.
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

/// The parts of a result that the job, data and figures decide.
fn result(job: &Job, sets: &Sets, history: &History, evaluation: &Evaluation) -> anyhow::Result<RunResult> {
    let (training, settings) = (&job.file.training, &job.settings);
    Ok(RunResult {
        stopped: history.stopped,
        test_loss: evaluation.loss.is_finite().then_some(evaluation.loss),
        test_accuracy: evaluation.accuracy,
        epochs: history.epochs.len(),
        steps: history.steps,
        seconds: history.epochs.iter().map(|epoch| epoch.seconds).sum(),
        seconds_to_first_step: None,
        test_seconds: None,
        device: settings.device.clone(),
        weights_sha256: String::new(),
        versions: Versions::current(),
        seed: job.seed()?,
        batch_size: training.batch_size,
        shuffle: training.shuffle,
        max_steps: training.max_steps,
        init: settings.init.clone(),
        data: settings.data.clone(),
        validation_data: settings.validation_data.clone(),
        limit: settings.limit,
        train_samples: sets.train.len(),
        validation_samples: sets.validation.as_ref().map_or(0, Dataset::len),
        test_samples: sets.test.len(),
        kernels: settings.kernels.clone(),
        tuned: settings.tuned,
    })
}

/// What ran each step.
fn kernels(device: &Device, plan: &Plan) -> BTreeMap<String, String> {
    plan.steps.iter().map(|step| (step.name.clone(), device.kernel(&step.op).to_owned())).collect()
}
