//! How a model is trained: for how long, and on which data.

use serde::{Deserialize, Serialize};

use super::compile::DEFAULT_BATCH;
use super::monitor::Monitor;
use super::plateau::ReduceOnPlateau;
use super::rate::LearningRateSchedule;
use super::stopping::EarlyStopping;
use crate::data::Dataset;
use crate::data::folds::stratified_split;
use crate::error::{Error, SettingError};
use crate::executor::check_data;
use crate::model::Network;
use crate::plan::MAX_BATCH;
use crate::profile::Sampling;

/// How a model is trained: for how long, and on which data. These are also the keys of the `[training]` table of a
/// model file, except those marked as not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FitOptions {
    /// Passes over the training set, unless training ends earlier; default 5.
    pub epochs: usize,
    /// Samples per batch. The last batch of an epoch holds what is left. A size above the number of training samples
    /// means all of them; evaluation then uses batches of that size, too. Default 64.
    pub batch_size: usize,
    /// How many parts (micro-batches) each batch is computed in. Their gradients are added up before the weights are
    /// updated. So a batch that does not fit the device as a whole fits in parts, and several processes and devices
    /// can share it ([`Model::distribute`](super::Model::distribute)). Of n samples each of M micro-batches takes
    /// `ceil(n / M)` in a row, the last ones fewer or none. Losses and gradients are those of the whole batch, except
    /// for rounding. BatchNormalization uses the statistics of each micro-batch, and its moving statistics follow
    /// their mean, weighted by samples. With several processes and devices it must be their number, or 2, 4, 8 and so
    /// on times that; default the number of processes and devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batches: Option<usize>,
    /// Whether each epoch takes the samples in a new random order; default true.
    pub shuffle: bool,
    /// Ends training after this many steps, even within an epoch; default none.
    pub max_steps: Option<usize>,
    /// The share of the samples that is held out of training and evaluated after each epoch, above 0 and below 1: the
    /// last samples of the set before any shuffling. As in Keras, `floor(n * (1 - share))` samples are trained on.
    /// Default none.
    pub validation_split: Option<f64>,
    /// Whether `validation_split` holds out its share of every class, the last samples of each ([`stratified_split`]).
    /// The last samples of the whole set lack classes if the set is sorted by class. Default false, as in Keras.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stratify: bool,
    /// Ends training after an epoch whose loss is at most this: the validation loss if there is a validation set, else
    /// the training loss. If `until_accuracy` is set too, both must be reached. The weights stay those of the last
    /// epoch. Default none.
    pub until_loss: Option<f64>,
    /// Ends training after an epoch whose accuracy, of the same set, is at least this, above 0 and at most 1; default
    /// none.
    pub until_accuracy: Option<f64>,
    /// How many times a sample of each class counts in training: a number for each class, as `class_weight` in Keras.
    /// It multiplies a sample's own weight. In evaluation it does not count. Default empty: each counts once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_weight: Vec<f64>,
    /// Ends training that no longer improves; default none.
    pub early_stopping: Option<EarlyStopping>,
    /// Reduces the learning rate when training stops improving; default none.
    pub reduce_lr_on_plateau: Option<ReduceOnPlateau>,
    /// The learning rate of each step; default constant. Another schedule decides alone what the rate is, but for what callbacks multiply
    /// it by; it is refused after [`set_learning_rate`](super::Model::set_learning_rate). In a model file it is the table
    /// `[optimizer.schedule]`.
    #[serde(skip)]
    pub schedule: LearningRateSchedule,
    /// Evaluated after each epoch; default none. Not part of a model file.
    #[serde(skip)]
    pub validation: Option<Dataset>,
    /// Continues training where a loss or a gradient is not finite: NaNs spread. Default false: the step is undone
    /// and training ends with [`Error::Diverged`]. Not part of a model file.
    #[serde(skip)]
    pub allow_nan: bool,
    /// Measures the steps of the plan during training, for [`History::profile`](super::History::profile), or with micro-batches the
    /// parts of each training step, for [`History::step_times`](super::History::step_times); results are the same to the bit. Default
    /// none. Not part of a model file.
    #[serde(skip)]
    pub profile: Option<Sampling>,
    /// The names of the classes in warnings; by default those of the model. Not part of this table: a model file has
    /// [`class_names`](crate::io::ModelFile::class_names).
    #[serde(skip)]
    pub class_names: Vec<String>,
}

