//! THE table: every kernel, and which one a step gets. One file per family.

mod activation;
mod convolution;
mod dense;
mod elementwise;
mod input;
mod loss;
mod pooling;
mod product;
mod update;

use super::kernel::{Element, Kernel};
use super::source::{Source, shader};
use crate::plan::Op;

use Element::{AtomicU32, EightF32, F32, Real, U32, Vec2U32, Vec4F32};

/// Invocations of a workgroup, where nothing speaks for another number: a multiple of every subgroup size.
const WORKGROUP: u32 = 64;

/// A plain kernel with one float or integer at a time, one invocation per output.
const SCALAR: Kernel = Kernel {
    kind: "",
    variant: "scalar",
    source: Source { file: "", text: "" },
    elements: &[],
    width: 1,
    workgroup: WORKGROUP,
    lanes: None,
    hardware: false,
    reads_step: false,
    tile: |_| Vec::new(),
    fits: |_| true,
    by_four: None,
    invocations: |_, _| 0,
};

/// The same file with four floats or integers at a time.
const VEC4: Kernel = Kernel { variant: "vec4", width: 4, ..SCALAR };

/// A kernel whose invocations each compute a tile of outputs in registers, four floats at a time.
const TILE: Kernel = Kernel { variant: "tile", ..VEC4 };

/// Lanes of a subgroup that the `subgroup8` and `block8` kernels are written for: that of drivers that compute with the
/// processor's 256-bit vectors. Each is its own workgroup.
const LANES: u32 = 8;

/// A kernel whose subgroup computes a tile of outputs together, four floats at a time.
const SUBGROUP8: Kernel = Kernel { variant: "subgroup8", lanes: Some(LANES), workgroup: LANES, ..VEC4 };

/// A kernel whose subgroup keeps a block of one factor, [`EIGHTS`] floats to a lane, and lets the other pass by.
const BLOCK8: Kernel = Kernel { variant: "block8", lanes: Some(LANES), workgroup: LANES, ..VEC4 };

/// Floats that a lane of a `block8` kernel loads at a time.
const EIGHTS: usize = 8;

/// The families, in the order in which a training step meets them.
const FAMILIES: [&[Kernel]; 9] = [
    input::KERNELS,
    convolution::KERNELS,
    pooling::KERNELS,
    product::KERNELS,
    dense::KERNELS,
    elementwise::KERNELS,
    activation::KERNELS,
    loss::KERNELS,
    update::KERNELS,
];

const COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut at = 0;
        while at < FAMILIES[family].len() {
            count += if FAMILIES[family][at].by_four.is_some() { 2 } else { 1 };
            at += 1;
        }
        family += 1;
    }
    count
};

const ALL: [Kernel; COUNT] = {
    let mut all = [SCALAR; COUNT];
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut at = 0;
        while at < FAMILIES[family].len() {
            let row = FAMILIES[family][at];
            if let Some(fits) = row.by_four {
                all[count] = Kernel { variant: VEC4.variant, width: VEC4.width, fits, by_four: None, ..row };
                count += 1;
            }
            all[count] = Kernel { by_four: None, ..row };
            count += 1;
            at += 1;
        }
        family += 1;
    }
    all
};

/// Every kernel; of those of one kind that fit a step and that the adapter's class prefers, the first is taken.
pub const KERNELS: &[Kernel] = &ALL;

/// What decides, beside the step, which kernel runs it: two adapters of one class run the same kernels.
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
        let int64 = self.int64 || !kernel.elements.contains(&EightF32);
        int64 && (kernel.lanes.is_none() || kernel.lanes == self.lanes)
    }

    /// Whether a kernel that they run may be chosen for them; `verify` runs the others too.
    pub fn prefers(&self, kernel: &Kernel) -> bool {
        self.hardware || !kernel.hardware
    }
}

/// Every kernel that can run this step on adapters of a class.
pub fn variants(op: &Op, class: AdapterClass) -> impl Iterator<Item = &'static Kernel> {
    let op = *op;
    KERNELS.iter().filter(move |kernel| kernel.kind == op.kind() && class.runs(kernel) && (kernel.fits)(&op))
}

/// The kernel that runs this step: the first that fits and that the class prefers. `None` only for a kind without a row.
pub fn choose(op: &Op, class: AdapterClass) -> Option<&'static Kernel> {
    variants(op, class).find(|kernel| class.prefers(kernel))
}

/// Number of tiles that cover an area.
fn tiles(area: [usize; 2], tile: [usize; 2]) -> usize {
    area[0].div_ceil(tile[0]) * area[1].div_ceil(tile[1])
}

fn parts(op: &Op) -> usize {
    op.split().map_or(1, |split| split.parts)
}

/// Elements of the last argument, which is what a kernel with one invocation per output writes.
fn outputs(op: &Op, _: usize) -> usize {
    let last = op.args().pop();
    last.map_or(0, |arg| arg.shape.iter().product())
}

/// `Real`s of the last argument.
fn reals(op: &Op, width: usize) -> usize {
    outputs(op, width) / width
}

fn outputs_by_4(op: &Op) -> bool {
    outputs(op, 1).is_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::MatmulShape;

    #[test]
    fn kernels_for_hardware_run_everywhere_and_are_chosen_there_only() {
        let product = MatmulShape { m: 64, n: 64, k: 5408 };
        let gpu = AdapterClass { hardware: true, ..AdapterClass::default() };
        let eights = AdapterClass { lanes: Some(LANES), int64: true, hardware: false };
        for op in [Op::Matmul(product), Op::MatmulAtB { product, bias: true }, Op::MatmulABt(product)] {
            // (class, its choice)
            let rows = [
                (gpu, "workgroup"),
                (AdapterClass { hardware: true, ..eights }, "workgroup"),
                (eights, "block8"),
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

    #[test]
    fn every_kind_has_a_kernel_that_every_class_prefers() {
        for kernel in KERNELS {
            let mut plain = KERNELS.iter().filter(|other| other.kind == kernel.kind);
            let last = plain.next_back().map(|last| (last.hardware, last.lanes));
            assert_eq!(last, Some((false, None)), "{}", kernel.kind);
        }
    }
}
