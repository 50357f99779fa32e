//! Which pixels decided: saliency and Grad-CAM of some test images.

use super::error::ReportError;
use super::images::{Image, Scale, overlay, sample, shown_size, tiles};
use super::mistakes::{Mistake, Target};
use crate::data::Dataset;
use crate::error::Error;
use crate::train::{Maps, Model};

/// The most mistakes that are looked at, and the most classes of which a sure example is.
const MOST_WRONG: usize = 12;
const MOST_RIGHT: usize = 24;
/// The most bytes of the pictures of either kind.
const BUDGET: usize = 700_000;

/// A prediction that is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prediction {
    /// The image's place in the test set.
    pub(super) index: usize,
    pub(super) class: usize,
    pub(super) predicted: usize,
    /// Of the predicted class.
    pub(super) probability: f32,
}

/// A prediction with its pictures.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) prediction: Prediction,
    /// What the image is called; `None` where samples have no names.
    pub(super) name: Option<String>,
    pub(super) image: Image,
    /// Grad-CAM of the predicted class over the image; `None` for a model without a layer to look at.
    pub(super) grad_cam: Option<Image>,
    /// The saliency of the predicted class.
    pub(super) saliency: Image,
}

/// What decided some predictions.
#[derive(Debug)]
pub(super) struct Decided {
    /// The layer that Grad-CAM is of.
    pub(super) layer: Option<String>,
    /// Mistakes, the most certain first.
    pub(super) wrong: Vec<Decision>,
    /// A sure example of each class that has one, by class.
    pub(super) right: Vec<Decision>,
    /// How many more mistakes there are among those that the page shows.
    pub(super) wrong_left_out: usize,
    /// How many more classes have an example.
    pub(super) right_left_out: usize,
}

impl Decided {
    /// Of the mistakes that the page shows, and of a sure example of each class. `outputs` are the predictions for the test set,
    /// `[samples, classes]`. `None` where samples are no images of bytes.
    pub(super) fn new(
        model: &mut Model,
        test: &Dataset,
        outputs: &[f32],
        mistakes: &[Mistake],
    ) -> Result<Option<Self>, ReportError> {
        if test.shape().image().is_none() || test.form().values {
            return Ok(None);
        }
        let mut wrong: Vec<Prediction> = mistakes.iter().filter_map(prediction).collect();
        let mut right = surest(test, outputs, model.network().classes());
        let [mistaken, known] = [wrong.len(), right.len()];
        wrong.truncate(MOST_WRONG);
        right.truncate(MOST_RIGHT);
        right.sort_by_key(|right| right.class);
        // Of both at once: an adapter compiles the kernels once.
        let looked = Looked::at(model, test, &[wrong.clone(), right.clone()].concat())?;
        let right = looked.decisions(test, &right, wrong.len())?;
        let wrong = looked.decisions(test, &wrong, 0)?;
        Ok(Some(Decided {
            layer: model.grad_cam_layer().map(str::to_owned),
            wrong_left_out: mistaken - wrong.len(),
            right_left_out: known - right.len(),
            wrong,
            right,
        }))
    }
}

/// Maps of some predictions, at the size at which their images are shown.
struct Looked {
    saliency: Maps,
    grad_cam: Option<Maps>,
}

impl Looked {
    /// Saliency and Grad-CAM of the predicted classes.
    fn at(model: &mut Model, test: &Dataset, predictions: &[Prediction]) -> Result<Self, Error> {
        let [h, w, _] = test.shape().image().unwrap_or_default();
        let [height, width] = shown_size([h, w]);
        let images: Vec<&[u8]> =
            predictions.iter().filter_map(|prediction| test.image(prediction.index)).collect();
        let images = images.concat();
        let classes: Vec<usize> = predictions.iter().map(|prediction| prediction.predicted).collect();
        let saliency = model.saliency(&images, &classes)?.resized(height, width);
        let grad_cam = match model.grad_cam_layer().is_some() {
            true => Some(model.grad_cam(&images, &classes, None)?.resized(height, width)),
            false => None,
        };
        Ok(Looked { saliency, grad_cam })
    }

