//! Fusion: rewrites of a plan that put several steps into one, so that what lies between them never goes through memory.
//!
//! A rewrite looks for a pattern of neighbouring steps, and for proof that nothing else reads what would no longer be
//! written. The twin of each fused kind is made of the twins of the steps that it replaces.

use std::ops::Range;

use super::lower::ALIGNMENT;
use super::op::{Hole, Op};
use super::shapes::{ConvPoolShape, MAX_ITERATIONS, MatmulShape};
use super::{Plan, Role, Stage, Step, Tensor};

/// Most elements of the logits that one workgroup takes.
const SMALL_LOSS: usize = 1 << 14;
/// Most terms of a convolution that is pooled at once. A longer sum is worth a kernel that computes it as a product, and
/// costs more than memory does.
const MOST_POOLED_TERMS: usize = 32;
/// Most weights, and most elements of the logits, of a last layer that one workgroup takes in training: its logits are to
/// fit every adapter's workgroup memory.
const SMALL_LAST: [usize; 2] = [1024, 2048];
/// Fewest weights of a layer whose gradient goes straight into its update, and most samples of a batch: the gradient that
/// need not be stored is as long for a short batch as for a long one, and counts for less in a long one.
const FUSED_UPDATE: [usize; 2] = [1 << 14, 64];

impl Plan {
    /// The same computation in fewer steps; buffers that no step uses any more are gone.
    ///
    /// Sums may be taken in another order, so that results agree within rounding errors and not to the bit.
    pub fn fuse(mut self) -> Plan {
        while self.rewrite_any() {}
        self.drop_unused_buffers();
        self
    }

    /// Applies the first rewrite that fits anywhere.
    fn rewrite_any(&mut self) -> bool {
        const REWRITES: [fn(&Plan, usize) -> Option<Rewrite>; 10] = [
            gather_batch,
            conv2d_maxpool_forward,
            conv2d_maxpool_backward_kernel,
            dense_forward,
            sum_partials_bias,
            matmul_at_b_bias,
            dense_backward,
            softmax_cross_entropy_metrics,
            dense_softmax_cross_entropy,
            // Takes what the others leave of the products.
            dense_rmsprop_update,
        ];
        // One fused output may take the loops of several plain ones: not where that is more than an invocation may run.
        let short = |found: &Rewrite| found.steps.iter().all(|step| step.op.longest_loop() <= MAX_ITERATIONS);
        let found = REWRITES
            .iter()
            .find_map(|rewrite| (0..self.steps.len()).find_map(|at| rewrite(self, at).filter(short)));
        let Some(Rewrite { mut gone, at, steps }) = found else { return false };
        for step in &steps {
            for tensor in &step.args {
                if self.is_scratch(tensor) {
                    let buffer = &mut self.buffers[tensor.buffer];
                    buffer.len = buffer.len.max(tensor.len().next_multiple_of(ALIGNMENT));
                }
            }
        }
        let tail = self.steps.split_off(at);
        self.steps.extend(steps);
        let added = self.steps.len() - at;
        self.steps.extend(tail);
        gone.iter_mut().filter(|index| **index >= at).for_each(|index| *index += added);
        let mut index = 0;
        self.steps.retain(|_| {
            index += 1;
            !gone.contains(&(index - 1))
        });
        true
    }

    fn drop_unused_buffers(&mut self) {
        let mut named = vec![&self.state, &self.input, &self.target, &self.logits, &self.probabilities];
        named.extend(self.parameters.iter().chain(&self.gradients));
        named.extend(self.steps.iter().flat_map(|step| &step.args));
        let mut used = vec![false; self.buffers.len()];
        named.iter().for_each(|tensor| used[tensor.buffer] = true);
        let place: Vec<usize> = used
            .iter()
            .scan(0, |next, &used| {
                let place = *next;
                *next += usize::from(used);
                Some(place)
            })
            .collect();
        let mut kept = used.iter();
        self.buffers.retain(|_| kept.next() == Some(&true));
        let fixed =
            [&mut self.state, &mut self.input, &mut self.target, &mut self.logits, &mut self.probabilities];
        let moved = fixed.into_iter().chain(&mut self.parameters).chain(&mut self.gradients);
        moved
            .chain(self.steps.iter_mut().flat_map(|step| &mut step.args))
            .for_each(|tensor| tensor.buffer = place[tensor.buffer]);
    }

