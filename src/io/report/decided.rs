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
        let found: Vec<Prediction> = mistakes.iter().filter_map(wrong).collect();
        let (wrong, wrong_left_out) = Self::look(model, test, &found, MOST_WRONG)?;
        let mut found = surest(test, outputs, model.network().classes());
        let all = found.len();
        found.truncate(MOST_RIGHT);
        found.sort_by_key(|right| right.class);
        let (right, _) = Self::look(model, test, &found, MOST_RIGHT)?;
        let right_left_out = all - right.len();
        let layer = model.grad_cam_layer().map(str::to_owned);
        Ok(Some(Decided { layer, wrong, right, wrong_left_out, right_left_out }))
    }

    /// The first of these predictions with their pictures, and how many are left out: beyond `most`, and beyond the budget.
    fn look(
        model: &mut Model,
        test: &Dataset,
        all: &[Prediction],
        most: usize,
    ) -> Result<(Vec<Decision>, usize), ReportError> {
        let (Some(shape), few) = (test.shape().image(), &all[..all.len().min(most)]) else {
            return Ok((Vec::new(), all.len()));
        };
        let images: Vec<&[u8]> = few.iter().filter_map(|prediction| test.image(prediction.index)).collect();
        let (saliency, grad_cam) = maps(model, &images.concat(), few, shape)?;
        let (mut kept, mut bytes) = (Vec::new(), 0);
        for (at, (&prediction, pixels)) in few.iter().zip(images).enumerate() {
            let map = |maps: &Maps| maps.iter().nth(at).map(<[f32]>::to_vec).unwrap_or_default();
            let picture = |maps: &Maps| overlay(shape, pixels, &map(maps));
            let saliency = map(&saliency);
            let scale = Scale::to_largest_hundredth(&saliency);
            let decision = Decision {
                prediction,
                image: sample(shape, pixels)?,
                grad_cam: grad_cam.as_ref().map(picture).transpose()?,
                saliency: tiles(shown_size([shape[0], shape[1]]), &[saliency], 1, 0, scale)?,
            };
            bytes += decision.bytes();
            if bytes > BUDGET {
                break;
            }
            kept.push(decision);
        }
        let left_out = all.len() - kept.len();
        Ok((kept, left_out))
    }
}

impl Decision {
    /// Of its pictures.
    fn bytes(&self) -> usize {
        let grad_cam = self.grad_cam.as_ref().map_or(0, |image| image.uri.len());
        self.image.uri.len() + self.saliency.uri.len() + grad_cam
    }
}

/// Saliency and Grad-CAM of the predicted classes, at the size at which images of this shape are shown.
fn maps(
    model: &mut Model,
    images: &[u8],
    predictions: &[Prediction],
    [h, w, _]: [usize; 3],
) -> Result<(Maps, Option<Maps>), Error> {
    let [height, width] = shown_size([h, w]);
    let classes: Vec<usize> = predictions.iter().map(|prediction| prediction.predicted).collect();
    let saliency = model.saliency(images, &classes)?.resized(height, width);
    let grad_cam = match model.grad_cam_layer().is_some() {
        true => Some(model.grad_cam(images, &classes, None)?.resized(height, width)),
        false => None,
    };
    Ok((saliency, grad_cam))
}

fn wrong(mistake: &Mistake) -> Option<Prediction> {
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
