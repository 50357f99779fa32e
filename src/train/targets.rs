//! What targets ask of a loss and of the options of training, and what samples count.

use super::check::require;
use super::options::FitOptions;
use crate::data::coverage::{listed, uncovered};
use crate::data::{DataForm, Dataset, TargetKind};
use crate::error::{Error, SettingError};
use crate::model::{Loss, Network};
use crate::numbers::shown;

/// How far from 1 the numbers of a target may add up to.
const SUM_TOLERANCE: f64 = 1e-3;

/// Refuses targets that are no classes which a loss cannot be computed of: cross-entropies take them for probabilities.
pub(super) fn check_targets(loss: Loss, data: &Dataset) -> Result<(), SettingError> {
    for (index, row) in data.target_rows().chunks(data.classes()).enumerate() {
        let outside = row.iter().find(|value| !(0.0..=1.0).contains(*value));
        let sum: f64 = row.iter().copied().map(f64::from).sum();
        match (loss, outside) {
            (Loss::CategoricalCrossentropy(_), None) if (sum - 1.0).abs() > SUM_TOLERANCE => {
                let expected = "rows that add up to 1 where the loss is categorical_crossentropy; binary_crossentropy takes any \
                                numbers from 0 to 1, mean_squared_error any at all";
                return Err(SettingError::new(
                    "targets",
                    format!("{} in all in row {index}", shown(sum)),
                    expected,
                ));
            }
            (Loss::CategoricalCrossentropy(_) | Loss::BinaryCrossentropy(_), Some(value)) => {
                let expected =
                    "numbers from 0 to 1 where the loss is a cross-entropy; mean_squared_error takes any";
                return Err(SettingError::new(
                    "targets",
                    format!("{} in row {index}", shown(*value)),
                    expected,
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

impl FitOptions {
    /// Refuses settings that need classes where targets are none, and class weights that are not one for each class.
    ///
    /// # Errors
    /// The setting, and what it may be.
    pub fn check_target(&self, network: &Network) -> Result<(), SettingError> {
        let (target, classes) = (network.target, network.classes());
        if target == TargetKind::Classes {
            let weights = self.class_weight.len();
            return require(
                weights == 0 || weights == classes,
                "class_weight",
                format!("{weights} weights"),
                || "one for each class of the model",
            );
        }
        let monitors = [
            ("early_stopping.monitor", self.early_stopping.map(|stopping| stopping.monitor)),
            ("reduce_lr_on_plateau.monitor", self.reduce_lr_on_plateau.map(|plateau| plateau.monitor)),
        ];
        for (setting, monitor) in monitors {
            if let Some(monitor) = monitor.filter(|monitor| monitor.is_of_classes()) {
                let expected =
                    "`loss` or `val_loss` where the model's target is not classes: there is no accuracy";
                return Err(SettingError::new(setting, monitor.name(), expected));
            }
        }
        let expected = "left out where the model's target is not classes: there is no accuracy; `until_loss` ends training, too";
        let until = self.until_accuracy;
        require(until.is_none(), "until_accuracy", until.unwrap_or_default(), || expected)?;
        let expected = "left out where the model's target is not classes";
        require(!self.stratify, "stratify", true, || expected)?;
        require(self.class_weight.is_empty(), "class_weight", "given", || expected)
    }

    /// The form of the data set that training reads, and that of the validation set with it.
    pub(super) fn form(&self, train: &Dataset) -> DataForm {
        let weighted = [Some(train), self.validation.as_ref()].into_iter().flatten();
        let weighted = !self.class_weight.is_empty() || weighted.map(Dataset::form).any(|form| form.weighted);
        DataForm { weighted, ..train.form() }
    }

    /// The samples with their weights times those of their classes.
    pub(super) fn weigh(&self, train: &Dataset) -> Result<Dataset, Error> {
        let of_class =
            |label: u32| self.class_weight.get(label as usize).map_or(1.0, |&weight| weight as f32);
        let own = train.sample_weights().map_or_else(|| vec![1.0; train.len()], <[f32]>::to_vec);
        let weights = own.iter().zip(train.labels()).map(|(own, &label)| own * of_class(label)).collect();
        Ok(train.clone().with_sample_weights(weights)?)
    }

    /// A warning of classes that only one of the two sets has: those that are not trained on, else those that are not
    /// evaluated.
    pub(super) fn class_warning(train: &Dataset, validation: &Dataset, names: &[String]) -> Option<String> {
        let list = |classes: &[u32]| listed(classes, names);
        // Samples with names are files, which are not split by these settings: whoever read them has said what to do.
        let remedy = match train.sample_names() {
            Some(_) => "",
            None => "; give both sets samples of every class, as a `validation_split` does with `stratify`",
        };
        let (untrained, unjudged) = (uncovered(train, &[validation]), uncovered(validation, &[train]));
        if !untrained.is_empty() {
            return Some(format!(
                "the training set has no sample of {}, but the validation set has some: the model cannot learn them\
                 {remedy}",
                list(&untrained)
            ));
        }
        (!unjudged.is_empty()).then(|| {
            format!(
                "the validation set has no sample of {}: its metrics say nothing about them{remedy}",
                list(&unjudged)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_one_side_alone_are_warned_of() {
        let set = |labels: &[u8]| Dataset::new(vec![0; labels.len()], labels.to_vec(), [1, 1, 1], 3).unwrap();
        let names = ["a", "b", "c"].map(str::to_owned);
        let rows: [(&[u8], &[u8], Option<&str>); 4] = [
            (&[0, 1, 2], &[2, 0, 1], None),
            (&[0, 0, 1], &[2, 2], Some("the training set has no sample of class 2 (c)")),
            (&[2, 0], &[1, 1, 0], Some("the training set has no sample of class 1 (b)")),
            (&[0, 1, 2], &[2], Some("the validation set has no sample of classes 0 (a), 1 (b)")),
        ];
        for (train, validation, expected) in rows {
            let found = FitOptions::class_warning(&set(train), &set(validation), &names);
            let starts = |text: &String| expected.is_some_and(|start| text.starts_with(start));
            assert!(found.as_ref().map_or(expected.is_none(), starts), "{train:?} {validation:?}: {found:?}");
        }
    }
}
