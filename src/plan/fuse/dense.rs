//! Rewrites of dense layers and of their update.

use super::super::{Plan, Role, Step, Tensor};
use super::rewrite::{Rewrite, is_relu, is_relu_backward, joined, layer};
use crate::ops::MatmulShape;
use crate::ops::{
    BiasAdd, DenseBackward, DenseForward, DenseRmspropUpdate, Matmul, MatmulABt, MatmulAtB, RmspropUpdate,
    SumPartials, SumPartialsBias,
};
use crate::ops::{Hole, Op};

/// Fewest weights of a layer whose gradient goes straight into its update, and most samples of a batch: the gradient that
/// need not be stored is as long for a short batch as for a long one, and counts for less in a long one.
const FUSED_UPDATE: [usize; 2] = [1 << 14, 64];

/// matmul in one part, bias_add, maybe relu_forward -> dense_forward, where the layer is small.
pub(super) fn dense_forward(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [product, bias] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::Matmul(Matmul(shape)), Op::BiasAdd(_)) = (&product.op, &bias.op) else { return None };
    if !shape.is_small() {
        return None;
    }
    let (relu, gone) = relu_after(plan, at, at + 2);
    let args =
        vec![product.args[0].clone(), product.args[1].clone(), bias.args[0].clone(), bias.args[1].clone()];
    let name = format!("{}/forward", layer(product));
    Rewrite::one(
        gone,
        Step {
            name,
            stage: product.stage,
            op: Op::DenseForward(DenseForward { product: shape, relu }),
            args,
        },
    )
}

/// sum_partials, bias_add, maybe relu_forward -> sum_partials_bias.
pub(super) fn sum_partials_bias(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [sum, bias] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::SumPartials(SumPartials { parts, .. }), &Op::BiasAdd(BiasAdd { rows, columns })) =
        (&sum.op, &bias.op)
    else {
        return None;
    };
    let (relu, gone) = relu_after(plan, at, at + 2);
    let partial = Tensor { shape: vec![parts, rows, columns], ..sum.args[0].clone() };
    let args = vec![partial, bias.args[0].clone(), bias.args[1].clone()];
    let name = format!("{}/sum_bias", layer(sum));
    let op = Op::SumPartialsBias(SumPartialsBias { parts, rows, columns, relu });
    Rewrite::one(gone, Step { name, stage: sum.stage, op, args })
}

/// Whether ReLU follows in place, and the steps from `at` to it.
fn relu_after(plan: &Plan, at: usize, next: usize) -> (bool, Vec<usize>) {
    let follows =
        |step: &Step| is_relu(&step.op) && step.args[0].buffer == plan.steps[next - 1].args[1].buffer;
    let relu = plan.steps.get(next).is_some_and(follows);
    (relu, (at..next + usize::from(relu)).collect())
}

/// column_sum and matmul_at_b over the same gradient -> matmul_at_b with a row for the bias.
pub(super) fn matmul_at_b_bias(plan: &Plan, at: usize) -> Option<Rewrite> {
    let Op::ColumnSum(_) = plan.steps[at].op else { return None };
    let (d_bias, bias_steps) = plan.whole_sum(at)?;
    let product = plan.steps.get(bias_steps.end)?;
    let Op::MatmulAtB(MatmulAtB { product: shape, bias: false }) = product.op else { return None };
    let (d_kernel, kernel_steps) = plan.whole_sum(bias_steps.end)?;
    if product.args[1].buffer != plan.steps[at].args[0].buffer {
        return None;
    }
    let op = Op::MatmulAtB(MatmulAtB { product: shape, bias: true });
    let args = product.args[..2].to_vec();
    let steps =
        plan.steps_in_parts(product.stage, product.name.clone(), op, args, joined(&d_kernel, &d_bias)?);
    Some(Rewrite { gone: (at..kernel_steps.end).collect(), at, steps })
}

/// matmul_at_b with a bias, matmul_a_bt, maybe relu_backward -> dense_backward, where the layer is small.
pub(super) fn dense_backward(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [of_kernel, of_input] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::MatmulAtB(MatmulAtB { product, bias: true }), Op::MatmulABt(MatmulABt(back))) =
        (&of_kernel.op, &of_input.op)
    else {
        return None;
    };
    let shape = MatmulShape { m: product.k, n: product.n, k: product.m };
    let whole = product.split().parts == 1 && back.split().parts == 1;
    // Where layers between them are not trained, neighbours may belong to two layers.
    let of_one = *back == MatmulShape { m: product.k, n: product.m, k: product.n }
        && of_kernel.args[1].is_same_as(&of_input.args[0]);
    if !whole || !of_one || !shape.is_small() {
        return None;
    }
    let (x, dx) = (&of_kernel.args[0], &of_input.args[2]);
    let masked = |step: &Step| {
        let buffers = [x.buffer, dx.buffer];
        is_relu_backward(&step.op) && step.args.iter().map(|arg| arg.buffer).eq(buffers)
    };
    let relu = plan.steps.get(at + 2).is_some_and(masked);
    let [dy, kernel] = [&of_input.args[0], &of_input.args[1]];
    let args = [x, kernel, dy, &of_kernel.args[2], dx].map(Tensor::clone).to_vec();
    let name = format!("{}/backward", layer(of_kernel));
    let op = Op::DenseBackward(DenseBackward { product: shape, relu });
    let gone = (at..at + 2 + usize::from(relu)).collect();
    Rewrite::one(gone, Step { name, stage: of_kernel.stage, op, args })
}

/// The gradient of the largest dense layer and the update -> dense_rmsprop_update, and the update of the rest.
pub(super) fn dense_rmsprop_update(plan: &Plan, at: usize) -> Option<Rewrite> {
    let weights = |step: &Step| match step.op {
        Op::MatmulAtB(MatmulAtB { product, bias: true }) => product.m * product.n,
        _ => 0,
    };
    let step = &plan.steps[at];
    // Gradients of micro-batches are added up before the update.
    if plan.in_parts {
        return None;
    }
    let Op::MatmulAtB(MatmulAtB { product, bias: true }) = step.op else { return None };
    let update_at = plan.steps.iter().position(|step| {
        matches!(step.op, Op::RmspropUpdate(RmspropUpdate { hole: Hole { len: 0, .. }, .. }))
    })?;
    let update = &plan.steps[update_at];
    let Op::RmspropUpdate(RmspropUpdate { len, rmsprop, .. }) = update.op else { return None };
    let [a, b, gradient] = &step.args[..] else { return None };
    let [least, samples] = FUSED_UPDATE;
    let largest = plan.steps.iter().map(weights).max() == Some(weights(step));
    // Nothing but the update may need this gradient, since it is never stored: no penalty is added and nothing clipped.
    let whole = plan.buffers[gradient.buffer].role == Role::Gradients
        && plan.readers_and_writers(gradient).eq([at, update_at]);
    let fits = product.n.is_multiple_of(4) && weights(step) >= least && product.k <= samples;
    if !(largest && whole && fits) {
        return None;
    }
    let first = gradient.offset;
    let fused = Step {
        name: format!("{}/update", layer(step)),
        stage: update.stage,
        op: Op::DenseRmspropUpdate(DenseRmspropUpdate { product, first, len, rmsprop }),
        args: [a, b].into_iter().chain(&update.args[1..]).cloned().collect(),
    };
    let hole = Hole { first, len: (product.m + 1) * product.n };
    let rest = Step { op: Op::RmspropUpdate(RmspropUpdate { len, rmsprop, hole }), ..update.clone() };
    Some(Rewrite { gone: vec![at, update_at], at: update_at, steps: vec![fused, rest] })
}