    fn is_scratch(&self, tensor: &Tensor) -> bool {
        self.buffers[tensor.buffer].name == super::lower::PARTIALS
    }

    /// The steps that have a tensor of this buffer among their arguments.
    fn users(&self, tensor: &Tensor) -> Vec<usize> {
        let uses = |step: &Step| step.args.iter().any(|arg| arg.buffer == tensor.buffer);
        (0..self.steps.len()).filter(|&index| uses(&self.steps[index])).collect()
    }

    /// The whole sum whose parts this step computes: where it ends up, and the steps that it takes.
    fn whole_sum(&self, at: usize) -> Option<(Tensor, Range<usize>)> {
        let output = self.steps.get(at)?.args.last()?;
        if !self.is_scratch(output) {
            return Some((output.clone(), at..at + 1));
        }
        let sum = self.steps.get(at + 1)?;
        matches!(sum.op, Op::SumPartials { .. }).then(|| (sum.args[1].clone(), at..at + 2))
    }

    /// Steps that write a sum which `op` computes in parts, as its last argument.
    fn steps_in_parts(
        &self,
        stage: Stage,
        name: String,
        op: Op,
        mut args: Vec<Tensor>,
        sum: Tensor,
    ) -> Vec<Step> {
        let parts = op.split().map_or(1, |split| split.parts);
        if parts == 1 {
            args.push(sum);
            return vec![Step { name, stage, op, args }];
        }
        let len = sum.len();
        let scratch = self.scratch(vec![parts, len]);
        args.push(scratch.clone());
        let total = Step {
            name: format!("{name}.sum"),
            stage,
            op: Op::SumPartials { parts, len },
            args: vec![scratch, sum],
        };
        vec![Step { name, stage, op, args }, total]
    }

    fn scratch(&self, shape: Vec<usize>) -> Tensor {
        let buffer = self.buffers.iter().position(|buffer| buffer.name == super::lower::PARTIALS);
        Tensor { buffer: buffer.unwrap_or(0), offset: 0, shape }
    }
}

/// Steps that go and steps that come, in front of what is now step `at`.
struct Rewrite {
    gone: Vec<usize>,
    at: usize,
    steps: Vec<Step>,
}

impl Rewrite {
    /// Puts one step in the place of several.
    fn one(gone: Vec<usize>, step: Step) -> Option<Self> {
        Some(Rewrite { at: gone[0], gone, steps: vec![step] })
    }
}

/// The layer of a step, from its name.
fn layer(step: &Step) -> &str {
    step.name.split('/').next().unwrap_or(&step.name)
}

/// Kernel and bias gradient as one tensor, where the bias follows at once.
fn joined(kernel: &Tensor, bias: &Tensor) -> Option<Tensor> {
    let follows = kernel.buffer == bias.buffer && kernel.offset + kernel.len() == bias.offset;
    let columns = bias.len();
    follows.then(|| Tensor { shape: vec![kernel.len() / columns + 1, columns], ..kernel.clone() })
}

/// gather_images, one_hot -> gather_batch.
fn gather_batch(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [images, labels] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::GatherImages { batch, pixels }, &Op::OneHot { classes, .. }) = (&images.op, &labels.op) else {
        return None;
    };
    let [bytes, order, scale, x] = images.args.clone().try_into().ok()?;
    let args = vec![bytes, labels.args[0].clone(), order, scale, x, labels.args[2].clone()];
    let op = Op::GatherBatch { batch, pixels, classes };
    Rewrite::one(vec![at, at + 1], Step { name: "input/gather".to_owned(), stage: Stage::Input, op, args })
}

