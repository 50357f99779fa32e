//! Fusion: rewrites of a plan that put several steps into one, so that what lies between them never goes through memory.
//!
//! A rewrite looks for a pattern of neighbouring steps, and for proof that nothing else reads what would no longer be
//! written. The twin of each fused kind is made of the twins of the steps that it replaces.

mod convolution;
mod dense;
mod ends;
mod rewrite;

use super::{Plan, Step};
use crate::layers::kit::ALIGNMENT;
use crate::ops::MAX_ITERATIONS;
use rewrite::Rewrite;

impl Plan {
    /// The same computation in fewer steps; buffers that no step uses any more are gone.
    ///
    /// Sums may be taken in another order, so that results agree within rounding errors and not to the bit.
    pub fn fuse(self) -> Plan {
        self.fuse_and_tell().0
    }

    /// As [`Plan::fuse`], with what became of the steps.
    pub fn fuse_and_tell(mut self) -> (Plan, Vec<Fusion>) {
        let mut fusions = Vec::new();
        while self.rewrite_any(&mut fusions) {}
        self.drop_unused_buffers();
        (self, fusions)
    }

    /// Applies the first rewrite that fits anywhere.
    fn rewrite_any(&mut self, fusions: &mut Vec<Fusion>) -> bool {
        const REWRITES: [fn(&Plan, usize) -> Option<Rewrite>; 12] = [
            ends::gather_batch,
            convolution::conv2d_maxpool_forward,
            convolution::conv2d_maxpool_backward_kernel,
            // Takes what is not pooled at once.
            convolution::conv2d_forward_relu,
            convolution::relu_backward_pooled,
            dense::dense_forward,
            dense::sum_partials_bias,
            dense::matmul_at_b_bias,
            dense::dense_backward,
            ends::softmax_cross_entropy_metrics,
            ends::dense_softmax_cross_entropy,
            // Takes what the others leave of the products.
            dense::dense_rmsprop_update,
        ];
        // One fused output may take the loops of several plain ones: not where that is more than an invocation may run.
        let short = |found: &Rewrite| found.steps.iter().all(|step| step.op.longest_loop() <= MAX_ITERATIONS);
        let found = REWRITES
            .iter()
            .find_map(|rewrite| (0..self.steps.len()).find_map(|at| rewrite(self, at).filter(short)));
        let Some(Rewrite { mut gone, at, steps }) = found else { return false };
        note(fusions, gone.iter().map(|&index| &self.steps[index]), &steps);
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
        let mut named = vec![&self.input, &self.target, &self.logits, &self.probabilities];
        named.extend(self.state.iter().chain(&self.average));
        named.extend(self.parameters.iter().chain(&self.gradients).chain(&self.summands));
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
        let fixed = [&mut self.input, &mut self.target, &mut self.logits, &mut self.probabilities];
        let state = self.state.iter_mut().chain(&mut self.average);
        let moved = fixed
            .into_iter()
            .chain(state)
            .chain(&mut self.parameters)
            .chain(&mut self.gradients)
            .chain(&mut self.summands);
        moved
            .chain(self.steps.iter_mut().flat_map(|step| &mut step.args))
            .for_each(|tensor| tensor.buffer = place[tensor.buffer]);
    }
}

/// Steps of a plan and the steps that do the same after fusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fusion {
    /// Names of steps of the plan as it was lowered, in the order in which they came together.
    pub before: Vec<String>,
    /// Names of steps of the fused plan.
    pub after: Vec<String>,
}

