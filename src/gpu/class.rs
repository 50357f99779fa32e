//! Which kernel a step gets, by the class of the adapter.

use crate::ops::{Kernel, Op};

/// What decides, beside the step, which kernel runs it: two adapters of one class run the same kernels. The same bits are
/// promised for the same GPU and driver only: another driver may round and add otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AdapterClass {
    /// How many invocations run in step, where that is one fixed number.
    pub lanes: Option<u32>,
    /// Whether shaders have integers of 64 bits.
    pub int64: bool,
    /// Whether it is a GPU, not a driver that computes on the processor.
    pub hardware: bool,
}

impl AdapterClass {
    /// Whether adapters of this class have what a kernel needs.
    pub fn runs(&self, kernel: &Kernel) -> bool {
        (self.int64 || !kernel.int64) && (kernel.lanes.is_none() || kernel.lanes == self.lanes)
    }

    /// Whether a kernel that they run may be chosen for them; `verify` runs the others too. Kernels for subgroups are written for
    /// what memory and registers cost on a processor.
    pub fn prefers(&self, kernel: &Kernel) -> bool {
        if self.hardware { kernel.lanes.is_none() } else { !kernel.hardware }
    }
}

/// Every kernel that can run this step on adapters of a class.
pub fn variants(op: &Op, class: AdapterClass) -> impl Iterator<Item = Kernel> {
    op.kernels().into_iter().filter(move |kernel| class.runs(kernel))
}

/// The kernel that runs this step: the first that fits and that the class prefers. `None` only for an op without a row that fits.
pub fn choose(op: &Op, class: AdapterClass) -> Option<Kernel> {
    variants(op, class).find(|kernel| class.prefers(kernel))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{
        ColumnSum, Conv2dBackwardKernel, Conv2dForward, ConvShape, Matmul, MatmulABt, MatmulAtB, MatmulShape,
        Softmax, SumPartials, cases,
    };

    #[test]
    fn kernels_for_hardware_run_everywhere_and_are_chosen_there_only() {
        let product = MatmulShape { m: 64, n: 64, k: 5408 };
        let gpu = AdapterClass { hardware: true, ..AdapterClass::default() };
        let software = |lanes, int64| AdapterClass { lanes: Some(lanes), int64, hardware: false };
        let ops: [Op; 3] =
            [Matmul(product).into(), MatmulAtB { product, bias: true }.into(), MatmulABt(product).into()];
        for op in ops {
            // (class, its choice)
            let rows = [
                (gpu, "workgroup4"),
                (AdapterClass { hardware: true, ..software(8, true) }, "workgroup4"),
                (software(4, true), "block4"),
                (software(8, true), "block8"),
                (software(16, true), "block16_vec4"),
                (software(4, false), "block4_vec4"),
                (software(8, false), "block8_vec4"),
                (software(16, false), "block16_vec4"),
                (software(32, true), "tile"),
                (AdapterClass::default(), "tile"),
            ];
            for (class, expected) in rows {
                let chosen = choose(&op, class).map(|kernel| kernel.variant);
                assert_eq!(chosen, Some(expected), "{}, {class:?}", op.kind());
                let eligible = variants(&op, class).any(|kernel| kernel.variant == "workgroup");
                assert!(eligible, "{}, {class:?}", op.kind());
            }
        }
    }

    /// What the sizes of a net ask for: few tiles and long sums, many tiles and short ones, channels that do not come in fours, groups.
    #[test]
    fn hardware_takes_teams_and_shares_by_the_sizes() {
        let gpu = AdapterClass { hardware: true, ..AdapterClass::default() };
        let conv = |x, kernel, out_c| ConvShape::valid(x, kernel, [1, 1], out_c);
        let forward = |conv| -> Op { Conv2dForward { conv, relu: true }.into() };
        let product = |m, n, k| -> Op { Matmul(MatmulShape { m, n, k }).into() };
        let rows: [(Op, &str); 17] = [
            (product(64, 64, 5408), "workgroup4"),
            (product(2048, 2048, 64), "workgroup_wide"),
            (product(2048, 2048, 4096), "workgroup_wide"),
            (product(512, 512, 4096), "workgroup4"),
            (product(64, 10, 64), "scalar"),
            (forward(conv([64, 26, 26, 32], [3, 3], 64)), "workgroup"),
            (forward(conv([8, 9, 9, 512], [3, 3], 512)), "workgroup4"),
            (forward(conv([32, 58, 58, 64], [3, 3], 64)), "workgroup_wide"),
            (forward(conv([64, 28, 28, 1], [3, 3], 32)), "gather"),
            (forward(conv([2, 13, 13, 32], [3, 3], 32).grouped(32)), "depthwise"),
            (forward(conv([2, 13, 13, 64], [3, 3], 64).grouped(4).dilated([2, 2])), "workgroup4"),
            (Conv2dBackwardKernel(conv([64, 28, 28, 3], [3, 3], 32)).into(), "gather4"),
            (
                Conv2dBackwardKernel(conv([32, 34, 34, 64], [3, 3], 64).grouped(64)).into(),
                "depthwise_together",
            ),
            (ColumnSum { rows: 43_264, columns: 32 }.into(), "vec4_together"),
            (ColumnSum { rows: 20, columns: 30 }.into(), "scalar"),
            (SumPartials { parts: 15, len: 4096 }.into(), "vec4"),
            (Softmax { rows: 32, columns: 1000 }.into(), "together"),
        ];
        for (op, expected) in rows {
            assert_eq!(choose(&op, gpu).map(|kernel| kernel.variant), Some(expected), "{}", op.kind());
        }
    }

    #[test]
    fn every_case_has_a_kernel_that_every_class_prefers() {
        for case in cases() {
            let last = case.op.kernels().pop().map(|last| (last.hardware, last.lanes));
            assert_eq!(last, Some((false, None)), "{}: {}", case.op.kind(), case.name());
        }
    }
}
