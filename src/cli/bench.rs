//! `shadegrad bench`.

use anyhow::{Context, ensure};
use serde::Serialize;
use std::ops::ControlFlow;

use super::args::{FuseArg, ModelSource, batch_size, count};
use super::device_args::DeviceArg;
use super::init::TrainableArg;
use super::output::{Output, warn_of_loss};
use super::profile::{Report, roofs};
use super::progress::spinner;
use super::ranks::Ranks;
use super::statistics;
use super::step_parts::{StepParts, StepReport};
use super::tune::TuneArg;
use crate::data::{Dataset, TargetKind, Targets, Transform};
use crate::device::Device;
use crate::executor::{DataSlot, Executor, Pass};
use crate::io::ModelFile;
use crate::model::Network;
use crate::plan::{BatchParams, Phase, Plan};
use crate::profile::{Profile, Sampling};
use crate::random::{Purpose, Stream};
use crate::train::{
    Callback, CallbackError, Compile, FitOptions, Model, NoCallback, StepRecord, Updates, write_weights,
};

/// The shape of MNIST's images and the number of its classes.
#[cfg(feature = "mnist-data")]
const MNIST: ([usize; 3], usize) = ([28, 28, 1], 10);
/// The number of different batches, which are used over and over.
const BATCHES: usize = 4;
/// The most samples in all of them; further ones are repeated.
const MOST_SAMPLES: usize = 8192;
/// The seed of the initial weights and of random images.
const SEED: u64 = 0;
/// Whole batches and batches measured step by step alternate in this many rounds, so that a machine that slows down
/// slows both.
const ROUNDS: usize = 5;
/// Training steps whose losses are compared before anything is timed: the last loss shows the updates before it.
const CHECKED_STEPS: usize = 2;
/// The largest relative difference of such a loss from that of the twins.
const LOSS_TOLERANCE: f64 = 1e-3;

/// Time each step of training, and compare it with the best that the adapter can do
///
/// Results are checked first: a device whose losses differ from those of the CPU executor is not timed. GFLOP/s and
/// GB/s come from the FLOPs and bytes that `explain` shows. "Of best" is the least time that the adapter could need
/// for them, by the rates of two probe kernels, as a share of the time that was measured. It is over 100 % where
/// caches help.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// The model: the embedded `tutorial` or a model file
    #[arg(long, value_name = "tutorial|FILE.toml", default_value = "tutorial")]
    model: ModelSource,
    /// Samples per batch, up to 65536; by default as in the model file, else 64
    #[arg(long, value_name = "N", value_parser = batch_size, allow_negative_numbers = true)]
    batch_size: Option<usize>,
    /// Compute each batch in N parts (micro-batches), add up their gradients, and print the times of the parts of a
    /// step; by default as in the model file, else as many as there are processes
    #[arg(long, value_name = "N", value_parser = batch_size, allow_negative_numbers = true)]
    micro_batches: Option<usize>,
    #[command(flatten)]
    trainable: TrainableArg,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    fuse: FuseArg,
    #[command(flatten)]
    tune: TuneArg,
    /// How often each step is timed; the median is printed
    #[arg(long, value_name = "N", default_value = "50", value_parser = count, allow_negative_numbers = true)]
    repeats: usize,
    /// Also print what the driver's compiler made of each kernel, as `explain --statistics` does
    #[arg(long)]
    statistics: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// A report, and what the driver's compiler made of the kernels.
#[derive(Serialize)]
struct WithStatistics {
    #[serde(flatten)]
    report: Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<Vec<statistics::Row>>,
}

