//! `shadegrad crossval`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::Serialize;

use super::args::{DataSource, FuseArg, ModelSource, of_out};
use super::device_args::DeviceArg;
use super::fitting::check_fits;
use super::interrupt;
use super::layout::LayoutArgs;
use super::output::{Output, note, spare_remarks};
use super::picture_data;
use super::progress::Progress;
use super::same_data::{Known, tell_other_training_set};
use super::schedule_end;
use super::table::{Align, render_all};
use super::train_args::RUNS;
use super::training::TrainingArgs;
use crate::data::folds::folds_of;
use crate::data::{Dataset, LoadOptions, PictureFolder};
use crate::device::Device;
use crate::error::Error;
use crate::executor::check_data;
use crate::io::ModelFile;
use crate::io::run::{CROSSVAL_FILE, FOLD, FOLD_FILE, HISTORY_FILE, RunFolder};
use crate::model::thousands;
use crate::plan::Plan;
use crate::train::{
    Callback, CallbackError, Compile, CrossValidation, EpochRecord, FoldResult, Schedule, Spread, StepRecord,
    cross_validate_on, held_to, main_metric,
};

/// Train one or several models fold by fold, and compare score, weights and time
///
/// The training set is split into K folds, with every class spread over them evenly. Each model is trained K times, each
/// time on all folds but one, and evaluated on that one. A table shows for each model the mean over the folds and the
/// standard deviation. The run folder gets crossval.json and, for each model and fold, history.jsonl and fold.json, as
/// soon as they are known. The test set is not used.
///
/// Ctrl-C ends it after the steps in progress, with exit code 130; what is known by then stays in the run folder.
#[derive(Debug, clap::Args)]
pub struct CrossvalArgs {
    /// A model: the embedded `tutorial` or a model file. To compare several, give the flag several times. By default
    /// the tutorial, or for pictures a larger model made for them
    #[arg(long, value_name = "tutorial|FILE.toml")]
    model: Vec<ModelSource>,
    /// The data set: the embedded `mnist`; a folder with a sub-folder of pictures for each class, or with IDX, CIFAR
    /// or NumPy files or tables; or a table (docs/data.md)
    #[arg(long, value_name = "mnist|DIR|FILE.csv", default_value = "mnist")]
    data: DataSource,
    #[command(flatten)]
    layout: LayoutArgs,
    /// Number of folds, at least 2
    #[arg(long, value_name = "K", default_value = "5", value_parser = folds, allow_negative_numbers = true)]
    folds: usize,
    #[command(flatten)]
    training: TrainingArgs,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    fuse: FuseArg,
    /// The run folder; by default runs/crossval-N with the next free N
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the files of an earlier cross-validation in --out; other files in it stay
    #[arg(long, requires = "out")]
    force: bool,
    /// Print only the results, as JSON
    #[arg(long)]
    json: bool,
}

/// What is written to crossval.json and printed by `--json`.
#[derive(Debug, Serialize)]
struct Results<'a> {
    folds: usize,
    seed: u64,
    samples: usize,
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transpose: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_label: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    target: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    coarse_labels: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    split_seed: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<[usize; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<usize>,
    device: String,
    models: &'a [CrossValidation],
}