impl Default for FitOptions {
    fn default() -> Self {
        FitOptions {
            epochs: 5,
            batch_size: DEFAULT_BATCH,
            micro_batches: None,
            shuffle: true,
            max_steps: None,
            validation_split: None,
            stratify: false,
            until_loss: None,
            until_accuracy: None,
            class_weight: Vec::new(),
            early_stopping: None,
            reduce_lr_on_plateau: None,
            schedule: LearningRateSchedule::Constant,
            validation: None,
            allow_nan: false,
            profile: None,
            class_names: Vec::new(),
        }
    }
}

impl FitOptions {
    /// Refuses settings that are out of range or contradict each other.
    ///
    /// # Errors
    /// The first such setting, and what it must be.
    pub fn check(&self) -> Result<(), SettingError> {
        let counts = [
            ("epochs", self.epochs),
            ("batch_size", self.batch_size),
            ("micro_batches", self.micro_batches.unwrap_or(1)),
            ("max_steps", self.max_steps.unwrap_or(1)),
        ];
        for (setting, value) in counts {
            if value == 0 {
                return Err(SettingError::new(setting, value, "at least 1"));
            }
        }
        if let Some(count) = self.micro_batches.filter(|&count| count > MAX_BATCH) {
            return Err(SettingError::new("micro_batches", count, format!("at most {MAX_BATCH}")));
        }
        let numbers = [
            ("validation_split", self.validation_split, "above 0 and below 1"),
            ("until_loss", self.until_loss, "a finite number"),
            ("until_accuracy", self.until_accuracy, "above 0 and at most 1"),
        ];
        for (setting, value, expected) in numbers {
            let valid = value.is_none_or(|value| match setting {
                "validation_split" => value > 0.0 && value < 1.0,
                "until_accuracy" => value > 0.0 && value <= 1.0,
                _ => value.is_finite(),
            });
            if !valid {
                return Err(SettingError::new(setting, value.unwrap_or(f64::NAN), expected));
            }
        }
        if self.stratify && self.validation_split.is_none() {
            let expected = "left out without a `validation_split`";
            return Err(SettingError::new("stratify", true, expected));
        }
        let unfit = |weight: &&f64| !((**weight as f32).is_finite() && **weight >= 0.0);
        if let Some(weight) = self.class_weight.iter().find(unfit) {
            return Err(SettingError::new(
                "class_weight",
                *weight,
                "of numbers of at least 0 that a 32-bit float can hold",
            ));
        }
        // In 32 bits, as they are multiplied.
        if !self.class_weight.is_empty() && self.class_weight.iter().all(|&weight| weight as f32 == 0.0) {
            let expected = "above 0 for one class at least: nothing would be trained on";
            return Err(SettingError::new("class_weight", "0 for every class", expected));
        }
        self.early_stopping.map_or(Ok(()), |stopping| stopping.check())?;
        self.reduce_lr_on_plateau.map_or(Ok(()), |plateau| plateau.check())?;
        self.schedule.check()?;
        if self.reduce_lr_on_plateau.is_some() && self.schedule != LearningRateSchedule::Constant {
            let expected =
                "left out beside a schedule, or the schedule `constant`: both would set the learning rate";
            return Err(SettingError::new("reduce_lr_on_plateau", "given", expected));
        }
        Ok(())
    }

    /// The micro-batches of a batch, on so many processes.
    ///
    /// # Errors
    /// When they are not a multiple of the processes by a power of two, so that their sums could not be added up process by process
    /// without changing a bit.
    pub fn micro_batches_on(&self, processes: usize) -> Result<usize, SettingError> {
        let count = self.micro_batches.unwrap_or(processes);
        self.check()?;
        // One process holds the whole sum, whatever its parts are.
        let fits = processes == 1 || count.is_multiple_of(processes) && (count / processes).is_power_of_two();
        if !fits {
            let expected = format!(
                "the number of processes, {processes}, or 2, 4, 8, ... times that; this number of micro-batches works \
                 with {}",
                listed_divisors(count)
            );
            return Err(SettingError::new("micro_batches", count, expected));
        }
        Ok(count)
    }