/// conv2d_forward, maybe relu_forward, maxpool_forward -> conv2d_maxpool_forward; relu_backward goes as well, since
/// the winners tell what ReLU cut off.
fn conv2d_maxpool_forward(plan: &Plan, at: usize) -> Option<Rewrite> {
    let forward = &plan.steps[at];
    let Op::Conv2dForward(conv) = forward.op else { return None };
    if conv.terms() > MOST_POOLED_TERMS {
        return None;
    }
    let y = &forward.args[3];
    let relu = matches!(plan.steps.get(at + 1)?.op, Op::ReluForward { .. });
    let pooled_at = at + 1 + usize::from(relu);
    let pooled = plan.steps.get(pooled_at)?;
    let Op::MaxpoolForward(pool) = pooled.op else { return None };
    let apart = pool.stride_h >= pool.pool_h && pool.stride_w >= pool.pool_w;
    let mut gone: Vec<usize> = (at..=pooled_at).collect();
    if relu {
        let masked =
            |step: &Step| matches!(step.op, Op::ReluBackward { .. }) && step.args[0].buffer == y.buffer;
        gone.extend(plan.steps.iter().position(masked));
    }
    if !apart || plan.users(y) != gone {
        return None;
    }
    let op = Op::Conv2dMaxpoolForward(ConvPoolShape { conv, pool, relu });
    let args = [&forward.args[..3], &pooled.args[1..]].concat();
    let name = format!("{}/forward_pooled", layer(forward));
    Rewrite::one(gone, Step { name, stage: forward.stage, op, args })
}

/// maxpool_backward, column_sum, conv2d_backward_kernel -> conv2d_maxpool_backward_kernel, where nothing else reads the
/// gradient of the convolution's output.
fn conv2d_maxpool_backward_kernel(plan: &Plan, at: usize) -> Option<Rewrite> {
    let unpooled = &plan.steps[at];
    let Op::MaxpoolBackward(_) = unpooled.op else { return None };
    let [dy, winner, dx] = &unpooled.args[..] else { return None };
    let forward = plan.steps.iter().find(|step| step.args.iter().any(|arg| arg.buffer == winner.buffer))?;
    let Op::Conv2dMaxpoolForward(shape) = forward.op else { return None };
    let (d_bias, bias_steps) = plan.whole_sum(at + 1)?;
    let kernel_at = bias_steps.end;
    let (column_sum, backward) = (&plan.steps[at + 1], plan.steps.get(kernel_at)?);
    let (Op::ColumnSum { .. }, Op::Conv2dBackwardKernel(_)) = (&column_sum.op, &backward.op) else {
        return None;
    };
    let (d_kernel, kernel_steps) = plan.whole_sum(kernel_at)?;
    if plan.users(dx) != [at, at + 1, kernel_at] {
        return None;
    }
    let name = format!("{}/backward_pooled", layer(forward));
    let op = Op::Conv2dMaxpoolBackwardKernel(shape);
    let args = vec![forward.args[0].clone(), dy.clone(), winner.clone()];
    let steps = plan.steps_in_parts(backward.stage, name, op, args, joined(&d_kernel, &d_bias)?);
    Some(Rewrite { gone: (at..kernel_steps.end).collect(), at, steps })
}

/// matmul in one part, bias_add, maybe relu_forward -> dense_forward, where the layer is small.
fn dense_forward(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [product, bias] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::Matmul(shape), Op::BiasAdd { .. }) = (&product.op, &bias.op) else { return None };
    if !shape.is_small() {
        return None;
    }
    let (relu, gone) = relu_after(plan, at, at + 2);
    let args =
        vec![product.args[0].clone(), product.args[1].clone(), bias.args[0].clone(), bias.args[1].clone()];
    let name = format!("{}/forward", layer(product));
    Rewrite::one(
        gone,
        Step { name, stage: product.stage, op: Op::DenseForward { product: shape, relu }, args },
    )
}

/// sum_partials, bias_add, maybe relu_forward -> sum_partials_bias.
fn sum_partials_bias(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [sum, bias] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::SumPartials { parts, .. }, &Op::BiasAdd { rows, columns }) = (&sum.op, &bias.op) else {
        return None;
    };
    let (relu, gone) = relu_after(plan, at, at + 2);
    let partial = Tensor { shape: vec![parts, rows, columns], ..sum.args[0].clone() };
    let args = vec![partial, bias.args[0].clone(), bias.args[1].clone()];
    let name = format!("{}/sum_bias", layer(sum));
    let op = Op::SumPartialsBias { parts, rows, columns, relu };
    Rewrite::one(gone, Step { name, stage: sum.stage, op, args })
}

