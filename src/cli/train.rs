//! `shadegrad train`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::PossibleValuesParser;

use super::args::{
    DataSource, DeviceArg, FuseArg, ModelSource, batch_size, count, positive, seed, whole_path,
};
use super::output::{Output, note};
use super::profile::{Report, roofs};
use super::progress::spinner;
use super::recorder::Recorder;
use super::tune::TuneArg;
use crate::data::TrainTest;
use crate::device::Device;
use crate::executor::check_data;
use crate::io::run::{RESULT_FILE, RunFolder, RunResult, Versions, WEIGHTS_FILE, weights_metadata};
use crate::io::{read_weights, sha256, weights_to_bytes};
use crate::model::{ModelFile, Optimizer, bytes, thousands};
use crate::plan::Plan;
use crate::profile::Sampling;
use crate::train::{
    Callback, CallbackError, Compile, EpochRecord, Evaluation, FitOptions, History, Schedule, StepRecord,
};

/// The folder in which runs without `--out` lie.
const RUNS: &str = "runs";
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
    /// Passes over the training set
    #[arg(long, value_name = "N", default_value = "5", value_parser = count, allow_negative_numbers = true)]
    epochs: usize,
    /// Samples per optimizer step
    #[arg(long, value_name = "N", default_value = "64", value_parser = batch_size, allow_negative_numbers = true)]
    batch_size: usize,
    /// Decides initial weights and the order of samples
    #[arg(long, value_name = "N", default_value = "0", value_parser = seed, allow_negative_numbers = true)]
    seed: u64,
    /// The optimizer, with its default settings unless the model file sets them; by default that of the model file
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Optimizer::NAMES))]
    optimizer: Option<String>,
    /// The optimizer's step size; by default that of the model file
    #[arg(long, value_name = "X", value_parser = positive, allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// Take the samples of each epoch as they lie in the files
    #[arg(long)]
    no_shuffle: bool,
    /// End training after this many optimizer steps, even within an epoch
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    max_steps: Option<usize>,
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
    /// Time the steps of the plan meanwhile, on some batches, and print them as `bench` does; results are the same
    #[arg(long)]
    profile: bool,
}

impl TrainArgs {
    /// The model file, with the flags' word over its own.
    fn model_file(&self) -> anyhow::Result<ModelFile> {
        let mut file = self.model.read()?;
        if let Some(named) = self.optimizer.as_deref().and_then(Optimizer::named)
            && named.name() != file.optimizer.name()
        {
            file.optimizer = named;
        }
        if let Some(learning_rate) = self.learning_rate {
            file.optimizer.set_learning_rate(learning_rate);
        }
        file.optimizer.check()?;
        Ok(file)
    }

    fn folder(&self, model: &str) -> anyhow::Result<RunFolder> {
        Ok(match &self.out {
            Some(dir) => RunFolder::at(dir, self.force)?,
            None => RunFolder::next(Path::new(RUNS), model)?,
        })
    }

    /// Which of the batches of so many samples are measured step by step.
    fn sampling(&self, samples: usize) -> Sampling {
        let steps = self.epochs.saturating_mul(samples.div_ceil(self.batch_size));
        let steps = steps.min(self.max_steps.unwrap_or(usize::MAX));
        Sampling::Every((steps / PROFILED_BATCHES).clamp(SHORTEST_PERIOD, LONGEST_PERIOD))
    }

    fn fit_options(&self, samples: usize) -> FitOptions {
        FitOptions {
            epochs: self.epochs,
            batch_size: self.batch_size,
            shuffle: !self.no_shuffle,
            max_steps: self.max_steps,
            validation: None,
            profile: self.profile.then(|| self.sampling(samples)),
        }
    }
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
    let plan = Plan::build(&network, file.loss, file.optimizer, args.batch_size)?;
    let init = args.init.as_deref().map(|path| read_weights(path, &network)).transpose()?;
    let mut folder = args.folder(&file.model.name)?;
    let data = args.data.load()?;
    check_data(&network, &data.train)?;
    let (device, why) = Device::open(&args.device.device)?;
    let plan = args.fuse.prepare(&device, plan);

    output.line(format_args!("Device: {why}"))?;
    output.line(file.model.summary()?)?;
    output.line(memory(&plan, &data, &device, args.stream))?;
    let (device, tuning) = args.tune.apply(device, &plan)?;
    let compile = Compile {
        loss: file.loss,
        optimizer: file.optimizer,
        seed: args.seed,
        no_fuse: args.fuse.no_fuse(),
        stream: args.stream,
    };
    let mut model = file.model.compile(&device, compile)?;
    if let Some(weights) = init {
        model.set_weights(weights)?;
    }
    let mut recorder = FirstStep { inner: Recorder::new(&mut folder, file.to_toml()?), at: None };
    let history = model.fit(&data.train, &args.fit_options(data.train.len()), &mut recorder)?;
    let seconds_to_first_step = recorder.at.map(|at| at.duration_since(started).as_secs_f64());
    let spinner = spinner(format!("judging on {} test images", thousands(data.test.len())));
    let test_begun = Instant::now();
    let evaluation = model.evaluate(&data.test)?;
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
        ..result(args, &data, &history, &evaluation)
    };
    folder.write(RESULT_FILE, format!("{}\n", serde_json::to_string_pretty(&result)?).as_bytes())?;
    if let Some(profile) = &history.profile {
        output.line(format_args!("\n{}\n", Report::new(&plan, &device, profile, roofs(&device)).text()))?;
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

/// The memory budget in one line; `stream` where data sets shall be streamed even if they fit.
fn memory(plan: &Plan, data: &TrainTest, device: &Device, stream: bool) -> String {
    let (mut on_device, mut carried) = (0, 0);
    let [train, test] = [data.train.len(), data.test.len()].map(|samples| match device.streaming(plan) {
        Some(streaming) if stream || samples > streaming.most_resident => {
            carried = streaming.bytes as usize;
            format!("{} (streamed)", thousands(samples))
        }
        _ => {
            on_device += samples * plan.bytes_per_sample();
            thousands(samples)
        }
    });
    format!(
        "Memory: {} for batches of {}, {} for {train} + {test} samples",
        bytes(plan.bytes() as usize),
        plan.batch,
        bytes(on_device + carried),
    )
}

/// The parts of a result that arguments, data and figures decide.
fn result(args: &TrainArgs, data: &TrainTest, history: &History, evaluation: &Evaluation) -> RunResult {
    RunResult {
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
        seed: args.seed,
        batch_size: args.batch_size,
        shuffle: !args.no_shuffle,
        max_steps: args.max_steps,
        init: args.init.as_deref().map(|path| whole_path(path).display().to_string()),
        data: args.data.to_string(),
        train_samples: data.train.len(),
        test_samples: data.test.len(),
        kernels: BTreeMap::new(),
        tuned: false,
    }
}

/// What ran each step.
fn kernels(device: &Device, plan: &Plan) -> BTreeMap<String, String> {
    plan.steps.iter().map(|step| (step.name.clone(), device.kernel(&step.op).to_owned())).collect()
}
