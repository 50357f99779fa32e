//! Rewrites of convolutions.

use super::super::{Plan, Step, Tensor};
use super::rewrite::{Rewrite, is_relu, is_relu_backward, joined, layer};
use crate::ops::ConvPoolShape;
use crate::ops::{Access, Op};
use crate::ops::{
    ActivationBackward, Conv2dForward, Conv2dMaxpoolBackwardKernel, Conv2dMaxpoolForward, MaxpoolForward,
    Relu,
};

/// Most terms of a convolution that is pooled at once. A longer sum is worth a kernel that computes it as a product, and
/// costs more than memory does.
const MOST_POOLED_TERMS: usize = 32;

/// conv2d_forward, maybe relu_forward, maxpool_forward -> conv2d_maxpool_forward; relu_backward goes as well, since
/// the winners tell what ReLU cut off.
pub(super) fn conv2d_maxpool_forward(plan: &Plan, at: usize) -> Option<Rewrite> {
    let forward = &plan.steps[at];
    let Op::Conv2dForward(Conv2dForward { conv, relu: false }) = forward.op else { return None };
    if conv.terms() > MOST_POOLED_TERMS || !conv.is_plain() {
        return None;
    }
    let y = &forward.args[3];
    let relu = is_relu(&plan.steps.get(at + 1)?.op);
    let pooled_at = at + 1 + usize::from(relu);
    let pooled = plan.steps.get(pooled_at)?;
    let Op::MaxpoolForward(MaxpoolForward(pool)) = pooled.op else { return None };
    let apart = pool.stride_h >= pool.pool_h && pool.stride_w >= pool.pool_w;
    let mut gone: Vec<usize> = (at..=pooled_at).collect();
    if relu {
        let masked = |step: &Step| is_relu_backward(&step.op) && step.args[0].buffer == y.buffer;
        gone.extend(plan.steps.iter().position(masked));
    }
    if !apart || plan.users(y) != gone {
        return None;
    }
    let op = Op::Conv2dMaxpoolForward(Conv2dMaxpoolForward(ConvPoolShape { conv, pool, relu }));
    let args = [&forward.args[..3], &pooled.args[1..]].concat();
    let name = format!("{}/forward_pooled", layer(forward));
    Rewrite::one(gone, Step { name, stage: forward.stage, op, args })
}

/// maxpool_backward, column_sum, conv2d_backward_kernel -> conv2d_maxpool_backward_kernel, where nothing else reads the
/// gradient of the convolution's output.
pub(super) fn conv2d_maxpool_backward_kernel(plan: &Plan, at: usize) -> Option<Rewrite> {
    let unpooled = &plan.steps[at];
    let Op::MaxpoolBackward(_) = unpooled.op else { return None };
    let [dy, winner, dx] = &unpooled.args[..] else { return None };
    let forward = plan.steps.iter().find(|step| step.args.iter().any(|arg| arg.buffer == winner.buffer))?;
    let Op::Conv2dMaxpoolForward(Conv2dMaxpoolForward(shape)) = forward.op else { return None };
    let (d_bias, bias_steps) = plan.whole_sum(at + 1)?;
    let kernel_at = bias_steps.end;
    let (column_sum, backward) = (&plan.steps[at + 1], plan.steps.get(kernel_at)?);
    let (Op::ColumnSum(_), Op::Conv2dBackwardKernel(_)) = (&column_sum.op, &backward.op) else {
        return None;
    };
    let (d_kernel, kernel_steps) = plan.whole_sum(kernel_at)?;
    if plan.users(dx) != [at, at + 1, kernel_at] {
        return None;
    }
    let name = format!("{}/backward_pooled", layer(forward));
    let op = Op::Conv2dMaxpoolBackwardKernel(Conv2dMaxpoolBackwardKernel(shape));
    let args = vec![forward.args[0].clone(), dy.clone(), winner.clone()];
    let steps = plan.steps_in_parts(backward.stage, name, op, args, joined(&d_kernel, &d_bias)?);
    Some(Rewrite { gone: (at..kernel_steps.end).collect(), at, steps })
}

/// conv2d_forward, relu_forward -> conv2d_forward with ReLU, where it is not pooled at once.
pub(super) fn conv2d_forward_relu(plan: &Plan, at: usize) -> Option<Rewrite> {
    let forward = &plan.steps[at];
    let Op::Conv2dForward(Conv2dForward { conv, relu: false }) = forward.op else { return None };
    let cut_off = plan.steps.get(at + 1)?;
    if !is_relu(&cut_off.op) || cut_off.args[0].buffer != forward.args[3].buffer {
        return None;
    }
    let op = Op::Conv2dForward(Conv2dForward { conv, relu: true });
    Rewrite::one(
        vec![at, at + 1],
        Step { name: format!("{}/forward_relu", layer(forward)), op, ..forward.clone() },
    )
}

/// maxpool_backward, relu_backward over the pooling's input -> relu_backward over its output, maxpool_backward: the gradient
/// goes to winners alone, and a winner is above zero where the maximum is. So the mask is laid over fewer elements.
pub(super) fn relu_backward_pooled(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [unpooled, masked] = plan.steps.get(at..at + 2)? else { return None };
    let (Op::MaxpoolBackward(_), true) = (&unpooled.op, is_relu_backward(&masked.op)) else { return None };
    let [dy, winner, dx] = &unpooled.args[..] else { return None };
    let pooled_at = plan.users(winner).into_iter().find(|&index| index < at)?;
    let pooled = &plan.steps[pooled_at];
    let Op::MaxpoolForward(_) = pooled.op else { return None };
    let [z, y, _] = &pooled.args[..] else { return None };
    let of_pooling = masked.args[0].buffer == z.buffer && masked.args[1].buffer == dx.buffer;
    // The maxima must be there still, and nothing may want the gradient as it was.
    let writes = |index: usize| {
        let step = &plan.steps[index];
        let specs = step.op.args();
        specs.iter().zip(&step.args).any(|(spec, arg)| spec.access != Access::In && arg.buffer == y.buffer)
    };
    let kept = plan.users(y).into_iter().filter(|&index| writes(index)).eq([pooled_at]);
    let wanted = plan.users(dy).into_iter().any(|index| index > at);
    if !of_pooling || !kept || wanted {
        return None;
    }
    let flat = |tensor: &Tensor| Tensor { shape: vec![tensor.len()], ..tensor.clone() };
    let earlier = Step {
        name: masked.name.clone(),
        stage: masked.stage,
        op: Op::ActivationBackward(ActivationBackward { len: y.len(), function: Relu.into() }),
        args: vec![flat(y), flat(dy)],
    };
    Some(Rewrite { gone: vec![at, at + 1], at, steps: vec![earlier, unpooled.clone()] })
}
