//! How a model is trained: the flags that `train` and `crossval` share. Each overrides the model file.

use anyhow::bail;
use clap::builder::PossibleValuesParser;

use super::args::{batch_size, count, finite, positive, seed, share};
use super::output::note;
use super::settings::{Setting, setting, settings};
use crate::data::Dataset;
use crate::data::coverage::{listed, uncovered};
use crate::io::ModelFile;
use crate::model::Optimizer;
use crate::train::{EarlyStopping, LearningRateSchedule, ReduceOnPlateau};

#[derive(Debug, clap::Args)]
pub struct TrainingArgs {
    /// Passes over the training set, at most; by default as in the model file, else 5, and for the model made for
    /// pictures from 10 to 60, the more the fewer pictures there are
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub epochs: Option<usize>,
    /// Samples per batch, up to 65536; by default as in the model file, else 64, and 32 for the model made for
    /// pictures. If there are fewer training samples, all of them
    #[arg(long, value_name = "N", value_parser = batch_size, allow_negative_numbers = true)]
    batch_size: Option<usize>,
    /// Compute each batch in N parts (micro-batches), one after another or shared among processes and devices, and add
    /// up their gradients before the update; by default as in the model file, else as many as there are processes and
    /// devices
    #[arg(long, value_name = "N", value_parser = batch_size, allow_negative_numbers = true)]
    pub micro_batches: Option<usize>,
    /// The seed of initial weights, the order of samples, dropout, augmentation and folds
    #[arg(long, value_name = "N", default_value = "0", value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// The optimizer; by default that of the model file. With another one, clipping, averaging and weight decay stay
    /// as in the model file
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Optimizer::NAMES))]
    optimizer: Option<String>,
    /// The learning rate; by default as in the model file, or Keras's default if --optimizer is another one than there
    ///
    /// A schedule begins with it; for one_cycle it is the greatest rate. The schedule step has rates of its own, and
    /// refuses this flag.
    #[arg(long, value_name = "X", value_parser = positive, allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// Continue training when a loss or a gradient is not finite; by default training ends then
    #[arg(long)]
    pub allow_nan: bool,
    /// How the learning rate changes from step to step, such as type=cosine,decay_steps=4690; by default as in the
    /// model file, else constant
    ///
    /// The type is constant, step, exponential, cosine or one_cycle. The other keys are those of [optimizer.schedule]
    /// (docs/model-file.md).
    #[arg(long, value_name = "KEY=VALUE,...", value_parser = settings::<LearningRateSchedule>)]
    schedule: Option<LearningRateSchedule>,
    /// Train on the samples in the order of the files; by default each epoch takes them in a new random order
    #[arg(long)]
    no_shuffle: bool,
    /// End training after N optimizer steps, even within an epoch; by default as in the model file, else never
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub max_steps: Option<usize>,
    /// Use only the first N training samples
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Hold out this share of the training set, its last samples, and evaluate it after each epoch; above 0 and below
    /// 1
    #[arg(long, value_name = "F", value_parser = share, allow_negative_numbers = true)]
    validation_split: Option<f64>,
    /// Hold out the share of --validation-split from every class, the last samples of each, for files that are sorted
    /// by class
    #[arg(long)]
    stratify: bool,
    /// End training after an epoch whose loss is at most X: that of the validation set if there is one, else of the
    /// training set
    #[arg(long, value_name = "X", value_parser = finite, allow_negative_numbers = true)]
    until_loss: Option<f64>,
    /// End training after an epoch whose accuracy, of the same set, is at least X, above 0 and at most 1; with
    /// --until-loss, once both are reached
    #[arg(long, value_name = "X", value_parser = share_or_all, allow_negative_numbers = true)]
    until_accuracy: Option<f64>,
    /// End training when a metric no longer improves, such as patience=3,restore_best_weights=true; `off` overrides
    /// the model file
    ///
    /// Keys and their defaults: monitor (val_loss), patience (0 epochs), min_delta (0), baseline (none),
    /// restore_best_weights (false), start_from_epoch (0). Without a value all are the defaults.
    #[arg(long, value_name = "KEY=VALUE,...", num_args = 0..=1, default_missing_value = "",
          value_parser = setting::<EarlyStopping>)]
    early_stopping: Option<Setting<EarlyStopping>>,
    /// Reduce the learning rate when a metric no longer improves, such as factor=0.5,patience=2; `off` overrides the
    /// model file
    ///
    /// Keys and their defaults: monitor (val_loss), factor (0.1), patience (10 epochs), min_delta (1e-4), cooldown (0
    /// epochs), min_lr (0). Without a value all are the defaults.
    #[arg(long, value_name = "KEY=VALUE,...", num_args = 0..=1, default_missing_value = "",
          value_parser = setting::<ReduceOnPlateau>)]
    reduce_lr_on_plateau: Option<Setting<ReduceOnPlateau>>,
}

