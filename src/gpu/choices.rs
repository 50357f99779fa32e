//! Kernels that are used in place of those that an adapter prefers.

use std::collections::BTreeMap;

use super::{AdapterClass, Kernel, choose, variants};
use crate::plan::{Op, Plan};

/// Which variants run some of the steps. The table decides for the others, and for those whose variant cannot run on
/// an adapter of the class. Empty by default, so that two machines with the same GPU and driver give the same bits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choices {
    /// Pairs of a step and its variant. Steps hold floats, so they are compared and not hashed.
    list: Vec<(Op, String)>,
}

impl Choices {
    /// Chooses this variant for the step, wherever a plan has it.
    pub fn set(&mut self, op: Op, variant: &str) {
        self.list.retain(|(known, _)| *known != op);
        self.list.push((op, variant.to_owned()));
    }

    /// The choices that a run recorded: the variant of each step of a plan by the step's name.
    pub fn recorded(plan: &Plan, kernels: &BTreeMap<String, String>) -> Self {
        let mut choices = Choices::default();
        for step in &plan.steps {
            if let Some(variant) = kernels.get(&step.name) {
                choices.set(step.op, variant);
            }
        }
        choices
    }

    /// The kernel that runs this step on adapters of a class; `None` only for a kind without a row.
    pub fn kernel(&self, op: &Op, class: AdapterClass) -> Option<Kernel> {
        let chosen = self.list.iter().find(|(known, _)| known == op);
        chosen
            .and_then(|(_, variant)| variants(op, class).find(|kernel| kernel.variant == variant))
            .or_else(|| choose(op, class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{ActivationForward, Relu};

    #[test]
    fn a_choice_is_taken_where_its_kernel_runs() {
        let op: Op = ActivationForward { len: 8, function: Relu.into() }.into();
        let class = AdapterClass::default();
        let default = choose(&op, class).unwrap().variant;
        let other = variants(&op, class).nth(1).unwrap().variant;
        let rows =
            [(None, default), (Some(other), other), (Some(default), default), (Some("nonesuch"), default)];
        let mut choices = Choices::default();
        for (chosen, expected) in rows {
            if let Some(chosen) = chosen {
                choices.set(op, chosen);
            }
            assert_eq!(choices.kernel(&op, class).unwrap().variant, expected, "{chosen:?}");
        }
        // Vectors of four do not fit seven elements.
        let odd: Op = ActivationForward { len: 7, function: Relu.into() }.into();
        choices.set(odd, "vec4");
        assert_eq!(choices.kernel(&odd, class).unwrap().variant, "scalar");
    }
}
