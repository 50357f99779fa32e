//! The model file: layers, loss, optimizer and training as TOML.
//!
//! ```toml
//! name = "small"
//! input_shape = [28, 28, 1]           # height, width, channels; or [features] of rows of numbers
//! # target = "classes"                # the default; or "multi_label", "values" as of a regression
//! loss = "categorical_crossentropy"   # the default; or binary_crossentropy, mean_squared_error, mean_absolute_error, huber
//! # loss = { name = "huber", delta = 0.5 }   # with its settings; cross-entropies have label_smoothing
//! # class_names = ["zero", ...]       # what predictions are called; the default is their numbers
//! # feature_names = ["width", ...]    # of rows, by which columns of other tables are found
//!
//! [optimizer]                         # the default is rmsprop with the settings of Keras
//! name = "rmsprop"                    # or sgd, adadelta, adam, adamw, lion; each has its own settings
//! learning_rate = 0.001
//! weight_decay = 0.004                # none by default, as are clipvalue, clipnorm and global_clipnorm
//! use_ema = true                      # false by default; with ema_momentum and ema_overwrite_frequency
//!
//! [optimizer.schedule]                # the default is constant
//! type = "cosine"                     # or step, exponential, one_cycle
//! decay_steps = 4690
//!
//! [augmentation]                      # none by default
//! rotation_range = 10
//! zoom_range = 0.1
//!
//! [training]                          # every key may be left out
//! epochs = 20
//! validation_split = 0.1
//! stratify = true                     # that share of every class; false by default
//! early_stopping = { patience = 3, restore_best_weights = true }
//!
//! [[layers]]                          # in order; the last one gives a value for each class, or is one sigmoid unit for two
//! type = "Flatten"
//!
//! [[layers]]
//! type = "Dense"
//! units = 10
//! activation = "softmax"
//! kernel_regularizer = { l1 = 1e-5, l2 = 1e-4 }   # none by default
//! kernel_initializer = "he_normal"    # the default is glorot_uniform, of bias_initializer zeros; or with its settings:
//! bias_initializer = { name = "constant", value = 0.1 }
//! ```
//!
//! The keys of `[training]` are the fields of [`FitOptions`], those of `[optimizer.schedule]` the fields of the variants of
//! [`LearningRateSchedule`].

mod layer_table;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::{Augmentation, DataForm, Shape, TargetKind, Transform};
use crate::error::Error;
use crate::files;
use crate::model::{
    Loss, ModelError, Optimizer, Sequential, check_class_names, check_feature_names, with_suggestion,
};
use crate::plan::Plan;
use crate::train::{Compile, FitOptions, LearningRateSchedule};

/// The model that `train` takes by default: the text of `assets/models/tutorial.toml`.
pub const TUTORIAL: &str = include_str!("../../assets/models/tutorial.toml");

/// What a model file says: a model and how it is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// The layers.
    pub model: Sequential,
    /// What training minimizes.
    pub loss: Loss,
    /// How weights follow gradients.
    pub optimizer: Optimizer,
    /// How training images are changed anew in each epoch, if at all.
    pub augmentation: Option<Augmentation>,
    /// How long it is trained, when that ends, and the learning rate's schedule.
    pub training: FitOptions,
    /// What the classes are called, in order; empty where they are numbers only.
    pub class_names: Vec<String>,
    /// What the numbers of a sample are called, in order, where samples are rows; empty where they are numbers only.
    pub feature_names: Vec<String>,
}

/// The key of `[optimizer]` that is not the optimizer's.
const SCHEDULE: &str = "schedule";