/// Cross-validates each model. All mistakes that can be found are found before anything is trained.
pub fn run(args: &CrossvalArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    if args.json {
        spare_remarks();
    }
    let layout = args.layout.options(&args.data, None)?;
    let pictures = args.data.pictures(&layout)?;
    let asked = if args.model.is_empty() { vec![None] } else { args.model.iter().map(Some).collect() };
    let files = asked.iter().map(|asked| model_file(args, *asked, pictures.as_ref()));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let mut folder = match &args.out {
        Some(dir) => RunFolder::at_crossval(dir, args.force).map_err(of_out)?,
        None => RunFolder::next(Path::new(RUNS), "crossval").map_err(of_out)?,
    };
    let train = match pictures {
        Some(folder) => picture_data::load(folder)?.train,
        None => args.data.load(&layout)?.train,
    };
    let known = files.first().map_or_else(Known::default, Known::by);
    let train = known.of(train).with_context(|| args.data.to_string())?;
    let train = args.training.limited(train, known.classes)?;
    for source in &args.model {
        tell_other_training_set(source, &train);
    }
    check_models(args, files.iter().zip(asked), &train)?;
    let folds = folds_of(&train, args.folds, args.training.seed)?;
    check_splits(&files, &train, &folds)?;
    let (device, why) = Device::open(&args.device.device)?;
    if !args.json {
        output.line(format_args!("Device: {why}"))?;
        output.line(format_args!(
            "Data: {}, {} samples in {} folds",
            args.data,
            thousands(train.len()),
            args.folds
        ))?;
    }
    for file in files.iter().skip(1) {
        try_plan(args, file, &device, train.len() - train.len() / args.folds)
            .with_context(|| format!("model `{}`", file.model.name))?;
    }
    folder.begin_crossval()?;
    interrupt::listen(true);
    let mut models = Vec::with_capacity(files.len());
    for model in (1..).zip(&files) {
        match validate(args, model, &device, &train, &folds, &folder, output) {
            Ok(validated) => models.push(validated),
            Err(Error::Interrupted { fold, folds }) => {
                if !args.json && !models.is_empty() {
                    output.line(table(&models, &files))?;
                }
                let any = fold > 1 || !models.is_empty();
                tell_interrupted([fold, folds], &model.1.model.name, any.then(|| folder.dir()));
                return Ok(ExitCode::from(interrupt::EXIT_CODE));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let json = serde_json::to_string_pretty(&results(args, layout, &device, train.len(), &models))?;
    folder.write(CROSSVAL_FILE, format!("{json}\n").as_bytes())?;
    if args.json {
        output.line(json)?;
    } else {
        output.line(format_args!("Run: {}", folder.dir().display()))?;
        output.line(table(&models, &files))?;
    }
    check_diverged(&models)?;
    Ok(ExitCode::SUCCESS)
}

/// What is kept of it, with how the data was read.
fn results<'a>(
    args: &CrossvalArgs,
    layout: LoadOptions,
    device: &Device,
    samples: usize,
    models: &'a [CrossValidation],
) -> Results<'a> {
    Results {
        folds: args.folds,
        seed: args.training.seed,
        samples,
        data: args.data.to_string(),
        transpose: layout.transpose,
        first_label: layout.first_label,
        target: layout.target,
        coarse_labels: layout.coarse_labels,
        split_seed: Some(layout.split_seed).filter(|&seed| seed != 0),
        size: layout.size,
        channels: layout.channels,
        device: device.title(),
        models,
    }
}

/// Says where Ctrl-C ended it, and in which folder the scores of the folds before are, if there are any.
fn tell_interrupted([fold, folds]: [usize; 2], model: &str, dir: Option<&Path>) {
    let known = dir.map_or(String::new(), |dir| {
        format!("; the folds before it are in {}, each with its scores in {FOLD_FILE}", dir.display())
    });
    note(format_args!("Interrupted in fold {fold} of {folds} of {model}{known}"));
}

/// Ends with an error where folds have no score.
fn check_diverged(models: &[CrossValidation]) -> anyhow::Result<()> {
    let diverged =
        models.iter().flat_map(|model| &model.folds).filter(|fold| fold.diverged.is_some()).count();
    if diverged > 0 {
        bail!(
            "{diverged} of {} folds diverged, and the metrics are those of the others; what usually helps: a smaller \
             --learning-rate, `clipnorm` in [optimizer], a schedule that warms up",
            models.iter().map(|model| model.folds.len()).sum::<usize>()
        );
    }
    Ok(())
}

/// Refuses models that do not fit the data, or whose training does not fit their target.
fn check_models<'a>(
    args: &CrossvalArgs,
    files: impl Iterator<Item = (&'a ModelFile, Option<&'a ModelSource>)>,
    train: &Dataset,
) -> anyhow::Result<()> {
    for (file, source) in files {
        let network = file.model.network()?;
        check_fits(source, (&args.data, &args.layout), &network, train)?;
        check_data(&network, &held_to(&network, train)?)?;
        file.training.check_target(&network).with_context(|| format!("model `{}`", file.model.name))?;
    }
    Ok(())
}

/// Refuses a validation split that leaves no samples, and a plan that cannot be built, for the last model as for the
/// first: otherwise this would show only after the models before it are trained.
fn check_splits(files: &[ModelFile], train: &Dataset, folds: &[Vec<u32>]) -> anyhow::Result<()> {
    let largest = folds.iter().map(Vec::len).max().unwrap_or(0);
    let fewest = train.take(train.len() - largest)?;
    for file in files {
        let of_model = || format!("model `{}`", file.model.name);
        let (part, _) = file.training.split(&fewest).with_context(of_model)?;
        plan(file, part.len()).with_context(of_model)?;
        schedule_end::tell(file, &file.training, part.len(), None);
    }
    Ok(())
}

/// Refuses a model that does not fit the device before the ones ahead of it are trained.
fn try_plan(args: &CrossvalArgs, file: &ModelFile, device: &Device, samples: usize) -> anyhow::Result<()> {
    device.executor(args.fuse.prepare(device, plan(file, samples)?))?;
    Ok(())
}

/// The plan of a model that is trained on this many samples.
fn plan(file: &ModelFile, samples: usize) -> anyhow::Result<Plan> {
    let micro_batches = file.training.micro_batches.unwrap_or(1);
    Ok(file.plan(file.training.capacity(samples, micro_batches))?)
}

