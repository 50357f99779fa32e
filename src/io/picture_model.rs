//! The model that is trained on pictures where none is given.

use super::ModelFile;
use crate::data::Dataset;
use crate::error::Error;
use crate::layers::Layer;
use crate::model::ModelError;
use crate::train::{LearningRateSchedule, OneCycle};

/// The text of `assets/models/pictures.toml`.
const PICTURES: &str = include_str!("../../assets/models/pictures.toml");
/// Pictures that training takes, repeated ones included, and what that may make in epochs.
const TAKEN: usize = 30_000;
const EPOCHS: std::ops::RangeInclusive<usize> = 10..=60;

impl ModelFile {
    /// A model for a folder of pictures, of which these are trained on: a convolutional network for images of their shape and
    /// for their classes, with augmentation, and a training of 30,000 pictures, repeated ones included, in 10 epochs or more and
    /// 60 at most. It is `assets/models/pictures.toml` with what follows from the data filled in.
    ///
    /// # Errors
    /// When the data set is not of images with at least two classes.
    pub fn for_pictures(train: &Dataset) -> Result<Self, Error> {
        let shape = train.shape().image().ok_or_else(|| ModelError::Model {
            model: "pictures".to_owned(),
            problem: format!("it is for images, but the samples are rows of {} numbers", train.shape().len()),
        })?;
        ModelFile::pictures_of(shape, train.classes(), train.class_names(), train.len())
    }

    /// [`for_pictures`](Self::for_pictures) of pictures that are not decoded yet.
    pub(crate) fn pictures_of(
        shape: [usize; 3],
        classes: usize,
        names: &[String],
        samples: usize,
    ) -> Result<Self, Error> {
        let mut file = ModelFile::parse("pictures.toml", PICTURES)?;
        file.model.input_shape = shape.into();
        if let Some(Layer::Dense(dense)) = file.model.layers.last_mut().map(|node| &mut node.layer) {
            dense.units = classes;
        }
        file.class_names = names.to_vec();
        file.training.epochs = (TAKEN / samples.max(1)).clamp(*EPOCHS.start(), *EPOCHS.end());
        file.fit_cycle(samples);
        file.model.network()?;
        Ok(file)
    }

    /// Gives a one-cycle schedule the steps that training on this many samples takes, by the epochs and the batch size of the file. Other
    /// schedules stay.
    pub fn fit_cycle(&mut self, samples: usize) {
        let steps = samples.div_ceil(self.training.batch_size.max(1)).saturating_mul(self.training.epochs);
        let steps = steps.min(self.training.max_steps.unwrap_or(usize::MAX)).max(1);
        if let LearningRateSchedule::OneCycle(cycle) = &self.training.schedule {
            self.training.schedule = OneCycle { total_steps: steps, ..cycle.clone() }.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_fits_the_pictures() {
        // (shape, classes, samples, epochs, steps)
        let rows = [
            ([28, 28, 1], 10, 60_000, 10, 18_750),
            ([128, 96, 3], 2, 300, 60, 600),
            ([1, 1, 3], 3, 2, 60, 60),
            ([33, 17, 1], 1000, 1500, 20, 940),
        ];
        for (shape, classes, samples, epochs, steps) in rows {
            let names: Vec<String> = (0..classes).map(|class| format!("c{class}")).collect();
            let file = ModelFile::pictures_of(shape, classes, &names, samples).unwrap();
            let network = file.model.network().unwrap();
            assert_eq!((network.input_shape, network.classes()), (shape.into(), classes));
            assert_eq!((file.training.epochs, &file.class_names), (epochs, &names), "{shape:?}");
            let LearningRateSchedule::OneCycle(cycle) = &file.training.schedule else { panic!("{shape:?}") };
            assert_eq!(cycle.total_steps, steps, "{shape:?}");
            assert_eq!(ModelFile::parse("model.toml", &file.to_toml().unwrap()).unwrap(), file);
        }
    }
}