/// The file as it is written. When it is read, layers stay tables, so that an error can name its layer and key, and so
/// does the optimizer, which the schedule is taken out of.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm<O, L> {
    /// Name of the model, of letters, digits, `-` and `_`. It is part of the name of the default run folder.
    name: String,
    /// Shape of one sample: `[height, width, channels]`, `[height, width]` for one channel, or `[features]` for rows
    /// of numbers.
    input_shape: Vec<usize>,
    /// What the target of a sample is: one class, any number of labels, or numbers; default `classes`.
    #[serde(default, skip_serializing_if = "is_classes")]
    target: TargetKind,
    /// Names of the classes, labels or outputs, in order, one for each; default none: they are numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    class_names: Vec<String>,
    /// Names of the features in order, one for each, if samples are rows of numbers; default none: columns are taken
    /// in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    feature_names: Vec<String>,
    /// What training minimizes; default `categorical_crossentropy`.
    #[serde(default)]
    loss: Loss,
    /// How gradients update the weights, and the schedule of the learning rate; default `rmsprop`.
    #[serde(default)]
    optimizer: O,
    /// Random changes to the training images, new in each epoch; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    augmentation: Option<Augmentation>,
    /// For how long and on what the model is trained; default 5 epochs.
    #[serde(default)]
    training: FitOptions,
    /// The layers, in the order in which they are computed. The last one gives a value for each class, or is a single
    /// sigmoid unit for two classes.
    layers: Vec<L>,
}

/// What files from before other targets were known leave out.
fn is_classes(target: &TargetKind) -> bool {
    *target == TargetKind::Classes
}

/// `[h, w, c]`, `[h, w]` of one channel, or `[features]`.
fn shape_of(sizes: &[usize]) -> Result<Shape, String> {
    match *sizes {
        [h, w, c] => Ok([h, w, c].into()),
        [h, w] => Ok([h, w].into()),
        [features] => Ok([features].into()),
        _ => Err(format!(
            "input_shape has {} numbers, but must be [height, width, channels], [height, width] or [features]",
            sizes.len()
        )),
    }
}

/// The `[optimizer]` table as it is written.
#[derive(Serialize)]
struct OptimizerForm<'a> {
    #[serde(flatten)]
    optimizer: Optimizer,
    schedule: Option<&'a LearningRateSchedule>,
}

impl ModelFile {
    /// The tutorial's convolutional network.
    pub fn tutorial() -> Result<Self, ModelError> {
        ModelFile::parse("tutorial.toml", TUTORIAL)
    }

