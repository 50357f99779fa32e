//! Images that the model takes for another class: found by a copy of the model on the CPU executor, so that training keeps its device and
//! its bits.

use std::time::{Duration, Instant};

use crate::data::{Dataset, TargetKind};
use crate::device::Device;
use crate::error::Error;
use crate::io::ModelFile;
use crate::model::Weights;
use crate::train::{Compile, Model};

/// The most images that are looked at, and for how long at most.
const LOOKED_AT: usize = 1024;
const AT_MOST: Duration = Duration::from_millis(250);
/// Images that are looked at together.
const PART: usize = 64;
/// The most mistakes that are kept.
const KEPT: usize = 12;

/// Weights, and the epoch after which the model had them.
pub type Judged = (Weights, usize);

/// Why no mistakes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMistakes {
    NoImages,
    NoClasses,
    NoCheckpoints,
    /// The copy of the model could not be made, or failed.
    Failed,
}

/// The wrong predictions after some epoch, those of which the model was most certain first.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistakes {
    /// The set that was looked at.
    pub set: &'static str,
    pub epoch: usize,
    pub wrong: usize,
    pub looked_at: usize,
    pub shown: Vec<Mistake>,
}

/// An image that was taken for another class.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    pub picture: Picture,
    pub class: String,
    pub predicted: String,
    /// The output of the predicted class: its probability after softmax and sigmoid.
    pub probability: f32,
}

/// An image of bytes, `[h, w, c]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub shape: [usize; 3],
    pub bytes: Vec<u8>,
}

/// Looks at images with a model of its own.
pub struct Judge {
    model: Model,
    set: &'static str,
    /// Images at even distances over the set, in its order.
    data: Dataset,
    shape: [usize; 3],
    names: Vec<String>,
}

impl Judge {
    /// Of a run of this model file, whose samples are judged on a set called `set`.
    ///
    /// # Errors
    /// When the model cannot be compiled or the set cannot be cut.
    pub fn new(file: &ModelFile, (set, data): (&'static str, &Dataset)) -> Result<Option<Self>, Error> {
        let Some(shape) = data.shape().image() else { return Ok(None) };
        let compile = Compile { augmentation: None, ..file.compile() };
        let model = file.model.compile(&Device::cpu(), compile)?;
        let count = data.len().min(LOOKED_AT);
        let numbers: Vec<u32> = (0..count).map(|at| (at * data.len() / count) as u32).collect();
        let name = |class: usize| file.class_names.get(class).cloned().unwrap_or_else(|| class.to_string());
        let names = (0..data.classes()).map(name).collect();
        Ok(Some(Judge { model, set, data: data.select(&numbers)?, shape, names }))
    }

    /// Looks at images with these weights, of this epoch, as many as there is time for.
    ///
    /// # Errors
    /// When the weights are not those of the model.
    pub fn look(&mut self, weights: Weights, epoch: usize) -> Result<Mistakes, Error> {
        self.model.set_weights(weights)?;
        let begun = Instant::now();
        let (mut wrong, mut looked_at) = (Vec::new(), 0);
        while looked_at < self.data.len() && (looked_at == 0 || begun.elapsed() < AT_MOST) {
            let part = self.data.slice(looked_at..(looked_at + PART).min(self.data.len()))?;
            let outputs = self.model.predict_data(&part)?;
            for (at, row) in outputs.chunks_exact(outputs.len() / part.len()).enumerate() {
                let predicted = largest(row);
                let number = looked_at + at;
                if self.data.label(number) != Some(predicted as u32) {
                    wrong.push((number, predicted, row[predicted]));
                }
            }
            looked_at += part.len();
        }
        // A stable sort: ties stay in order.
        wrong.sort_by(|a, b| b.2.total_cmp(&a.2));
        let shown = wrong.iter().take(KEPT).filter_map(|&mistake| self.mistake(mistake)).collect();
        Ok(Mistakes { set: self.set, epoch, wrong: wrong.len(), looked_at, shown })
    }

    fn mistake(&self, (number, predicted, probability): (usize, usize, f32)) -> Option<Mistake> {
        let bytes = self.data.image(number)?.to_vec();
        let name = |class: usize| self.names.get(class).cloned().unwrap_or_else(|| class.to_string());
        Some(Mistake {
            picture: Picture { shape: self.shape, bytes },
            class: name(self.data.label(number)? as usize),
            predicted: name(predicted),
            probability,
        })
    }
}

/// Why no mistakes can be shown of a data set, if so.
pub fn cannot_show(data: &Dataset) -> Option<NoMistakes> {
    match data.shape().image() {
        Some([_, _, 1 | 3]) if !data.form().values => {
            (data.target() != TargetKind::Classes).then_some(NoMistakes::NoClasses)
        }
        _ => Some(NoMistakes::NoImages),
    }
}

/// The index of the largest value, the first of equal ones.
fn largest(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Samples, Targets};
    use crate::model::WeightTensor;