    /// Refuses to monitor a metric of the validation set where there is none.
    ///
    /// # Errors
    /// The setting, and what it may be.
    pub fn check_monitors(&self) -> Result<(), SettingError> {
        let monitors = [
            ("early_stopping.monitor", self.early_stopping.map(|stopping| stopping.monitor)),
            ("reduce_lr_on_plateau.monitor", self.reduce_lr_on_plateau.map(|plateau| plateau.monitor)),
        ];
        let validated = self.validation.is_some() || self.validation_split.is_some();
        let of_validation = |(setting, monitor): (_, Option<Monitor>)| {
            monitor.filter(|monitor| monitor.is_of_validation()).map(|monitor| (setting, monitor))
        };
        match monitors.into_iter().find_map(of_validation) {
            Some((setting, monitor)) if !validated => Err(SettingError::new(
                setting,
                monitor.name(),
                "`loss` or `accuracy` where there is no validation set: set `validation_split` or `validation`",
            )),
            _ => Ok(()),
        }
    }

    /// The samples to train on, and those to evaluate after each epoch.
    ///
    /// # Errors
    /// When both `validation_split` and `validation` are given, or one of the parts would be empty.
    pub fn split(&self, train: &Dataset) -> Result<(Dataset, Option<Dataset>), Error> {
        match (self.validation_split, &self.validation) {
            (None, validation) => Ok((train.clone(), validation.clone())),
            (Some(share), Some(_)) => {
                let expected = "left out where `validation` is set";
                Err(SettingError::new("validation_split", share, expected).into())
            }
            (Some(share), None) => {
                let (samples, kept) = (train.len(), self.trained_on(train.len()));
                if kept == 0 || kept == samples {
                    let expected = "a share that leaves samples on both sides";
                    return Err(SettingError::new(
                        "validation_split",
                        format!("{share} of {samples}"),
                        expected,
                    )
                    .into());
                }
                if self.stratify {
                    let [stay, aside] = stratified_split(train.labels(), samples - kept);
                    return Ok((train.select(&stay)?, Some(train.select(&aside)?)));
                }
                Ok((train.slice(0..kept)?, Some(train.slice(kept..samples)?)))
            }
        }
    }

    /// The options that a model file holds: all but the validation set and what belongs to one run only.
    pub(crate) fn setting(&self) -> Self {
        FitOptions {
            validation: None,
            allow_nan: false,
            profile: None,
            class_names: Vec::new(),
            ..self.clone()
        }
    }

    /// How many of this many samples `validation_split` leaves to train on.
    fn trained_on(&self, samples: usize) -> usize {
        let share = self.validation_split.unwrap_or(0.0);
        (samples as f64 * (1.0 - share)).floor() as usize
    }

    /// Samples of the largest batch, given the number of samples before the split.
    pub(super) fn largest_batch(&self, samples: usize) -> usize {
        self.batch_of(self.trained_on(samples))
    }

    /// Samples that are computed at once, of so many that are trained on: the largest micro-batch of the largest batch.
    pub fn capacity(&self, samples: usize, micro_batches: usize) -> usize {
        self.batch_of(samples).div_ceil(micro_batches)
    }

    /// Samples of the largest batch of so many that are trained on: all of them where a batch could hold more.
    pub fn batch_of(&self, samples: usize) -> usize {
        self.batch_size.min(samples)
    }