/// A model file with the settings that the flags override.
fn model_file(
    args: &CrossvalArgs,
    asked: Option<&ModelSource>,
    pictures: Option<&PictureFolder>,
) -> anyhow::Result<ModelFile> {
    let mut file = ModelSource::read_for(asked, pictures)?;
    if asked.is_none() {
        args.training.check_made(&file)?;
    }
    args.training.apply(&mut file)?;
    if let (Some(folder), None, false) = (pictures, asked, args.training.schedules()) {
        // One part is held out.
        let samples = args.training.limit.unwrap_or(usize::MAX).min(folder.train_len());
        file.fit_cycle(samples - samples / args.folds);
    }
    file.training.class_names = file.class_names.clone();
    Ok(file)
}

/// Trains a model, whose number is counted from 1, without each of the parts.
fn validate(
    args: &CrossvalArgs,
    (number, file): (usize, &ModelFile),
    device: &Device,
    train: &Dataset,
    parts: &[Vec<u32>],
    folder: &RunFolder,
    output: &mut Output,
) -> Result<CrossValidation, Error> {
    let compile = Compile {
        loss: file.loss,
        optimizer: file.optimizer,
        augmentation: file.augmentation,
        seed: args.training.seed,
        no_fuse: args.fuse.no_fuse(),
        ..Compile::default()
    };
    let train = held_to(&file.model.network()?, train)?;
    let mut folds = Folds {
        model: &file.model.name,
        folder,
        number,
        folds: args.folds,
        fold: 0,
        history: Vec::new(),
        progress: if args.json { Progress::new() } else { Progress::on(output) },
    };
    cross_validate_on(&file.model, device, compile, &train, parts, &file.training, &mut folds)
}

/// Prints which fold is trained and its progress, and writes its history.
struct Folds<'a> {
    model: &'a str,
    folder: &'a RunFolder,
    /// Of the model, counted from 1.
    number: usize,
    folds: usize,
    /// The current one, counted from 1.
    fold: usize,
    history: Vec<EpochRecord>,
    progress: Progress<'a>,
}

impl Callback for Folds<'_> {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        self.fold += 1;
        self.history.clear();
        self.progress.heading(format_args!("{}: fold {} of {}", self.model, self.fold, self.folds))?;
        self.progress.begin(schedule);
        Ok(())
    }

    fn on_epoch_begin(&mut self, epoch: usize) -> Result<(), CallbackError> {
        self.progress.begin_epoch(epoch);
        Ok(())
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.progress.step(record);
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.progress.end_epoch(record)?;
        self.history.push(*record);
        Ok(self.folder.write_lines(&self.within(), HISTORY_FILE, &self.history)?)
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }

    fn on_fold_end(&mut self, result: &FoldResult) -> Result<(), CallbackError> {
        self.progress.end();
        if let Some(diverged) = &result.diverged {
            note(format_args!("warning: {}: fold {} has no score: {diverged}", self.model, self.fold));
        }
        Ok(self.folder.write_lines(&self.within(), FOLD_FILE, std::slice::from_ref(result))?)
    }
}

impl Folds<'_> {
    /// The folder of the current fold.
    fn within(&self) -> String {
        format!("{}-{}/{FOLD}{}", self.number, self.model, self.fold)
    }
}

/// One line per model: means over the folds and their standard deviations. Where targets are no classes, another metric stands
/// for the accuracy; each has a column of its own.
fn table(models: &[CrossValidation], files: &[ModelFile]) -> String {
    let spread = |found: &CrossValidation, spread: &Spread, digits: usize| match found
        .folds
        .iter()
        .all(|fold| fold.diverged.is_some())
    {
        true => "-".to_owned(),
        false => format!("{:.digits$} +- {:.digits$}", spread.mean, spread.deviation),
    };
    let of_model: Vec<&str> = files.iter().map(|file| main_metric(file.model.target)).collect();
    let mut metrics = of_model.clone();
    metrics.sort_unstable();
    metrics.dedup();
    let rows = models.iter().zip(&of_model).map(|(found, of_model)| {
        let figure = found.accuracy.as_ref().or_else(|| found.metrics.get(of_model.to_lowercase().as_str()));
        let cell = |metric: &&str| match figure.filter(|_| metric == of_model) {
            Some(figure) => spread(found, figure, 4),
            None => "-".to_owned(),
        };
        let mut cells = vec![found.model.clone(), thousands(found.parameters)];
        cells.extend(metrics.iter().map(cell));
        cells.extend([spread(found, &found.loss, 4), spread(found, &found.seconds, 1)]);
        cells
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let figures = metrics.iter().map(|&metric| if metric == "accuracy" { "Accuracy" } else { metric });
    let headings = ["Weights"].into_iter().chain(figures).chain(["Loss", "Seconds per fold"]);
    let right = headings.map(|heading| (heading, Align::Right));
    let headings: Vec<_> = [("Model", Align::Left)].into_iter().chain(right).collect();
    render_all(&headings, &rows)
}

/// A number of folds.
fn folds(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&folds| folds >= 2)
        .ok_or_else(|| "it must be a whole number, at least 2".to_owned())
}
