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
        let shape = AugmentShape::new([batch, height, width, channels], augmentation.noise_stddev);
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