    /// What is trained on and what is evaluated after each epoch, both checked against the network.
    ///
    /// # Errors
    /// As [`split`](Self::split), and when images or labels are not those that the network takes.
    pub(crate) fn sets(
        &self,
        network: &Network,
        train: &Dataset,
    ) -> Result<(Dataset, Option<Dataset>), Error> {
        self.check_target(network)?;
        let (mut train, validation) = self.split(train)?;
        for data in [Some(&train), validation.as_ref()].into_iter().flatten() {
            check_data(network, data)?;
        }
        if validation.as_ref().is_some_and(|set| set.form().values != train.form().values) {
            let [of_bytes, of_values] =
                ["bytes where the training set is f32", "f32 where the training set is bytes"];
            let found = if train.form().values { of_bytes } else { of_values };
            return Err(
                SettingError::new("validation", found, "of the same numbers as the training set").into()
            );
        }
        if !self.class_weight.is_empty() {
            train = self.weigh(&train)?;
        }
        Ok((train, validation))
    }

    /// Whether an epoch with these values has reached `until_loss` and `until_accuracy`.
    pub(super) fn is_good_enough(&self, loss: f64, accuracy: Option<f64>) -> bool {
        let asked = self.until_loss.is_some() || self.until_accuracy.is_some();
        asked
            && self.until_loss.is_none_or(|bound| loss <= bound)
            && self.until_accuracy.is_none_or(|bound| accuracy.is_some_and(|accuracy| accuracy >= bound))
    }
}

