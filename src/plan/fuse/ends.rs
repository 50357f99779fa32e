//! Rewrites at both ends of the network: the batch that goes in, and the loss that comes out.

use super::super::{Plan, Stage, Step, Tensor};
use super::rewrite::{Rewrite, layer};
use crate::ops::Op;
use crate::ops::{
    DenseBackward, DenseForward, DenseSoftmaxCrossEntropy, GatherBatch, GatherImages, OneHot,
    SoftmaxCrossEntropy, SoftmaxCrossEntropyMetrics,
};

/// Most elements of the logits that one workgroup takes.
const SMALL_LOSS: usize = 1 << 14;
/// Most weights, and most elements of the logits, of a last layer that one workgroup takes in training: its logits are to
/// fit every adapter's workgroup memory, on GPUs together with its weights.
const SMALL_LAST: [usize; 2] = [1024, 2048];

/// gather_images, one_hot -> gather_batch, which divides bytes by 255 itself.
pub(super) fn gather_batch(plan: &Plan, at: usize) -> Option<Rewrite> {
    if plan.network.takes_bytes() {
        return None;
    }
    let [images, labels] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::GatherImages(GatherImages { batch, pixels }), &Op::OneHot(OneHot { columns, .. })) =
        (&images.op, &labels.op)
    else {
        return None;
    };
    let [bytes, order, _, x] = &images.args[..] else { return None };
    let args = [bytes, &labels.args[0], order, x, &labels.args[2]].map(Tensor::clone).to_vec();
    let op = Op::GatherBatch(GatherBatch { batch, pixels, columns });
    Rewrite::one(vec![at, at + 1], Step { name: "input/gather".to_owned(), stage: Stage::Input, op, args })
}

/// softmax_cross_entropy, batch_metrics -> softmax_cross_entropy_metrics, where one workgroup is enough.
pub(super) fn softmax_cross_entropy_metrics(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [loss, metrics] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::SoftmaxCrossEntropy(SoftmaxCrossEntropy { rows, columns }), Op::BatchMetrics(_)) =
        (&loss.op, &metrics.op)
    else {
        return None;
    };
    if rows * columns > SMALL_LOSS {
        return None;
    }
    let [logits, target, _, _, dlogits] = &loss.args[..] else { return None };
    let args = [logits, target, dlogits, &metrics.args[2], &metrics.args[3]].map(Tensor::clone).to_vec();
    let op = Op::SoftmaxCrossEntropyMetrics(SoftmaxCrossEntropyMetrics { rows, columns });
    Rewrite::one(vec![at, at + 1], Step { name: loss.name.clone(), stage: loss.stage, op, args })
}

/// dense_forward, softmax_cross_entropy_metrics and dense_backward of the last layer, where it is small -> in training,
/// dense_softmax_cross_entropy; evaluation keeps the first two.
pub(super) fn dense_softmax_cross_entropy(plan: &Plan, at: usize) -> Option<Rewrite> {
    let forward = &plan.steps[at];
    let Op::DenseForward(DenseForward { product, relu: false }) = forward.op else { return None };
    let find = |kind: fn(&Op) -> bool| (at..plan.steps.len()).find(|&index| kind(&plan.steps[index].op));
    let loss_at = find(|op| matches!(op, Op::SoftmaxCrossEntropyMetrics(_)))?;
    let back_at = find(|op| matches!(op, Op::DenseBackward(_)))?;
    let (loss, back) = (&plan.steps[loss_at], &plan.steps[back_at]);
    let Op::DenseBackward(DenseBackward { product: of_back, relu }) = back.op else { return None };
    let [x, kernel, bias, logits] = &forward.args[..] else { return None };
    let [judged, one_hot, dlogits, loss_sum, correct] = &loss.args[..] else { return None };
    let [_, _, dy, gradient, dx] = &back.args[..] else { return None };
    let one_layer = forward.stage == Stage::Forward && judged.buffer == logits.buffer && of_back == product;
    if !one_layer || plan.users(dlogits) != [loss_at, back_at] || dy.buffer != dlogits.buffer {
        return None;
    }
    let [weights, elements] = SMALL_LAST;
    if product.k * product.n > weights || product.m * product.n > elements {
        return None;
    }
    let args = [x, kernel, bias, one_hot, gradient, dx, loss_sum, correct].map(Tensor::clone).to_vec();
    let trained = Step {
        name: format!("{}/softmax_cross_entropy", layer(forward)),
        stage: back.stage,
        op: Op::DenseSoftmaxCrossEntropy(DenseSoftmaxCrossEntropy { product, relu }),
        args,
    };
    let inferred = Step { stage: Stage::Inference, ..forward.clone() };
    let judged = Step { stage: Stage::Judgement, ..loss.clone() };
    Some(Rewrite { gone: vec![at, loss_at, back_at], at, steps: vec![inferred, trained, judged] })
}
