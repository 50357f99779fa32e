//! THE table: every kind of step on the shapes where kernels go wrong.
//!
//! For each kind there are the tutorial's own shapes at batch 64; one element of everything; sizes that no tile divides,
//! and sizes that 4 divides but not 8; one and many channels; a short batch; reductions longer than 65,535 terms; and
//! dispatches whose groups fold into y, both of over 65,535 groups and, for every kind, of few.
//! A new kind gets its rows here; its inputs stand in `inputs`, its bound in `tolerance`.

mod convolution;
mod data;
mod dense;
mod elementwise;
mod loss;
mod update;

use super::Case;

/// Every case, the cheap ones of a kind first where order does not matter otherwise.
pub fn cases() -> Vec<Case> {
    let mut table = Vec::new();
    table.extend(data::gathering());
    table.extend(convolution::convolutions());
    table.extend(convolution::poolings());
    table.extend(convolution::pooled_convolutions());
    table.extend(dense::products());
    table.extend(dense::small_dense_layers());
    table.extend(dense::sums());
    table.extend(elementwise::elementwise());
    table.extend(loss::losses());
    table.extend(update::penalties_and_clipping());
    table.extend(update::rmsprop());
    table.extend(update::optimizers());
    table
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::gpu::{AdapterClass, KERNELS, variants};
    use crate::model::{Loss, ModelFile};
    use crate::plan::{MAX_ITERATIONS, Plan};

    /// The class of adapters that can run every kernel.
    const ALL: AdapterClass = AdapterClass { lanes: Some(8), int64: true, hardware: true };

    #[test]
    fn every_kernel_of_the_table_is_run_by_some_case() {
        let mut left: HashSet<_> = KERNELS.iter().map(|kernel| (kernel.kind, kernel.variant)).collect();
        assert_eq!(left.len(), KERNELS.len(), "two kernels share a kind and a variant");
        for case in cases() {
            assert!(variants(&case.op, ALL).next().is_some(), "{}: no kernel fits", case.op.kind());
            for kernel in variants(&case.op, ALL) {
                left.remove(&(kernel.kind, kernel.variant));
            }
        }
        assert!(left.is_empty(), "no case runs {left:?}");
    }

    #[test]
    fn every_kernel_is_run_in_folded_groups() {
        let mut left: HashSet<_> = KERNELS.iter().map(|kernel| (kernel.kind, kernel.variant)).collect();
        for case in cases().iter().filter(|case| case.folded) {
            for kernel in variants(&case.op, ALL) {
                if kernel.groups(&case.op, crate::verify::side_of_square(kernel, &case.op))[1] > 1 {
                    left.remove(&(kernel.kind, kernel.variant));
                }
            }
        }
        // These are a single group by design.
        let single = ["_metrics", "_softmax_cross_entropy", "add_penalty"];
        left.retain(|(kind, _)| !single.iter().any(|end| kind.ends_with(end)));
        assert!(left.is_empty(), "no folded case of {left:?}");
    }

    #[test]
    fn every_step_of_the_tutorial_is_a_case() {
        let table = cases();
        let file = ModelFile::tutorial().unwrap();
        let network = file.model.network().unwrap();
        let plan = Plan::build(&network, Loss::default(), file.optimizer, 64).unwrap();
        let fused = plan.clone().fuse();
        for step in plan.steps.iter().chain(&fused.steps) {
            assert!(table.iter().any(|case| case.op == step.op), "{}: {:?}", step.name, step.op);
        }
    }

    #[test]
    fn names_are_unique_and_loops_short_enough() {
        let mut seen = HashSet::new();
        for case in cases() {
            let name = format!("{}: {}", case.op.kind(), case.name());
            assert!(case.op.longest_loop() <= MAX_ITERATIONS, "{name}");
            assert!(seen.insert(name.clone()), "twice: {name}");
        }
    }
}
