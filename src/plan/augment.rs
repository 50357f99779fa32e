//! Augmentation: a rewrite of a plan that puts a step between the data set and the first layer.

use super::{Buffer, Plan, Role, Stage, Step, Tensor};
use crate::data::Augmentation;
use crate::layers::kit::ALIGNMENT;
use crate::ops::AugmentImages;
use crate::ops::AugmentShape;
use crate::ops::{DATA, Dtype, Op};

impl Plan {
    /// The same plan with augmented images in training; a pass then brings the transform of each image. In evaluation and
    /// prediction images stay as they are. `None` changes nothing.
    pub fn augment(mut self, augmentation: Option<&Augmentation>) -> Plan {
        let Some(augmentation) = augmentation else { return self };
        let Ok([batch, height, width, channels]) = <[usize; 4]>::try_from(self.input.shape.clone()) else {
            return self;
        };
        let Some(at) = self.steps.iter().position(|step| matches!(step.op, Op::GatherImages(_))) else {
            return self;
        };
        // Pixels reach the first layer from 0 to 1, or from 0 to 255.
        let range = if self.network.takes_bytes() { 255.0 } else { 1.0 };
        let shape = AugmentShape::new([batch, height, width, channels], range * augmentation.noise_stddev);
        let len = self.input.len().next_multiple_of(ALIGNMENT);
        let mut buffer = |name: &str, role, len| {
            self.buffers.push(Buffer { name: name.to_owned(), role, dtype: Dtype::F32, len });
            self.buffers.len() - 1
        };
        let transforms = buffer("transforms", Role::Transforms, DATA);
        let transforms = Tensor { buffer: transforms, offset: 0, shape: vec![DATA, AugmentShape::TRANSFORM] };
        let source = buffer("images as they are", Role::Activation, len);
        let source = Tensor { buffer: source, offset: 0, shape: self.input.shape.clone() };
        if let Some(gathered) = self.steps[at].args.last_mut() {
            *gathered = source.clone();
        }
        let step = Step {
            name: "input/augment".to_owned(),
            stage: Stage::Input,
            op: Op::AugmentImages(AugmentImages(shape)),
            args: vec![transforms, source, self.input.clone()],
        };
        // After the targets, so that gathering images and targets stays next to each other.
        let after = self.steps.iter().rposition(|step| step.stage == Stage::Target).unwrap_or(at);
        self.steps.insert(after + 1, step);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Dense, Flatten, Loss, Optimizer, Rescaling, Sequential};

    /// Noise is a share of the range of pixels, whatever range the model takes.
    #[test]
    fn the_noise_is_as_wide_as_the_pixels() {
        let noise = |scaled: bool| {
            let net = Sequential::new([2, 2, 1]);
            let net = if scaled { net.add(Rescaling::new(1.0 / 255.0)) } else { net };
            let net = net.add(Flatten::new()).add(Dense::new(2).activation(Activation::Softmax));
            let plan =
                Plan::build(&net.network().unwrap(), Loss::default(), Optimizer::default(), 1).unwrap();
            let noisy = Augmentation { noise_stddev: 0.1, ..Augmentation::default() };
            let plan = plan.augment(Some(&noisy));
            let found = plan.steps.iter().find_map(|step| match &step.op {
                Op::AugmentImages(op) => Some(op.0.noise),
                _ => None,
            });
            found.unwrap()
        };
        assert!((noise(true) / noise(false) - 255.0).abs() < 1e-3);
    }
}
