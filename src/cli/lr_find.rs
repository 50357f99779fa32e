//! `shadegrad lr-find`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::builder::PossibleValuesParser;
use serde::Serialize;

use super::args::{DataSource, FuseArg, ModelSource, batch_size, count, positive, seed};
use super::device_args::DeviceArg;
use super::fitting::check_fits;
use super::go_on::program;
use super::init::{InitArgs, TrainableArg};
use super::layout::LayoutArgs;
use super::output::{Output, note};
use super::path_text::shell_word;
use super::picture_data;
use super::progress::spinner;
use super::rate_text::{end, plot, reason, table};
use super::same_data::Known;
use super::terminal::{COLUMNS, Sink, output_columns, sink};
use crate::data::{Dataset, PictureFolder};
use crate::device::{Device, DeviceChoice};
use crate::io::ModelFile;
use crate::io::destination::Destination;
use crate::io::report::{is_plot, rate_plot};
use crate::model::{Optimizer, bytes};
use crate::numbers::shown;
use crate::train::{
    Compile, CosineDecay, CurveEnd, LearningRateSchedule, NoSuggestion, RateCurve, RatePoint, RateRange,
    RateSuggestion, held_to,
};

/// Try learning rates from small to large on the first batches of an epoch, and suggest one
///
/// Each batch is trained at a larger rate than the one before, up to --max-rate or until the loss diverges. Prints the
/// losses, as a plot on a terminal and as a table elsewhere, the suggested rate with its reason, and the command that
/// trains with it. No weights are kept.
#[derive(Debug, clap::Args)]
pub struct LrFindArgs {
    /// The model: the embedded `tutorial` or a model file; by default the tutorial, or for pictures a larger model
    /// made for them
    #[arg(long, value_name = "tutorial|FILE.toml")]
    model: Option<ModelSource>,
    /// The data set: the embedded `mnist`, which is the default; a folder with a sub-folder of pictures for each
    /// class, or with IDX, CIFAR or NumPy files or tables; or a table (docs/data.md)
    #[arg(long, value_name = "mnist|DIR|FILE.csv")]
    data: Option<DataSource>,
    #[command(flatten)]
    layout: LayoutArgs,
    /// Samples per batch, up to 65536; by default as in the model file, else 64, and 32 for the model made for pictures
    #[arg(long, value_name = "N", value_parser = batch_size, allow_negative_numbers = true)]
    batch_size: Option<usize>,
    /// The seed of initial weights, the order of samples, dropout and augmentation
    #[arg(long, value_name = "N", default_value = "0", value_parser = seed, allow_negative_numbers = true)]
    seed: u64,
    /// The optimizer; by default that of the model file. With another one, clipping, averaging and weight decay stay
    /// as in the model file
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Optimizer::NAMES))]
    optimizer: Option<String>,
    /// Use only the first N training samples
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    limit: Option<usize>,
    #[command(flatten)]
    init: InitArgs,
    #[command(flatten)]
    trainable: TrainableArg,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    fuse: FuseArg,
    /// The learning rate of the first batch
    #[arg(long, value_name = "X", default_value = "1e-7", value_parser = positive, allow_negative_numbers = true)]
    min_rate: f64,
    /// The learning rate of the last batch
    #[arg(long, value_name = "X", default_value = "1", value_parser = positive, allow_negative_numbers = true)]
    max_rate: f64,
    /// Number of batches, each with a rate of its own; over several passes where the training set has fewer
    #[arg(long, value_name = "N", default_value = "100", value_parser = count, allow_negative_numbers = true)]
    batches: usize,
    /// Share of the smoothed loss that is kept from batch to batch, at least 0 and below 1
    #[arg(long, value_name = "F", default_value = "0.9", value_parser = kept, allow_negative_numbers = true)]
    smoothing: f64,
    /// Write a plot of the curve to this file, or to standard output with `-`
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Replace an earlier plot in the file of --plot
    #[arg(long, requires = "plot")]
    force: bool,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Found<'a> {
    points: &'a [RatePoint],
    end: CurveEnd,
    suggestion: Option<RateSuggestion>,
    /// Why this rate, or why none.
    reason: String,
    /// Trains with it.
    command: Option<String>,
}