/// Checks, measures, prints.
pub fn run(args: &BenchArgs, output: &mut Output, ranks: &mut Ranks) -> anyhow::Result<()> {
    let mut file = args.model.read()?;
    args.trainable.apply(&mut file)?;
    warn_of_loss(&file)?;
    let batch = args.batch_size.unwrap_or(file.training.batch_size);
    let network = file.model.network()?;
    file.training.batch_size = batch;
    file.training.micro_batches = args.micro_batches.or(file.training.micro_batches);
    let micro_batches = file.training.micro_batches_on(ranks.size())?;
    file.training.micro_batches = Some(micro_batches);
    let plan = file.plan(batch.div_ceil(micro_batches))?;
    let data = data(&network, batch)?;
    let (device, why) = Device::open_for(&args.device.device, ranks.local())?;
    if !args.json {
        output.line(format_args!("Device: {why}\n"))?;
    }
    if micro_batches > 1 {
        ensure!(
            !args.tune.asked(),
            "--tune is for batches that are computed as a whole, but these are computed in {micro_batches} \
             micro-batches; leave --tune out"
        );
        ensure!(
            !args.statistics,
            "--statistics is for batches that are computed as a whole, but these are computed in {micro_batches} \
             micro-batches; leave --statistics out"
        );
        let report = step_parts(args, &file, &device, &data, ranks)?;
        return output.line(if args.json { serde_json::to_string_pretty(&report)? } else { report.text() });
    }
    let plain = plan.clone();
    let plan = args.fuse.prepare(&device, plan);
    let (device, _) = args.tune.apply(device, &plan)?;
    let statistics = args.statistics.then(|| statistics::statistics(&device, &plan)).transpose()?;
    let spinner = spinner("checking the results".to_owned());
    let mut work = Work::new(&file, &plan, &device, &data)?;
    if let Device::Gpu(_) = device {
        let found = work.train(CHECKED_STEPS)?;
        let expected = Work::new(&file, &plain, &Device::Cpu, &data)?.train(CHECKED_STEPS)?;
        agree(&found, &expected)?;
    }
    spinner.set_message("timing the steps");
    let profile = work.profile(&device, args.repeats)?;
    spinner.set_message("measuring what the adapter can do");
    let report = Report::new(&plan, &device, &profile, roofs(&device));
    spinner.finish_and_clear();
    if args.json {
        return output.line(serde_json::to_string_pretty(&WithStatistics { report, statistics })?);
    }
    output.line(report.text())?;
    match statistics {
        Some(rows) => output.line(format_args!("\n{}", statistics::text(&rows))),
        None => Ok(()),
    }
}

/// Trains on a few batches over and over, and measures the parts of its steps.
fn step_parts(
    args: &BenchArgs,
    file: &ModelFile,
    device: &Device,
    data: &Dataset,
    ranks: &mut Ranks,
) -> anyhow::Result<StepReport> {
    let compile = Compile { no_fuse: args.fuse.no_fuse(), ..file.compile() };
    let options = |steps, profile| FitOptions {
        epochs: usize::MAX,
        max_steps: Some(steps),
        profile,
        batch_size: file.training.batch_size,
        micro_batches: file.training.micro_batches,
        allow_nan: true,
        ..FitOptions::default()
    };
    let losses = |model: &mut Model, steps| {
        let mut losses = Losses::default();
        model.fit(data, &options(steps, None), &mut losses).map(|_| losses.0)
    };
    let mut model = file.model.compile(device, compile)?;
    model.distribute(ranks.collective(), Updates::Everywhere);
    // A warm-up, after which all is compiled and cached.
    let found = losses(&mut model, BATCHES)?;
    if let Device::Gpu(_) = device {
        let expected = losses(&mut file.model.compile(&Device::Cpu, file.compile())?, CHECKED_STEPS)?;
        agree(&found[..CHECKED_STEPS], &expected)?;
    }
    let history = model.fit(data, &options(args.repeats, Some(Sampling::Whole)), &mut NoCallback)?;
    let times = history.step_times.context("no step was measured")?;
    let micro_batches = file.training.micro_batches.unwrap_or(1);
    Ok(StepReport {
        micro_batches,
        samples: file.training.batch_size.min(data.len()).div_ceil(micro_batches),
        steps: times.steps,
        processes: ranks.gather(&StepParts::of(&times))?,
    })
}

/// The losses of the steps, in order.
#[derive(Default)]
struct Losses(Vec<f32>);

impl Callback for Losses {
    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.0.push(record.loss);
        Ok(())
    }
}

/// A few batches for a network: the first images of MNIST where they fit, else random bytes.
pub(super) fn data(network: &Network, batch: usize) -> anyhow::Result<Dataset> {
    let samples = (BATCHES * batch).min(MOST_SAMPLES);
    let (shape, classes) = (network.input_shape, network.classes());
    #[cfg(feature = "mnist-data")]
    if shape == MNIST.0.into() && classes >= MNIST.1 && network.target == TargetKind::Classes {
        return Ok(crate::data::mnist()?.train.take(samples)?);
    }
    let mut stream = Stream::new(SEED, Purpose::Benchmark, 0);
    let images: Vec<u8> = (0..samples * shape.len()).map(|_| stream.next_u32() as u8).collect();
    let mut row = || (0..classes).map(|_| stream.below(2) as f32).collect::<Vec<f32>>();
    let targets = match network.target {
        TargetKind::Classes => Targets::classes((0..samples).map(|_| stream.below(classes as u32)), classes)?,
        TargetKind::MultiLabel => Targets::multi_label((0..samples).map(|_| row()), classes)?,
        TargetKind::Values => Targets::values((0..samples).map(|_| row()), classes)?,
    };
    Ok(Dataset::from_parts(images, targets, shape)?)
}

