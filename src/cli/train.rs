//! `shadegrad train`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;

use super::args::{DataSource, DeviceArg, FuseArg, ModelSource, whole_path};
use super::judging::{self, ReportArgs};
use super::output::{Output, note};
use super::profile::{Report, roofs};
use super::progress::spinner;
use super::recorder::Recorder;
use super::training::TrainingArgs;
use super::tune::TuneArg;
use crate::data::{Dataset, TrainTest, load_set};
use crate::device::Device;
use crate::executor::check_data;
use crate::io::run::{RESULT_FILE, RunFolder, RunResult, Versions, WEIGHTS_FILE, weights_metadata};
use crate::io::{read_weights, sha256, weights_to_bytes};
use crate::model::{ModelFile, bytes, thousands};
use crate::plan::Plan;
use crate::profile::Sampling;
use crate::train::{
    Callback, CallbackError, Compile, EpochRecord, Evaluation, FitOptions, History, Schedule, StepRecord,
};

/// The folder in which runs without `--out` lie.
pub const RUNS: &str = "runs";
/// Batches that `--profile` measures step by step in a short run; in a long one they are one of LONGEST_PERIOD, so that
/// the others run as they would without it.
const PROFILED_BATCHES: usize = 50;
const SHORTEST_PERIOD: usize = 2;
const LONGEST_PERIOD: usize = 100;

/// Train a model, judge it on the test set, and write a run folder
///
/// Without arguments this is the Keras tutorial: its convolutional network on MNIST, RMSprop, batches of 64, 5 epochs.
/// The run folder gets model.toml, weights.safetensors, steps.jsonl, history.jsonl and result.json.
#[derive(Debug, clap::Args)]
pub struct TrainArgs {
    /// The model: the embedded one or a model file
    #[arg(long, value_name = "tutorial|FILE.toml", default_value = "tutorial")]
    model: ModelSource,
    /// The data set: the embedded one or a folder with four IDX files
    #[arg(long, value_name = "mnist|DIR", default_value = "mnist")]
    data: DataSource,
    #[command(flatten)]
    training: TrainingArgs,
    /// Judge each epoch on a set of your own: a folder with IDX files of a test set, or else of a training set
    #[arg(long, value_name = "DIR", conflicts_with = "validation_split")]
    validation_data: Option<PathBuf>,
    /// Initial weights, with the names and layouts of Keras
    #[arg(long, value_name = "FILE.safetensors")]
    init: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    fuse: FuseArg,
    #[command(flatten)]
    tune: TuneArg,
    /// The run folder; by default runs/MODEL-N with the next free N
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the files of an earlier run in --out; other files in it stay
    #[arg(long, requires = "out")]
    force: bool,
    /// Keep the data set in the host's memory and stream it to the adapter, as is done anyway with one that does not fit;
    /// results are the same
    #[arg(long)]
    stream: bool,
    #[command(flatten)]
    report: ReportArgs,
    /// Time the steps of the plan meanwhile, on some batches, and print them as `bench` does; results are the same
    #[arg(long)]
    profile: bool,
}

impl TrainArgs {
    /// The model file, with the flags' word over its own.
    fn model_file(&self) -> anyhow::Result<ModelFile> {
        let mut file = self.model.read()?;
        self.training.apply(&mut file)?;
        if self.validation_data.is_some() {
            file.training.validation_split = None;
        }
        Ok(file)
    }

    fn folder(&self, model: &str) -> anyhow::Result<RunFolder> {
        Ok(match &self.out {
            Some(dir) => RunFolder::at(dir, self.force)?,
            None => RunFolder::next(Path::new(RUNS), model)?,
        })
    }

    /// Reads the data, and leaves of it what is trained on and what each epoch is judged on.
    fn data(&self, training: &FitOptions) -> anyhow::Result<Sets> {
        let TrainTest { train, test } = self.data.load()?;
        let train = self.training.limited(train)?;
        let validation = self
            .validation_data
            .as_deref()
            .map(|dir| load_set(dir).with_context(|| format!("`{}` is no validation set", dir.display())));
        let (train, validation) = match validation {
            Some(own) => (train, Some(own?)),
            None => training.split(&train)?,
        };
        Ok(Sets { train, validation, test })
    }

    /// What `fit` does, with these sets.
    fn fit_options(&self, training: &FitOptions, sets: &Sets) -> anyhow::Result<FitOptions> {
        let steps = training.epochs.saturating_mul(sets.train.len().div_ceil(training.batch_size));
        let steps = steps.min(training.max_steps.unwrap_or(usize::MAX));
        let period = (steps / PROFILED_BATCHES).clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
        let options = FitOptions {
            validation_split: None,
            validation: sets.validation.clone(),
            profile: self.profile.then_some(Sampling::Every(period)),
            ..training.clone()
        };
        options.check_monitors()?;
        Ok(options)
    }
}

/// What a run reads.
struct Sets {
    train: Dataset,
    validation: Option<Dataset>,
    test: Dataset,
}

/// Passes everything on, and notes when the first step was heard of. An executor's first submission is a single step,
/// so that this is when it ended, not when a whole batch of steps did.
struct FirstStep<C> {
    inner: C,
    at: Option<Instant>,
}

