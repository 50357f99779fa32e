//! `shadegrad train`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{anyhow, ensure};

use super::fitting::check_fits;
use super::interrupt;
use super::job::{Job, Sets};
use super::live;
use super::output::{Output, note};
use super::ranks::Ranks;
use super::same_ranks::check_ranks;
use super::schedule_end::{self, Before};
use super::terminal::{COLUMNS, output_columns};
use super::train_args::TrainArgs;
use super::training_run::{Joined, Run};
use super::unfinished::{not_begun, unfinished};
use crate::data::Dataset;
use crate::device::Device;
use crate::io::run::RunFolder;
use crate::model::{Network, bytes, thousands};
use crate::plan::Plan;
use crate::train::{Compile, FitOptions, StopReason, Updates};

/// Trains. All mistakes that can be found are found before a device is opened. `started` is when the program began.
pub fn run(
    args: &TrainArgs,
    started: Instant,
    output: &mut Output,
    ranks: &mut Ranks,
) -> anyhow::Result<ExitCode> {
    if args.quiet() {
        output.quiet();
    }
    if args.tui {
        live::check(ranks.size())?;
    }
    let (job, folder) = job(args, ranks)?;
    // The others have no folder to go on in.
    let mut last = job.checkpoint_path(args).filter(|_| ranks.is_first());
    let begun = last.clone();
    let prepared = prepare(args, job, folder, output, ranks);
    let (mut run, options) = prepared.map_err(|error| not_begun(error, begun.as_deref()))?;
    // A view notes signals itself.
    if !args.tui {
        interrupt::listen(ranks.size() == 1);
    }
    let trained = run.train(&options, output, &mut last);
    let trained = trained.map_err(|error| unfinished(error, last.as_deref(), args))?;
    if trained.history.stopped.as_ref().is_some_and(|stopped| stopped.reason == StopReason::Interrupted) {
        return run.tell_interrupted(&trained.history, last.as_deref(), output);
    }
    let seconds_to_first_step = trained.first_step.map(|at| at.duration_since(started).as_secs_f64());
    let kept = run.keep(&trained.history, seconds_to_first_step);
    let (evaluation, result) = kept.map_err(|error| unfinished(error, last.as_deref(), args))?;
    run.print(&trained.history, &evaluation, &result, output, ranks)?;
    Ok(ExitCode::SUCCESS)
}

/// The job; of one that is resumed the folder, too, which the first process alone has: the others get its checkpoint from there.
fn job(args: &TrainArgs, ranks: &mut Ranks) -> anyhow::Result<(Job, Option<RunFolder>)> {
    let devices = args.device.device.0.len();
    let all = ranks.size() * devices;
    ensure!(
        ranks.size() == 1 || devices.is_power_of_two(),
        "--device names {devices} devices in each of {} processes; give each 1, 2, 4 or 8, so that their sums are the same in any order of machines",
        ranks.size()
    );
    ensure!(
        all == 1 || !args.tune.asked(),
        "--tune is for one process on one device, since several could choose different kernels; leave it out"
    );
    if !args.resume {
        return Ok((Job::begin(args, all)?, None));
    }
    let folder = if ranks.is_first() { args.resumed()? } else { None };
    let job = folder.as_ref().map(|folder| Job::resume(args, folder.dir(), all)).transpose()?;
    let path = job.as_ref().and_then(|job| job.checkpoint_path(args));
    let handed = ranks.hand_checkpoint(path.as_deref())?;
    let job = match (job, handed) {
        (Some(job), _) => job,
        (None, Some(handed)) => Job::resume(args, handed.path(), all)?,
        (None, None) => return Err(anyhow!("there is no checkpoint")),
    };
    Ok((job, folder))
}

