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
        let compile = Compile { loss: file.loss, optimizer: file.optimizer, ..Compile::default() };
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