impl<C: Callback> Callback for FirstStep<C> {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        self.inner.on_train_begin(schedule)
    }

    fn on_epoch_begin(&mut self, epoch: usize) -> Result<(), CallbackError> {
        self.inner.on_epoch_begin(epoch)
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.at.get_or_insert_with(Instant::now);
        self.inner.on_step(record)
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.inner.on_epoch_end(record)
    }
}

/// Trains. All that can be found wrong is found before a device is opened. `started` is when the program began.
pub fn run(args: &TrainArgs, started: Instant, output: &mut Output) -> anyhow::Result<()> {
    let file = args.model_file()?;
    let network = file.model.network()?;
    let plan = Plan::build(&network, file.loss, file.optimizer, file.training.batch_size)?
        .augment(file.augmentation.as_ref());
    let init = args.init.as_deref().map(|path| read_weights(path, &network)).transpose()?;
    let mut folder = args.folder(&file.model.name)?;
    let sets = args.data(&file.training)?;
    let options = args.fit_options(&file.training, &sets)?;
    for data in [Some(&sets.train), sets.validation.as_ref()].into_iter().flatten() {
        check_data(&network, data)?;
    }
    let (device, why) = Device::open(&args.device.device)?;
    let plan = args.fuse.prepare(&device, plan);

    output.line(format_args!("Device: {why}"))?;
    output.line(file.model.summary()?)?;
    output.line(memory(&plan, &sets, &device, args.stream))?;
    let (device, tuning) = args.tune.apply(device, &plan)?;
    let compile = Compile {
        loss: file.loss,
        optimizer: file.optimizer,
        augmentation: file.augmentation,
        seed: args.training.seed,
        no_fuse: args.fuse.no_fuse(),
        stream: args.stream,
    };
    let mut model = file.model.compile(&device, compile)?;
    if let Some(weights) = init {
        model.set_weights(weights)?;
    }
    let mut recorder = FirstStep { inner: Recorder::new(&mut folder, file.to_toml()?), at: None };
    let history = model.fit(&sets.train, &options, &mut recorder)?;
    if let Some(stopped) = &history.stopped {
        output.line(format_args!("Training ended {stopped}"))?;
    }
    let seconds_to_first_step = recorder.at.map(|at| at.duration_since(started).as_secs_f64());
    let spinner = spinner(format!("judging on {} test images", thousands(sets.test.len())));
    let test_begun = Instant::now();
    let evaluation = model.evaluate(&sets.test)?;
    let test_seconds = test_begun.elapsed().as_secs_f64();
    spinner.finish_and_clear();

    let weights = weights_to_bytes(&model.weights()?, &weights_metadata(&network.name))?;
    folder.write(WEIGHTS_FILE, &weights)?;
    let result = RunResult {
        weights_sha256: sha256(&weights),
        device: device.title(),
        kernels: kernels(&device, &plan),
        seconds_to_first_step,
        test_seconds: Some(test_seconds),
        tuned: tuning.is_some(),
        ..result(args, &file.training, &sets, &history, &evaluation)
    };
    folder.write(RESULT_FILE, format!("{}\n", serde_json::to_string_pretty(&result)?).as_bytes())?;
    if let Some(profile) = &history.profile {
        output.line(format_args!("\n{}\n", Report::new(&plan, &device, profile, roofs(&device)).text()))?;
    }
    if args.report.asked() {
        let report = args.report.judge(&mut model, &sets.test)?;
        output.line(format_args!("\n{}\n", judging::text(&report)))?;
    }
    output.line(format_args!("Run: {}", folder.dir().display()))?;
    print_figures(&evaluation, output)
}

/// The last line of `train` and `evaluate`.
pub fn print_figures(evaluation: &Evaluation, output: &mut Output) -> anyhow::Result<()> {
    let Evaluation { loss, accuracy } = evaluation;
    if !loss.is_finite() {
        note("warning: the test loss is not a finite number: these weights are of no use");
    }
    output.line(format_args!("Test accuracy: {accuracy:.4}  Test loss: {loss:.4}"))
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

/// The parts of a result that arguments, data and figures decide.
fn result(
    args: &TrainArgs,
    training: &FitOptions,
    sets: &Sets,
    history: &History,
    evaluation: &Evaluation,
) -> RunResult {
    let whole = |path: &Option<PathBuf>| path.as_deref().map(|path| whole_path(path).display().to_string());
    RunResult {
        stopped: history.stopped,
        test_loss: evaluation.loss.is_finite().then_some(evaluation.loss),
        test_accuracy: evaluation.accuracy,
        epochs: history.epochs.len(),
        steps: history.steps,
        seconds: history.epochs.iter().map(|epoch| epoch.seconds).sum(),
        seconds_to_first_step: None,
        test_seconds: None,
        device: String::new(),
        weights_sha256: String::new(),
        versions: Versions::current(),
        seed: args.training.seed,
        batch_size: training.batch_size,
        shuffle: training.shuffle,
        max_steps: training.max_steps,
        init: whole(&args.init),
        data: args.data.to_string(),
        validation_data: whole(&args.validation_data),
        limit: args.training.limit,
        train_samples: sets.train.len(),
        validation_samples: sets.validation.as_ref().map_or(0, Dataset::len),
        test_samples: sets.test.len(),
        kernels: BTreeMap::new(),
        tuned: false,
    }
}

/// What ran each step.
fn kernels(device: &Device, plan: &Plan) -> BTreeMap<String, String> {
    plan.steps.iter().map(|step| (step.name.clone(), device.kernel(&step.op).to_owned())).collect()
}
