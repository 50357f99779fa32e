//! Lowering of the batch.

use super::super::{Role, Stage, Step, Tensor};
use crate::layers::kit::Builder;
use crate::model::{Loss, Network};
use crate::ops::{DATA, Dtype, GatherImages, OneHot, Op, TargetColumns, image_stride};

/// Images and targets of a batch.
pub(super) fn gather(b: &mut Builder, network: &Network, loss: Loss) -> (Tensor, Tensor) {
    let [h, w, c] = network.input_shape;
    let (pixels, batch) = (h * w * c, b.batch);
    let columns =
        if network.is_binary() { TargetColumns::second() } else { TargetColumns::all(network.classes()) };
    let columns = columns.smoothed(loss.on_and_off(columns.classes));
    let images = b.tensor("images", Role::Images, Dtype::Bytes, &[DATA, image_stride(pixels)]);
    let labels = b.tensor("labels", Role::Labels, Dtype::Bytes, &[DATA]);
    let order = b.tensor("order", Role::Order, Dtype::U32, &[DATA]);
    let scale = b.tensor("scale", Role::Table, Dtype::F32, &[256]);
    let x = b.tensor("input", Role::Activation, Dtype::F32, &[batch, h, w, c]);
    let target = b.tensor("target", Role::Activation, Dtype::F32, &[batch, columns.classes]);
    // Written out rather than through `step`: the sizes were checked with the network.
    b.steps.push(Step {
        name: "input/gather".to_owned(),
        stage: Stage::Input,
        op: Op::GatherImages(GatherImages { batch, pixels }),
        args: vec![images, order.clone(), scale, x.clone()],
    });
    b.steps.push(Step {
        name: "target/one_hot".to_owned(),
        stage: Stage::Target,
        op: Op::OneHot(OneHot { batch, columns }),
        args: vec![labels, order, target.clone()],
    });
    (x, target)
}
