//! What the batches of an epoch read: their samples, their rows, and how their images are changed.

use super::model::Model;
use super::options::FitOptions;
use super::rate::LearningRateSchedule;
use super::targets::check_targets;
use crate::data::{Dataset, Shape, Transform};
use crate::error::{Error, SettingError};
use crate::ops::BatchParams;
use crate::random::words;

impl Model {
    /// What is trained on and what is evaluated after each epoch, both checked against model, loss and one another.
    ///
    /// # Errors
    /// When a set does not fit the model, its loss or its augmentation.
    pub(super) fn sets(
        &mut self,
        train: &Dataset,
        options: &FitOptions,
    ) -> Result<(Dataset, Option<Dataset>), Error> {
        self.form = options.form(train);
        if self.form.values && self.compile.augmentation.is_some() {
            let expected = "left out for data of f32: it changes images of bytes; the layers RandomFlip and RandomTranslation change any";
            return Err(SettingError::new("augmentation", "given", expected).into());
        }
        let (train, validation) = options.sets(&self.network, train)?;
        for set in [Some(&train), validation.as_ref()].into_iter().flatten() {
            check_targets(self.compile.loss, set)?;
        }
        Ok((train, validation))
    }

    /// Takes over the names of classes and features that the data has and the model does not.
    pub(super) fn take_names(&mut self, data: &Dataset) -> Result<(), Error> {
        let names = data.class_names();
        if self.class_names.is_empty() && names.len() == self.network.classes() {
            self.set_class_names(names.to_vec())?;
        }
        if self.feature_names.is_empty() {
            self.set_feature_names(data.feature_names().to_vec())?;
        }
        Ok(())
    }

    /// The transforms of the images in the epoch that begins; empty without augmentation.
    pub(super) fn transforms(&self, order: &[u32]) -> Vec<Transform> {
        match (self.compile.augmentation, self.network.input_shape) {
            (Some(augmentation), Shape::Image([height, width, _])) => {
                augmentation.transforms(self.compile.seed, self.training.epochs_begun, order, [height, width])
            }
            _ => Vec::new(),
        }
    }

    /// Fills in rows for the steps from this one on, counted from 0 since the model was compiled.
    pub(super) fn fill(&self, rows: &mut [BatchParams], first: usize, options: &FitOptions) {
        let base = self.compile.optimizer.learning_rate();
        let [seed_low, seed_high] = words(self.compile.seed);
        for (row, step) in rows.iter_mut().zip(first..) {
            let rate = match (&options.schedule, self.training.learning_rate) {
                (LearningRateSchedule::Constant, Some(reduced)) => reduced,
                (schedule, _) => schedule.rate(step, base),
            };
            row.learning_rate = rate * self.training.rate_factor.unwrap_or(1.0);
            row.correction = self.compile.optimizer.correction(step);
            row.training = 1;
            row.guarded = u32::from(!options.allow_nan);
            row.number = step as u32;
            (row.seed_low, row.seed_high) = (seed_low, seed_high);
        }
    }
}