/// Whether ReLU follows in place, and the steps from `at` to it.
fn relu_after(plan: &Plan, at: usize, next: usize) -> (bool, Vec<usize>) {
    let follows = |step: &Step| {
        matches!(step.op, Op::ReluForward { .. })
            && step.args[0].buffer == plan.steps[next - 1].args[1].buffer
    };
    let relu = plan.steps.get(next).is_some_and(follows);
    (relu, (at..next + usize::from(relu)).collect())
}

/// column_sum and matmul_at_b over the same gradient -> matmul_at_b with a row for the bias.
fn matmul_at_b_bias(plan: &Plan, at: usize) -> Option<Rewrite> {
    let Op::ColumnSum { .. } = plan.steps[at].op else { return None };
    let (d_bias, bias_steps) = plan.whole_sum(at)?;
    let product = plan.steps.get(bias_steps.end)?;
    let Op::MatmulAtB { product: shape, bias: false } = product.op else { return None };
    let (d_kernel, kernel_steps) = plan.whole_sum(bias_steps.end)?;
    if product.args[1].buffer != plan.steps[at].args[0].buffer {
        return None;
    }
    let op = Op::MatmulAtB { product: shape, bias: true };
    let args = product.args[..2].to_vec();
    let steps =
        plan.steps_in_parts(product.stage, product.name.clone(), op, args, joined(&d_kernel, &d_bias)?);
    Some(Rewrite { gone: (at..kernel_steps.end).collect(), at, steps })
}

/// matmul_at_b with a bias, matmul_a_bt, maybe relu_backward -> dense_backward, where the layer is small.
fn dense_backward(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [of_kernel, of_input] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::MatmulAtB { product, bias: true }, Op::MatmulABt(back)) = (&of_kernel.op, &of_input.op) else {
        return None;
    };
    let shape = MatmulShape { m: product.k, n: product.n, k: product.m };
    let whole = product.split().parts == 1 && back.split().parts == 1;
    if !whole || !shape.is_small() {
        return None;
    }
    let (x, dx) = (&of_kernel.args[0], &of_input.args[2]);
    let masked = |step: &Step| {
        let buffers = [x.buffer, dx.buffer];
        matches!(step.op, Op::ReluBackward { .. }) && step.args.iter().map(|arg| arg.buffer).eq(buffers)
    };
    let relu = plan.steps.get(at + 2).is_some_and(masked);
    let [dy, kernel] = [&of_input.args[0], &of_input.args[1]];
    let args = [x, kernel, dy, &of_kernel.args[2], dx].map(Tensor::clone).to_vec();
    let name = format!("{}/backward", layer(of_kernel));
    let op = Op::DenseBackward { product: shape, relu };
    let gone = (at..at + 2 + usize::from(relu)).collect();
    Rewrite::one(gone, Step { name, stage: of_kernel.stage, op, args })
}

/// softmax_cross_entropy, batch_metrics -> softmax_cross_entropy_metrics, where one workgroup is enough.
fn softmax_cross_entropy_metrics(plan: &Plan, at: usize) -> Option<Rewrite> {
    let [loss, metrics] = plan.steps.get(at..at + 2)? else { return None };
    let (&Op::SoftmaxCrossEntropy { rows, columns }, Op::BatchMetrics { .. }) = (&loss.op, &metrics.op)
    else {
        return None;
    };
    if rows * columns > SMALL_LOSS {
        return None;
    }
    let [logits, target, _, _, dlogits] = &loss.args[..] else { return None };
    let args = [logits, target, dlogits, &metrics.args[2], &metrics.args[3]].map(Tensor::clone).to_vec();
    let op = Op::SoftmaxCrossEntropyMetrics { rows, columns };
    Rewrite::one(vec![at, at + 1], Step { name: loss.name.clone(), stage: loss.stage, op, args })
}