/// Reads the data, claims the folder, opens the devices, and prints what was chosen.
fn prepare<'a>(
    args: &'a TrainArgs,
    mut job: Job,
    resumed: Option<RunFolder>,
    output: &mut Output,
    ranks: &mut Ranks,
) -> anyhow::Result<(Run<'a>, FitOptions)> {
    let network = job.file.model.network()?;
    args.report.check(&network)?;
    let init = args.init.weights(&network, job.seed()?)?;
    let folder = match (resumed, ranks.is_first()) {
        (_, false) => None,
        (Some(folder), _) => Some(folder.probed()?),
        (None, _) => Some(args.folder(&job.file.model.name)?),
    };
    if let Some(folder) = &folder {
        job.settings.tensorboard = args.check_tensorboard(folder, &job.settings)?;
    }
    job.file.training.check_target(&network)?;
    let (read, sets, mut options) = sets(args, &mut job, &network)?;
    options.profile = args.sampling(&options, sets.train.len());
    let Opened { device, others, why, plan } = open(args, &mut job, &read, &options, ranks)?;
    for why in why {
        output.line(format_args!("Device: {why}"))?;
    }
    output.line(job.file.model.summary_in(output_columns().unwrap_or(COLUMNS))?)?;
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
    if let Some(weights) = &init {
        model.set_weights(weights.clone())?;
    }
    let devices = [&device].into_iter().chain(&others);
    check_ranks(ranks, &job, &devices.collect::<Vec<_>>(), args.mixed_devices, &mut model)?;
    let mut joined = Vec::new();
    for device in others {
        let mut model = job.file.model.compile(&device, compile)?;
        if let Some(weights) = &init {
            model.set_weights(weights.clone())?;
        }
        joined.push(model);
    }
    if ranks.size() > 1 {
        let (place, go_on) = (folder.as_ref().map_or(Path::new(""), RunFolder::dir), "resume it with");
        note(format_args!(
            "{} processes, {} micro-batches to a batch; if the run is cut off, {go_on}: {}",
            ranks.size(),
            options.micro_batches.unwrap_or(1),
            args.go_on(place)
        ));
    }
    let updates = if args.mixed_devices { Updates::FirstOnly } else { Updates::Everywhere };
    let joined =
        Joined { in_training: ranks.collective(), afterwards: ranks.collective(), updates, others: joined };
    Ok((Run { args, job, sets, device, plan, model, joined, folder }, options))
}

/// Reads the data, and takes from it what the model file leaves open; returns it as it is, as the model is held to it, and the options
/// of its training.
fn sets(args: &TrainArgs, job: &mut Job, network: &Network) -> anyhow::Result<(Sets, Sets, FitOptions)> {
    let read = job.sets(args)?;
    if job.checkpoint.is_none() {
        check_fits(args.model.as_ref(), (&args.data(), &args.layout), network, &read.train)?;
    }
    if job.file.class_names.is_empty() && read.train.classes() == network.classes() {
        job.file.class_names = read.train.class_names().to_vec();
    }
    if job.file.feature_names.is_empty() && read.train.shape() == network.input_shape {
        job.file.feature_names = read.train.feature_names().to_vec();
    }
    let sets = read.held_to(network)?;
    let mut options = job.fit_options(&sets)?;
    options.allow_nan = job.settings.allow_nan;
    options.sets(network, &sets.train)?;
    sets.warn_of_classes(&job.file.class_names, job.settings.limit.is_some());
    let before = job.checkpoint.as_ref().zip(args.out.as_deref());
    let before = before.map(|(checkpoint, run)| Before { run, steps: checkpoint.steps() });
    schedule_end::tell(&job.file, &options, sets.train.len(), before.as_ref());
    Ok((read, sets, options))
}

/// The devices of a run.
struct Opened {
    device: Device,
    others: Vec<Device>,
    /// What each is, and why it was chosen.
    why: Vec<String>,
    /// As the first device runs it.
    plan: Plan,
}

/// Opens the devices, while it is checked that a resumed run has the data that it had.
fn open(
    args: &TrainArgs,
    job: &mut Job,
    read: &Sets,
    options: &FitOptions,
    ranks: &Ranks,
) -> anyhow::Result<Opened> {
    let batch = options.capacity(read.train.len(), options.micro_batches.unwrap_or(1));
    let plan = job.file.plan(batch)?;
    let chosen = &args.device.device.0;
    let seat = |at: usize| [ranks.local()[0] * chosen.len() + at, ranks.local()[1] * chosen.len()];
    let (opened, digests) = std::thread::scope(|scope| {
        // Every byte is read for them: some hundredths of a second, while the driver opens the device.
        let digests = scope.spawn(|| read.digests());
        (job.open(&chosen[0], seat(0), &plan), digests.join())
    });
    let digests = digests.map_err(|_| anyhow!("the checksum of the data set could not be computed"))?;
    job.check_same_data(args, &digests)?;
    let (device, first) = opened?;
    job.settings.data_digests = Some(digests);
    job.settings.capacity = Some(batch).filter(|&batch| batch < options.batch_size);
    let others = (1..chosen.len()).map(|at| job.open(&chosen[at], seat(at), &plan));
    let others = others.collect::<anyhow::Result<Vec<(Device, String)>>>()?;
    let plan = if job.settings.no_fuse { plan } else { device.prepare(plan) };
    let (others, theirs): (Vec<_>, Vec<_>) = others.into_iter().unzip();
    Ok(Opened { device, others, why: [vec![first], theirs].concat(), plan })
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