    /// Reads and checks a model file.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, has an unknown key, or describes an impossible model.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let file = path.display().to_string();
        let text = files::read_text(path).map_err(|error| ModelError::File {
            file: file.clone(),
            problem: format!("cannot be read: {error}"),
        })?;
        ModelFile::parse(&file, &text)
    }

    /// Reads a model from text; `file` names it in errors.
    ///
    /// # Errors
    /// As [`ModelFile::read`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ModelError> {
        let fail = |problem: String| ModelError::File { file: file.to_owned(), problem };
        let form: FileForm<toml::Table, toml::Table> =
            toml::from_str(text).map_err(|error| fail(with_suggestion(&error.to_string())))?;
        let unnamed =
            form.name.is_empty() || !form.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if unnamed {
            return Err(fail(format!(
                "name {:?} must be made of letters, digits, `-` and `_`: it becomes part of a folder's name",
                form.name
            )));
        }
        let layers = form.layers.into_iter().enumerate().map(|(index, table)| {
            layer_table::parse(table).map_err(|problem| fail(format!("layer {index}: {}", problem)))
        });
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let (optimizer, schedule) =
            parse_optimizer(form.optimizer).map_err(|problem| fail(format!("[optimizer] {problem}")))?;
        let input_shape = shape_of(&form.input_shape).map_err(fail)?;
        let parsed = ModelFile {
            model: Sequential { name: form.name, input_shape, target: form.target, layers },
            loss: form.loss,
            optimizer,
            augmentation: form.augmentation,
            training: FitOptions { schedule, ..form.training },
            class_names: form.class_names,
            feature_names: form.feature_names,
        };
        parsed.optimizer.check()?;
        let augmentation = parsed.augmentation.and_then(|augmentation| augmentation.problem());
        if let Some(problem) = parsed.loss.problem().or(augmentation) {
            return Err(fail(problem));
        }
        parsed.training.check().map_err(|error| fail(error.to_string()))?;
        let network = parsed.model.network()?;
        check_class_names(&parsed.class_names, &network).map_err(fail)?;
        check_feature_names(&parsed.feature_names, &network).map_err(fail)?;
        Ok(parsed)
    }

    /// How the model is compiled, with the default seed.
    pub fn compile(&self) -> Compile {
        let ModelFile { loss, optimizer, augmentation, .. } = *self;
        Compile { loss, optimizer, augmentation, ..Compile::default() }
    }

    /// The form of the data sets of bytes that it is trained on: weighted where classes have weights.
    pub fn form(&self) -> DataForm {
        DataForm { values: false, weighted: !self.training.class_weight.is_empty() }
    }

    /// The plan that it is trained with on such data, as it is lowered, for batches of at most this many samples.
    ///
    /// # Errors
    /// When the model is invalid, or as [`Compile::plan`].
    pub fn plan(&self, batch: usize) -> Result<Plan, Error> {
        let plan = self.compile().plan_for(&self.model.network()?, batch, self.form())?;
        Ok(if self.training.micro_batches.is_some_and(|count| count > 1) {
            plan.of_micro_batches()
        } else {
            plan
        })
    }

    /// How the augmentation changes the images of a first epoch in this order; empty without one.
    pub fn transforms(&self, seed: u64, order: &[u32]) -> Vec<Transform> {
        let image = self.model.input_shape.image();
        let augmented = self.augmentation.zip(image);
        augmented
            .map_or(Vec::new(), |(augmentation, [h, w, _])| augmentation.transforms(seed, 0, order, [h, w]))
    }

    /// The text of a file that [`ModelFile::parse`] reads back as the same value, every default written out.
    pub fn to_toml(&self) -> Result<String, ModelError> {
        let fail = |error: toml::ser::Error| ModelError::File {
            file: self.model.name.clone(),
            problem: format!("cannot be written as TOML: {error}"),
        };
        let constant = LearningRateSchedule::Constant;
        let form = FileForm {
            name: self.model.name.clone(),
            input_shape: self.model.input_shape.dims(),
            target: self.model.target,
            class_names: self.class_names.clone(),
            feature_names: self.feature_names.clone(),
            loss: self.loss,
            optimizer: OptimizerForm {
                optimizer: self.optimizer,
                schedule: Some(&self.training.schedule).filter(|&schedule| *schedule != constant),
            },
            augmentation: self.augmentation,
            training: self.training.clone(),
            layers: self.model.layers.clone(),
        };
        toml::to_string(&form).map_err(fail)
    }
}

/// The `[optimizer]` table: an optimizer, the default one where nothing is said, and a schedule.
fn parse_optimizer(mut table: toml::Table) -> Result<(Optimizer, LearningRateSchedule), String> {
    let problem = |error: toml::de::Error| with_suggestion(&error.to_string());
    let schedule = match table.remove(SCHEDULE) {
        Some(schedule) => schedule.try_into().map_err(|error| format!("{SCHEDULE}: {}", problem(error)))?,
        None => LearningRateSchedule::default(),
    };
    let optimizer =
        if table.is_empty() { Optimizer::default() } else { table.try_into().map_err(problem)? };
    Ok((optimizer, schedule))
}

/// The keys of a file, as they are written where nothing is said of them.
#[cfg(test)]
pub(super) fn keys(table: toml::Table) -> Result<toml::Table, String> {
    let form: FileForm<toml::Table, toml::Table> =
        table.try_into().map_err(|error: toml::de::Error| error.to_string())?;
    let mut keys = toml::Table::try_from(form).map_err(|error| error.to_string())?;
    for tables in ["optimizer", "training"] {
        keys.remove(tables);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests;