impl TrainingArgs {
    /// Overrides settings of the model file with those of the flags.
    ///
    /// # Errors
    /// When the resulting settings are invalid.
    pub fn apply(&self, file: &mut ModelFile) -> anyhow::Result<()> {
        if let Some(name) = &self.optimizer {
            file.optimizer = file.optimizer.or_named(name);
        }
        let training = &mut file.training;
        if let Some(schedule) = &self.schedule {
            training.schedule = schedule.clone();
        }
        if let Some(learning_rate) = self.learning_rate {
            file.optimizer.set_learning_rate(learning_rate);
            training.schedule.set_initial_learning_rate(learning_rate)?;
        }
        training.epochs = self.epochs.unwrap_or(training.epochs);
        training.batch_size = self.batch_size.unwrap_or(training.batch_size);
        training.micro_batches = self.micro_batches.or(training.micro_batches);
        training.shuffle &= !self.no_shuffle;
        training.allow_nan = self.allow_nan;
        training.max_steps = self.max_steps.or(training.max_steps);
        training.validation_split = self.validation_split.or(training.validation_split);
        training.stratify |= self.stratify;
        training.until_loss = self.until_loss.or(training.until_loss);
        training.until_accuracy = self.until_accuracy.or(training.until_accuracy);
        if let Some(setting) = &self.early_stopping {
            training.early_stopping = setting.value();
        }
        if let Some(setting) = &self.reduce_lr_on_plateau {
            training.reduce_lr_on_plateau = setting.value();
        }
        file.optimizer.check()?;
        Ok(training.check()?)
    }

    /// Whether a flag says what is held out for validation.
    pub fn splits(&self) -> bool {
        self.validation_split.is_some() || self.stratify
    }

    /// Whether a flag says how the learning rate changes.
    pub fn schedules(&self) -> bool {
        self.schedule.is_some()
    }

    /// Refuses to reduce the learning rate on plateaus beside the schedule of the model that is made for pictures.
    pub fn check_made(&self, file: &ModelFile) -> anyhow::Result<()> {
        let asked = self.reduce_lr_on_plateau.as_ref().is_some_and(|setting| setting.value().is_some());
        let schedule = &file.training.schedule;
        if asked && !self.schedules() && *schedule != LearningRateSchedule::Constant {
            bail!(
                "--reduce-lr-on-plateau sets the learning rate, but so does the model that is made for pictures: it has the \
                 schedule `{}`; turn that off with --schedule type=constant, or leave --reduce-lr-on-plateau out",
                schedule.name()
            );
        }
        Ok(())
    }

    /// The part of a training set that `--limit` leaves; warns if it leaves a class out.
    pub fn limited(&self, train: Dataset, names: &[String]) -> anyhow::Result<Dataset> {
        let Some(limit) = self.limit else { return Ok(train) };
        let part = train.take(limit.min(train.len()))?;
        let missing = uncovered(&part, &[&train]);
        if !missing.is_empty() {
            note(format_args!(
                "warning: the first {limit} samples have none of {}: models are neither trained nor evaluated on \
                 them; give a larger --limit, or shuffle files that are sorted by class",
                listed(&missing, names)
            ));
        }
        Ok(part)
    }
}

/// A share, or all.
fn share_or_all(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(1.0) => Ok(1.0),
        _ => share(text).map_err(|_| "it must be a number above 0 and at most 1".to_owned()),
    }
}
