//! `shadegrad train`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::anyhow;

use super::fitting::check_fits;
use super::interrupt;
use super::job::{Job, Sets};
use super::output::Output;
use super::recorder::{not_begun, unfinished};
use super::train_args::TrainArgs;
use super::training_run::Run;
use crate::data::Dataset;
use crate::device::Device;
use crate::io::run::RunFolder;
use crate::model::{bytes, thousands};
use crate::plan::Plan;
use crate::train::{Compile, FitOptions, StopReason};

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
    args.report.check(&network)?;
    let init = args.init.weights(&network, job.seed()?)?;
    let folder = match resumed {
        Some(folder) => folder.probed()?,
        None => args.folder(&job.file.model.name)?,
    };
    let board = args.check_tensorboard(&folder, &job.settings)?;
    job.settings.tensorboard = board;
    job.file.training.check_target(&network)?;
    let read = job.sets(args)?;
    if job.checkpoint.is_none() {
        check_fits(args.model.as_ref(), (&args.data(), &args.layout), &network, &read.train)?;
    }
    if job.file.class_names.is_empty() && read.train.classes() == network.classes() {
        job.file.class_names = read.train.class_names().to_vec();
    }
    if job.file.feature_names.is_empty() && read.train.shape() == network.input_shape {
        job.file.feature_names = read.train.feature_names().to_vec();
    }
    let sets = read.held_to(&network)?;
    let mut options = job.fit_options(&sets)?;
    options.allow_nan = job.settings.allow_nan;
    options.profile = args.sampling(&options, sets.train.len());
    options.sets(&network, &sets.train)?;
    sets.warn_of_classes(&job.file.class_names, job.settings.limit.is_some());
    let batch = options.batch_of(sets.train.len());
    let plan = job.file.plan(batch)?;
    let (opened, digests) = std::thread::scope(|scope| {
        // Every byte is read for them: some hundredths of a second, while the driver opens the device.
        let digests = scope.spawn(|| read.digests());
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