    const MODEL: &str = r#"
        name = "halves"
        input_shape = [2, 2, 1]
        class_names = ["dark", "light"]
        loss = "categorical_crossentropy"
        optimizer = { name = "rmsprop" }
        layers = [{ type = "Flatten" }, { type = "Dense", units = 2, activation = "softmax" }]
    "#;

    /// Weights with which every image is of class 0, with a probability of 3/4.
    fn always_dark(file: &ModelFile) -> Weights {
        let tensor = |name: &str, shape: &[usize], values: &[f32]| WeightTensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            values: values.to_vec(),
        };
        let kernel = tensor("dense.kernel", &[4, 2], &[0.0; 8]);
        let bias = tensor("dense.bias", &[2], &[3f32.ln(), 0.0]);
        Weights::new(&file.model.network().unwrap(), vec![kernel, bias]).unwrap()
    }

    #[test]
    fn what_is_taken_for_another_class_is_found() {
        let file = ModelFile::parse("model.toml", MODEL).unwrap();
        let labels: Vec<u8> = (0..150).map(|at| u8::from(at % 3 == 0)).collect();
        let images = (0..150).flat_map(|at| [at as u8; 4]).collect();
        let data = Dataset::new(images, labels, [2, 2, 1], 2).unwrap();
        let mut judge = Judge::new(&file, ("test", &data)).unwrap().unwrap();
        let found = judge.look(always_dark(&file), 3).unwrap();
        assert_eq!((found.set, found.epoch), ("test", 3));
        // A slow machine may have had no time for more than a part.
        assert!(found.looked_at >= PART && found.wrong == found.looked_at.div_ceil(3), "{found:?}");
        assert_eq!(found.shown.len(), KEPT);
        for (mistake, number) in found.shown.iter().zip((0..).step_by(3)) {
            assert_eq!((mistake.class.as_str(), mistake.predicted.as_str()), ("light", "dark"));
            assert!((mistake.probability - 0.75).abs() < 1e-6, "{mistake:?}");
            assert_eq!(mistake.picture, Picture { shape: [2, 2, 1], bytes: vec![number; 4] });
        }
    }

    #[test]
    fn mistakes_are_shown_of_images_with_classes() {
        let images = |c: usize| Dataset::new(vec![0; 4 * c], vec![0], [2, 2, c], 2).unwrap();
        assert_eq!([1, 3, 2].map(|c| cannot_show(&images(c))), [None, None, Some(NoMistakes::NoImages)]);
        let rows = Samples::from_rows([[0.5f32, 1.0]]).unwrap();
        let rows = Dataset::from_parts(rows, Targets::classes([1u8], 2).unwrap(), [2]).unwrap();
        assert_eq!(cannot_show(&rows), Some(NoMistakes::NoImages));
        let values = images(1).classes_as(TargetKind::Values, 1);
        assert_eq!(cannot_show(&values), Some(NoMistakes::NoClasses));
    }
}