    /// These predictions with their pictures, as many as the budget has room for; their maps begin with number `first`.
    fn decisions(
        &self,
        test: &Dataset,
        predictions: &[Prediction],
        first: usize,
    ) -> Result<Vec<Decision>, ReportError> {
        let Some(shape) = test.shape().image() else { return Ok(Vec::new()) };
        let map = |maps: &Maps, at: usize| maps.iter().nth(at).map(<[f32]>::to_vec).unwrap_or_default();
        let (mut kept, mut bytes) = (Vec::new(), 0);
        for (at, &prediction) in predictions.iter().enumerate() {
            let Some(pixels) = test.image(prediction.index) else { continue };
            let grad_cam = self.grad_cam.as_ref().map(|maps| overlay(shape, pixels, &map(maps, first + at)));
            let saliency = map(&self.saliency, first + at);
            let scale = Scale::to_largest_hundredth(&saliency);
            let decision = Decision {
                prediction,
                name: test.sample_name(prediction.index).map(str::to_owned),
                image: sample(shape, pixels)?,
                grad_cam: grad_cam.transpose()?,
                saliency: tiles(shown_size([shape[0], shape[1]]), &[saliency], 1, 0, scale)?,
            };
            bytes += decision.bytes();
            if bytes > BUDGET {
                break;
            }
            kept.push(decision);
        }
        Ok(kept)
    }
}

impl Decision {
    /// Of its pictures.
    fn bytes(&self) -> usize {
        let grad_cam = self.grad_cam.as_ref().map_or(0, |image| image.uri.len());
        self.image.uri.len() + self.saliency.uri.len() + grad_cam
    }
}

/// Of a class for another.
fn prediction(mistake: &Mistake) -> Option<Prediction> {
    match (&mistake.target, &mistake.predicted) {
        (&Target::Class(class), &Target::Class(predicted)) => {
            Some(Prediction { index: mistake.index, class, predicted, probability: mistake.by })
        }
        _ => None,
    }
}

/// Of each class the image that is rightly taken for it with the highest probability, the first of equal ones; the surest class comes
/// first.
fn surest(test: &Dataset, outputs: &[f32], classes: usize) -> Vec<Prediction> {
    let mut best: Vec<Option<Prediction>> = vec![None; classes];
    for (index, row) in outputs.chunks_exact(classes).enumerate() {
        let Some(class) = test.label(index).map(|label| label as usize) else { continue };
        let probability = row[class];
        let is_right = (0..classes)
            .all(|other| row[other] < probability || (other >= class && row[other] <= probability));
        if is_right && best[class].is_none_or(|best| probability > best.probability) {
            best[class] = Some(Prediction { index, class, predicted: class, probability });
        }
    }
    let mut found: Vec<Prediction> = best.into_iter().flatten().collect();
    // A stable sort: ties stay in order.
    found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_right_example_of_each_class_is_taken() {
        let test = Dataset::new(vec![7; 6], vec![0, 1, 1, 2, 0, 0], [1, 1, 1], 4).unwrap();
        let rows = [
            [0.4, 0.4, 0.1, 0.1],
            [0.1, 0.6, 0.2, 0.1],
            [0.1, 0.8, 0.1, 0.0],
            [0.5, 0.1, 0.4, 0.0],
            [0.4, 0.3, 0.2, 0.1],
            [0.0, 0.9, 0.1, 0.0],
        ];
        let found = surest(&test, rows.as_flattened(), 4);
        let found: Vec<_> = found.iter().map(|right| (right.class, right.index, right.probability)).collect();
        assert_eq!(
            found,
            [(1, 2, 0.8), (0, 0, 0.4)],
            "of equal ones the first; class 2 is never right, 3 never there"
        );
    }
}