/// dense_forward, softmax_cross_entropy_metrics and dense_backward of the last layer, where it is small -> in training,
/// dense_softmax_cross_entropy; evaluation keeps the first two.
fn dense_softmax_cross_entropy(plan: &Plan, at: usize) -> Option<Rewrite> {
    let forward = &plan.steps[at];
    let Op::DenseForward { product, relu: false } = forward.op else { return None };
    let find = |kind: fn(&Op) -> bool| (at..plan.steps.len()).find(|&index| kind(&plan.steps[index].op));
    let loss_at = find(|op| matches!(op, Op::SoftmaxCrossEntropyMetrics { .. }))?;
    let back_at = find(|op| matches!(op, Op::DenseBackward { .. }))?;
    let (loss, back) = (&plan.steps[loss_at], &plan.steps[back_at]);
    let Op::DenseBackward { product: of_back, relu } = back.op else { return None };
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
        op: Op::DenseSoftmaxCrossEntropy { product, relu },
        args,
    };
    let inferred = Step { stage: Stage::Inference, ..forward.clone() };
    let judged = Step { stage: Stage::Judgement, ..loss.clone() };
    Some(Rewrite { gone: vec![at, loss_at, back_at], at, steps: vec![inferred, trained, judged] })
}

/// The gradient of the largest dense layer and the update -> dense_rmsprop_update, and the update of the rest.
fn dense_rmsprop_update(plan: &Plan, at: usize) -> Option<Rewrite> {
    let weights = |step: &Step| match step.op {
        Op::MatmulAtB { product, bias: true } => product.m * product.n,
        _ => 0,
    };
    let step = &plan.steps[at];
    let Op::MatmulAtB { product, bias: true } = step.op else { return None };
    let update_at = plan
        .steps
        .iter()
        .position(|step| matches!(step.op, Op::RmspropUpdate { hole: Hole { len: 0, .. }, .. }))?;
    let update = &plan.steps[update_at];
    let Op::RmspropUpdate { len, rmsprop, .. } = update.op else { return None };
    let [a, b, gradient] = &step.args[..] else { return None };
    let [least, samples] = FUSED_UPDATE;
    let largest = plan.steps.iter().map(weights).max() == Some(weights(step));
    // Nothing but the update reads gradients, so that no other step of the plan misses this one.
    let whole = plan.buffers[gradient.buffer].role == Role::Gradients;
    let fits = product.n.is_multiple_of(4) && weights(step) >= least && product.k <= samples;
    if !(largest && whole && fits) {
        return None;
    }
    let first = gradient.offset;
    let fused = Step {
        name: format!("{}/update", layer(step)),
        stage: update.stage,
        op: Op::DenseRmspropUpdate { product, first, len, rmsprop },
        args: vec![a.clone(), b.clone(), update.args[1].clone(), update.args[2].clone()],
    };
    let hole = Hole { first, len: (product.m + 1) * product.n };
    let rest = Step { op: Op::RmspropUpdate { len, rmsprop, hole }, ..update.clone() };
    Some(Rewrite { gone: vec![at, update_at], at: update_at, steps: vec![fused, rest] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Conv2D, Dense, Flatten, Loss, MaxPooling2D, Optimizer, Sequential};

    fn fused(channels: usize) -> Plan {
        let model = Sequential::new([8, 8, channels])
            .add(Conv2D::new(4, 5).activation(Activation::Relu))
            .add(MaxPooling2D::new(2))
            .add(Flatten::new())
            .add(Dense::new(3).activation(Activation::Softmax));
        let network = model.network().unwrap();
        Plan::build(&network, Loss::default(), Optimizer::default(), 2).unwrap().fuse()
    }

    /// 25 products a channel.
    #[test]
    fn only_short_sums_are_pooled_at_once() {
        for (channels, pooled) in [(1, true), (2, false), (1000, false)] {
            let plan = fused(channels);
            let kinds: Vec<_> = plan.steps.iter().map(|step| step.op.kind()).collect();
            assert_eq!(kinds.contains(&"conv2d_maxpool_forward"), pooled, "{channels}: {kinds:?}");
            assert!(plan.steps.iter().all(|step| step.op.longest_loop() <= MAX_ITERATIONS), "{channels}");
        }
    }
}