/// Adds a rewrite to the tale: what was fused before and is now fused again joins it.
fn note<'a>(fusions: &mut Vec<Fusion>, gone: impl Iterator<Item = &'a Step>, steps: &[Step]) {
    let mut joined = Fusion { before: Vec::new(), after: Vec::new() };
    for step in gone {
        match fusions.iter().position(|fusion| fusion.after.contains(&step.name)) {
            Some(at) => {
                let Fusion { before, after } = fusions.remove(at);
                joined.before.extend(before);
                joined.after.extend(after);
            }
            None if !joined.after.contains(&step.name) => joined.before.push(step.name.clone()),
            None => {}
        }
        joined.after.retain(|name| *name != step.name);
    }
    for step in steps {
        if !joined.after.contains(&step.name) {
            joined.after.push(step.name.clone());
        }
    }
    fusions.push(joined);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Conv2D, Dense, Flatten, Loss, MaxPooling2D, Optimizer, Sequential};
    use crate::ops::Relu;
    use crate::ops::{ActivationBackward, Op};
    use crate::plan::Stage;

    fn plan(side: usize, channels: usize, window: usize) -> Plan {
        let model = Sequential::new([side, side, channels])
            .add(Conv2D::new(4, 5).activation(Activation::Relu))
            .add(MaxPooling2D::new(window))
            .add(Flatten::new())
            .add(Dense::new(3).activation(Activation::Softmax));
        let network = model.network().unwrap();
        Plan::build(&network, Loss::default(), Optimizer::default(), 2).unwrap()
    }

    fn fused(side: usize, channels: usize, window: usize) -> (Plan, Vec<Fusion>) {
        plan(side, channels, window).fuse_and_tell()
    }

    /// 25 products a channel, and what one output takes over a whole window must not loop for too long.
    #[test]
    fn only_short_sums_are_pooled_at_once() {
        for (side, channels, window, pooled) in
            [(8, 1, 2, true), (8, 2, 2, false), (8, 1000, 2, false), (44, 1, 34, true), (44, 1, 36, false)]
        {
            let (plan, _) = fused(side, channels, window);
            let kinds: Vec<_> = plan.steps.iter().map(|step| step.op.kind()).collect();
            let place = format!("{side}, {channels}, {window}: {kinds:?}");
            assert_eq!(kinds.contains(&"conv2d_maxpool_forward"), pooled, "{place}");
            assert!(!kinds.contains(&"relu_forward"), "{place}");
            assert!(plan.steps.iter().all(|step| step.op.longest_loop() <= MAX_ITERATIONS), "{place}");
        }
    }

    /// Of 512 elements 128 are left after pooling.
    #[test]
    fn gradients_go_through_relu_where_they_are_few() {
        let relu = Activation::Relu;
        let model = Sequential::new([12, 12, 2])
            .add(Conv2D::new(4, 5).activation(relu))
            .add(MaxPooling2D::new(2))
            .add(Conv2D::new(4, 2).activation(relu))
            .add(Flatten::new())
            .add(Dense::new(3).activation(Activation::Softmax));
        let network = model.network().unwrap();
        let plan = Plan::build(&network, Loss::default(), Optimizer::default(), 2).unwrap().fuse();
        let backward: Vec<_> = plan.steps.iter().filter(|step| step.stage == Stage::Backward).collect();
        let masked = backward.iter().position(|step| step.name == "conv2d/relu_backward").unwrap();
        assert_eq!(
            backward[masked].op,
            Op::ActivationBackward(ActivationBackward { len: 2 * 4 * 4 * 4, function: Relu.into() })
        );
        assert_eq!(backward[masked + 1].op.kind(), "maxpool_backward");
    }

    #[test]
    fn what_became_of_each_step_is_told() {
        let names = |plan: &Plan| plan.steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>();
        for (channels, window) in [(1, 2), (3, 2)] {
            let plain = names(&plan(8, channels, window));
            let (fused, fusions) = fused(8, channels, window);
            // What no fusion names stays, and what one names comes and goes.
            let gone = |name: &String| fusions.iter().any(|fusion| fusion.before.contains(name));
            let come = |name: &String| fusions.iter().any(|fusion| fusion.after.contains(name));
            let stays = plain.iter().filter(|name| !gone(name));
            let mut expected: Vec<_> = stays.cloned().collect();
            expected.extend(names(&fused).into_iter().filter(come));
            let mut found = names(&fused);
            expected.sort();
            found.sort();
            assert_eq!(expected, found, "{fusions:?}");
            assert!(
                fusions.iter().flat_map(|fusion| &fusion.before).all(|name| plain.contains(name)),
                "{fusions:?}"
            );
        }
    }
}