/// Tries the rates and prints what they do.
pub fn run(args: &LrFindArgs, output: &mut Output) -> anyhow::Result<()> {
    let place = args.place()?;
    if place.as_ref().is_some_and(Destination::is_stdout) {
        output.step_aside();
    }
    args.check_flags(place.as_ref())?;
    if args.json {
        output.quiet();
    }
    let range = RateRange {
        min_learning_rate: args.min_rate,
        max_learning_rate: args.max_rate,
        batches: args.batches,
        smoothing: args.smoothing,
    };
    range.check()?;
    let source = args.source();
    let layout = args.layout.options(&source, None)?;
    let pictures = source.pictures(&layout)?;
    let file = args.file(pictures.as_ref())?;
    let train = || match pictures {
        Some(folder) => Ok(picture_data::load(folder)?.train),
        None => Ok(source.load(&layout)?.train),
    };
    let curve = args.curve(&file, train, &range, output)?;
    let suggestion = curve.suggestion();
    let rate = suggestion.as_ref().ok().map(|found| found.learning_rate);
    if let Some(place) = &place {
        let svg = rate_plot(&curve.points, rate)?;
        place.write(svg.as_bytes())?;
        output.line(format_args!("Wrote {place}: {}", bytes(svg.len())))?;
    }
    let found = Found {
        points: &curve.points,
        end: curve.end,
        suggestion: suggestion.ok(),
        reason: match &suggestion {
            Ok(found) => reason(found),
            Err(why) => format!("No learning rate is suggested: {}", args.told(why)),
        },
        command: rate.map(|rate| args.command(&file, rate)),
    };
    if args.json {
        return output.result(serde_json::to_string(&found)?);
    }
    let plotted = || plot(found.points, rate, output_columns().unwrap_or(COLUMNS));
    output.line(if sink() == Sink::Terminal { plotted() } else { table(found.points) })?;
    output.line(format_args!("{}\n{}", end(&curve), found.reason))?;
    match &found.command {
        Some(command) => output.line(format_args!("Train with it: {command}")),
        None => Ok(()),
    }
}

impl LrFindArgs {
    /// Refuses flags that contradict each other, by their names.
    fn check_flags(&self, place: Option<&Destination>) -> anyhow::Result<()> {
        if self.json && place.is_some_and(Destination::is_stdout) {
            bail!("--json and --plot - both write to standard output; give the plot a file: --plot FILE.svg");
        }
        let [least, most] = [self.min_rate, self.max_rate].map(shown);
        ensure!(
            self.min_rate < self.max_rate,
            "--max-rate is {most}, but must be above --min-rate, which is {least}"
        );
        Ok(())
    }

    /// Why no rate is suggested, with the flag that is to blame.
    fn told(&self, why: &NoSuggestion) -> String {
        match why {
            NoSuggestion::Few { points, needed } if *points == self.batches => {
                format!("--batches is {points}, too few to tell: at least {needed} are needed")
            }
            other => other.to_string(),
        }
    }

    /// Where the plot goes; only a plot of ours is ever replaced.
    fn place(&self) -> anyhow::Result<Option<Destination>> {
        let Some(path) = &self.plot else { return Ok(None) };
        let place = Destination::new(path, Path::new(""), "lr-find.svg")?;
        place.check_free(self.force)?;
        place.check_ours(
            is_plot,
            "a plot of `lr-find`",
            "move it away, or choose another name with --plot",
        )?;
        Ok(Some(place))
    }

    /// The model, as the flags change it.
    fn file(&self, pictures: Option<&PictureFolder>) -> anyhow::Result<ModelFile> {
        let mut file = ModelSource::read_for(self.model.as_ref(), pictures)?;
        if let Some(name) = &self.optimizer {
            file.optimizer = file.optimizer.or_named(name);
        }
        file.training.batch_size = self.batch_size.unwrap_or(file.training.batch_size);
        self.trainable.apply(&mut file)?;
        Ok(file)
    }