/// Whether two devices computed the same training steps.
fn agree(found: &[f32], expected: &[f32]) -> anyhow::Result<()> {
    for (step, (&found, &expected)) in (1..).zip(found.iter().zip(expected)) {
        ensure!(
            found.is_finite() || expected.is_finite(),
            "the loss of training step {step} is {found} on every device: this model diverges on random images; try a \
             smaller `learning_rate`"
        );
        let difference = (f64::from(found) - f64::from(expected)).abs() / f64::from(expected).abs();
        // A loss that is NaN does not agree either.
        ensure!(
            found == expected || difference <= LOSS_TOLERANCE,
            "the loss of training step {step} is {found}, but {expected} on the CPU executor: a device that computes \
             wrong results is not timed; `shadegrad verify` shows which kernels differ"
        );
    }
    Ok(())
}

/// A device with weights and data, ready to train.
struct Work {
    executor: Box<dyn Executor>,
    /// The numbers of the samples, batch after batch.
    order: Vec<u32>,
    /// A row for each batch of `order`.
    batches: Vec<BatchParams>,
    /// How the images of `order` are changed, where the model's file says so.
    transforms: Vec<Transform>,
}

impl Work {
    fn new(file: &ModelFile, plan: &Plan, device: &Device, data: &Dataset) -> anyhow::Result<Self> {
        let mut executor = device.executor(plan.clone())?;
        write_weights(executor.as_mut(), &plan.network.initial_weights(SEED))?;
        executor.set_data(DataSlot::Training, data)?;
        let samples = BATCHES * plan.batch;
        let order: Vec<u32> = (0..samples).map(|place| (place % data.len()) as u32).collect();
        let transforms = file.transforms(SEED, &order);
        let batches = BatchParams::of_pass(samples, plan.batch, file.optimizer.learning_rate());
        Ok(Work { executor, order, batches, transforms })
    }

    /// Trains on this many batches; returns their losses.
    fn train(&mut self, steps: usize) -> anyhow::Result<Vec<f32>> {
        let rows: Vec<BatchParams> = (0u32..)
            .zip(self.batches.iter().cycle().take(steps))
            // As in training, where normalization takes the batch's own statistics and dropout drops.
            .map(|(slot, batch)| BatchParams { slot, guarded: 1, training: 1, number: slot, ..*batch })
            .collect();
        let pass = Pass {
            phase: Phase::Train,
            data: DataSlot::Training,
            order: &self.order,
            batches: &rows,
            transforms: &self.transforms,
        };
        let mut losses = Vec::with_capacity(steps);
        self.executor.run(&pass, &mut |_, metrics| {
            losses.push(metrics.loss);
            ControlFlow::Continue(())
        })?;
        Ok(losses)
    }

    /// Measures `repeats` batches step by step, or a few more so that all rounds are alike. An adapter gets as many
    /// batches in a submission as in training; for the CPU executor that makes no difference.
    fn profile(&mut self, device: &Device, repeats: usize) -> anyhow::Result<Profile> {
        // A warm-up, after which all is compiled and cached.
        self.train(BATCHES)?;
        let rounds = ROUNDS.min(repeats);
        for _ in 0..rounds {
            if let Device::Gpu(_) = device {
                self.executor.profile(Sampling::Whole)?;
                self.train(repeats)?;
            }
            self.executor.profile(Sampling::Every(1))?;
            self.train(repeats.div_ceil(rounds))?;
        }
        self.executor.take_profile().context("this device measures nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_that_differ_are_refused() {
        assert!(agree(&[2.3, 2.0], &[2.301, 2.001]).is_ok());
        assert!(agree(&[0.0], &[0.0]).is_ok());
        for found in [[2.3, 2.01], [f32::NAN, 2.0], [2.3, f32::INFINITY]] {
            let error = agree(&found, &[2.3, 2.0]).unwrap_err().to_string();
            assert!(error.contains("CPU executor") && error.contains("verify"), "{error}");
        }
        assert!(agree(&[f32::NAN], &[f32::NAN]).is_err());
    }

    #[test]
    fn data_fits_the_network() {
        let file = ModelFile::tutorial().unwrap();
        let network = file.model.network().unwrap();
        for batch in [1, 64, 10_000] {
            let data = data(&network, batch).unwrap();
            assert_eq!(
                (data.shape(), data.len()),
                (network.input_shape, (BATCHES * batch).min(MOST_SAMPLES))
            );
        }
    }
}