/// The numbers of processes that can share so many micro-batches, in words.
fn listed_divisors(count: usize) -> String {
    let fits = |&processes: &usize| {
        processes == 1 || count.is_multiple_of(processes) && (count / processes).is_power_of_two()
    };
    let found: Vec<String> = (1..=count).filter(fits).map(|processes| processes.to_string()).collect();
    match &found[..] {
        [] => "none".to_owned(),
        [one] => format!("{one} process{}", if one == "1" { "" } else { "es" }),
        [first @ .., last] => format!("{} or {last} processes", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{CosineDecay, StepDecay};

    fn message(options: FitOptions) -> String {
        options.check().and_then(|()| options.check_monitors()).unwrap_err().to_string()
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let good = FitOptions::default();
        let stopping = EarlyStopping { monitor: Monitor::Loss, ..EarlyStopping::default() };
        let plateau = ReduceOnPlateau { monitor: Monitor::Loss, ..ReduceOnPlateau::default() };
        let with_plateau =
            |plateau| FitOptions { reduce_lr_on_plateau: Some(plateau), ..FitOptions::default() };
        let rows = [
            (FitOptions { epochs: 0, ..good.clone() }, "`epochs` is 0"),
            (FitOptions { max_steps: Some(0), ..good.clone() }, "`max_steps` is 0"),
            (FitOptions { batch_size: 0, ..good.clone() }, "`batch_size` is 0, but must be at least 1"),
            (
                FitOptions { micro_batches: Some(0), ..good.clone() },
                "`micro_batches` is 0, but must be at least 1",
            ),
            (
                FitOptions { class_weight: vec![0.0; 3], ..good.clone() },
                "`class_weight` is 0 for every class",
            ),
            (FitOptions { validation_split: Some(1.0), ..good.clone() }, "`validation_split` is 1"),
            (FitOptions { validation_split: Some(f64::NAN), ..good.clone() }, "`validation_split` is NaN"),
            (FitOptions { stratify: true, ..good.clone() }, "`stratify` is true, but must be left out"),
            (FitOptions { until_loss: Some(f64::NAN), ..good.clone() }, "`until_loss` is NaN"),
            (FitOptions { until_accuracy: Some(1.01), ..good.clone() }, "`until_accuracy` is 1.01"),
            (
                FitOptions {
                    early_stopping: Some(EarlyStopping { min_delta: -1.0, ..stopping }),
                    ..good.clone()
                },
                "`early_stopping.min_delta` is -1",
            ),
            (
                FitOptions { early_stopping: Some(EarlyStopping::default()), ..good.clone() },
                "`early_stopping.monitor` is val_loss",
            ),
            (
                FitOptions {
                    early_stopping: Some(EarlyStopping { baseline: Some(f64::NAN), ..stopping }),
                    ..good.clone()
                },
                "`early_stopping.baseline` is NaN",
            ),
            (
                FitOptions { early_stopping: Some(stopping), ..with_plateau(ReduceOnPlateau::default()) },
                "`reduce_lr_on_plateau.monitor` is val_loss",
            ),
            (with_plateau(ReduceOnPlateau { factor: 1.0, ..plateau }), "`reduce_lr_on_plateau.factor` is 1"),
            (with_plateau(ReduceOnPlateau { factor: 0.0, ..plateau }), "`reduce_lr_on_plateau.factor` is 0"),
            (
                with_plateau(ReduceOnPlateau { min_lr: -1.0, ..plateau }),
                "`reduce_lr_on_plateau.min_lr` is -1",
            ),
            (with_plateau(ReduceOnPlateau { min_delta: f64::NAN, ..plateau }), "min_delta` is NaN"),
            (with_plateau(ReduceOnPlateau::default()), "`reduce_lr_on_plateau.monitor` is val_loss"),
            (
                FitOptions {
                    schedule: StepDecay { boundaries: vec![1], values: vec![0.1, 0.2] }.into(),
                    ..with_plateau(plateau)
                },
                "beside a schedule",
            ),
            (
                FitOptions { schedule: CosineDecay { decay_steps: 0, ..cosine() }.into(), ..good },
                "`schedule.decay_steps` is 0",
            ),
        ];
        for (options, expected) in rows {
            let found = message(options);
            assert!(found.contains(expected), "{found:?} lacks {expected:?}");
        }
    }

    #[test]
    fn processes_share_micro_batches_in_powers_of_two() {
        // (micro-batches, processes, whether they fit)
        let rows = [
            (None, 1, Some(1)),
            (None, 3, Some(3)),
            (Some(4), 1, Some(4)),
            (Some(4), 2, Some(4)),
            (Some(4), 4, Some(4)),
            (Some(4), 3, None),
            (Some(4), 8, None),
            (Some(6), 3, Some(6)),
            (Some(6), 6, Some(6)),
            (Some(6), 2, None),
            (Some(6), 1, Some(6)),
        ];
        for (micro_batches, processes, expected) in rows {
            let options = FitOptions { micro_batches, ..FitOptions::default() };
            let found = options.micro_batches_on(processes);
            assert_eq!(found.as_ref().ok().copied(), expected, "{micro_batches:?} on {processes}: {found:?}");
        }
        let refused = FitOptions { micro_batches: Some(6), ..FitOptions::default() }.micro_batches_on(4);
        assert!(refused.unwrap_err().to_string().contains("works with 1, 3 or 6 processes"));
    }

    fn cosine() -> CosineDecay {
        CosineDecay {
            initial_learning_rate: None,
            decay_steps: 1,
            alpha: 0.0,
            warmup_target: None,
            warmup_steps: 0,
        }
    }

    /// Keras takes the floor of the product in 64 bits: 10 * (1 - 0.1) is 9, and 10 * (1 - 0.9) is 0.99999...
    #[test]
    fn the_last_samples_are_split_off() {
        let data = Dataset::new((0..10).collect(), (0..10).collect(), [1, 1, 1], 10).unwrap();
        let split =
            |share| FitOptions { validation_split: Some(share), ..FitOptions::default() }.split(&data);
        for (share, kept) in [(0.1, 9), (0.25, 7), (0.2, 8), (0.5, 5), (0.89, 1), (1e-9, 9)] {
            let (train, validation) = split(share).unwrap();
            assert_eq!(train.labels(), &data.labels()[..kept], "{share}");
            assert_eq!(validation.unwrap().labels(), &data.labels()[kept..], "{share}");
        }
        // Stratified, the same number is split off: of ten classes of one sample each, those with the lowest numbers.
        let stratified = FitOptions { validation_split: Some(0.2), stratify: true, ..FitOptions::default() };
        let (train, validation) = stratified.split(&data).unwrap();
        assert_eq!(
            (train.labels(), validation.unwrap().labels()),
            (&data.labels()[2..], &data.labels()[..2])
        );
        assert!(split(0.9).unwrap_err().to_string().contains("both sides"));
        let both = FitOptions {
            validation_split: Some(0.5),
            validation: Some(data.clone()),
            ..FitOptions::default()
        };
        assert!(both.split(&data).unwrap_err().to_string().contains("where `validation` is set"));
    }
}