    fn source(&self) -> DataSource {
        self.data.clone().unwrap_or(DataSource::Mnist)
    }

    /// Reads the data, opens the device, and tries the rates.
    fn curve(
        &self,
        file: &ModelFile,
        train: impl FnOnce() -> anyhow::Result<Dataset>,
        range: &RateRange,
        output: &mut Output,
    ) -> anyhow::Result<RateCurve> {
        let network = file.model.network()?;
        let init = self.init.weights(&network, self.seed)?;
        let train = Known::by(file).of(train()?).with_context(|| self.source().to_string())?;
        check_fits(self.model.as_ref(), (&self.source(), &self.layout), &network, &train)?;
        let train = train.take(self.limit.unwrap_or(train.len()).min(train.len()))?;
        let train = held_to(&network, &train)?;
        let (device, why) = Device::open(&self.device.device)?;
        output.line(format_args!("Device: {why}"))?;
        let compile = Compile { seed: self.seed, no_fuse: self.fuse.no_fuse(), ..file.compile() };
        let mut model = file.model.compile(&device, compile)?;
        if let Some(weights) = init {
            model.set_weights(weights)?;
        }
        let spinner = spinner(format!("trying learning rates from {:e}", self.min_rate));
        let curve = model.try_learning_rates(&train, &file.training, range);
        spinner.finish_and_clear();
        Ok(curve?)
    }

    /// The command that trains with this rate, with the flags of this one that matter; notes what a schedule of the model file
    /// makes of the rate.
    fn command(&self, file: &ModelFile, rate: f64) -> String {
        let mut words = vec![program(), "train".to_owned()];
        let mut flag = |name: &str, value: Option<String>| {
            words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        };
        flag(
            "--model",
            match &self.model {
                None => None,
                // For pictures it is not the default.
                Some(ModelSource::Tutorial) => {
                    Some("tutorial".to_owned()).filter(|_| self.source().is_pictures())
                }
                Some(ModelSource::File(path)) => Some(shell_word(path)),
            },
        );
        flag("--data", self.data.as_ref().map(|data| shell_word(&data.as_argument())));
        flag("--batch-size", self.batch_size.map(|size| size.to_string()));
        flag("--seed", Some(self.seed).filter(|&seed| seed != 0).map(|seed| seed.to_string()));
        flag("--optimizer", self.optimizer.clone());
        flag("--limit", self.limit.map(|limit| limit.to_string()));
        for (name, value) in self.init.words().into_iter().chain(self.trainable.words()) {
            flag(name, Some(value));
        }
        let device = &self.device.device;
        let named = Some(device).filter(|device| **device != DeviceChoice::Auto);
        flag("--device", named.map(|device| shell_word(device.to_string().as_ref())));
        flag("--learning-rate", Some(format!("{rate:e}")));
        match &file.training.schedule {
            LearningRateSchedule::Step(_) => {
                note("note: the model file's schedule `step` has rates of its own; the command turns it off");
                flag("--schedule", Some("type=constant".to_owned()));
            }
            LearningRateSchedule::Cosine(CosineDecay { warmup_target: Some(_), .. }) => {
                note(format_args!(
                    "note: the model file's schedule `cosine` warms up to its own `warmup_target`, which should be {rate:e}; \
                     the command turns the schedule off"
                ));
                flag("--schedule", Some("type=constant".to_owned()));
            }
            _ => {}
        }
        words.extend(self.layout.words());
        if self.fuse.no_fuse() {
            words.push("--no-fuse".to_owned());
        }
        words.join(" ")
    }
}

/// A share of a whole, less than all.
fn kept(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share: &f64| (0.0..1.0).contains(share))
        .ok_or_else(|| "it must be a number, at least 0 and below 1, such as 0.9".to_owned())
}
