//! From the rows of an op to kernels for a step.

use super::args::ArgSpec;
use super::constant::{Constant, Constants};
use super::kernel::{Element, Kernel, Row, SHARED_WORKGROUP, WORKGROUP};
use super::kind::OpKind;
use super::lanes::LANES;
use super::source::Source;
use super::split::Split;
use super::teams::{Product, Teams};

/// What the eights of a kernel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Eights {
    Int64,
    Vec4,
}

/// The kernels that a row for subgroups stands for: its name, the size of a subgroup, what its eights are, the kernel's name.
///
/// Of two for a size the better one comes first. Integers of 64 bits take half as many accesses; but those of sixteen lanes fill
/// two vectors of the processor, and then drivers put each loaded number into its place through memory.
const VARIANTS: [(&str, usize, Eights, &str); 12] = [
    ("subgroup", LANES[0], Eights::Int64, "subgroup4"),
    ("subgroup", LANES[0], Eights::Vec4, "subgroup4_vec4"),
    ("subgroup", LANES[1], Eights::Int64, "subgroup8"),
    ("subgroup", LANES[1], Eights::Vec4, "subgroup8_vec4"),
    ("subgroup", LANES[2], Eights::Vec4, "subgroup16_vec4"),
    ("subgroup", LANES[2], Eights::Int64, "subgroup16"),
    ("block", LANES[0], Eights::Int64, "block4"),
    ("block", LANES[0], Eights::Vec4, "block4_vec4"),
    ("block", LANES[1], Eights::Int64, "block8"),
    ("block", LANES[1], Eights::Vec4, "block8_vec4"),
    ("block", LANES[2], Eights::Vec4, "block16_vec4"),
    ("block", LANES[2], Eights::Int64, "block16"),
];

/// The kernels that a row whose product teams share out stands for: its name, the form of a workgroup, the kernel's name. Those that compute
/// most to an invocation come first, then those of more teams.
const TEAMS: [(&str, Teams, &str); 8] = [
    ("workgroup", Teams::WIDE, "workgroup_wide"),
    ("workgroup", Teams::of(4), "workgroup4"),
    ("workgroup", Teams::of(2), "workgroup2"),
    ("workgroup", Teams::of(1), "workgroup"),
    ("gather", Teams::WIDE, "gather_wide"),
    ("gather", Teams::of(4), "gather4"),
    ("gather", Teams::of(2), "gather2"),
    ("gather", Teams::of(1), "gather"),
];

/// What a kernel is called whose invocations share the sums of this variant.
const TOGETHER: [(&str, &str); 3] =
    [("scalar", "together"), ("vec4", "vec4_together"), ("depthwise", "depthwise_together")];

impl<O: OpKind> Row<O> {
    /// One float or integer at a time, one invocation for each element of the last argument.
    pub(crate) const SCALAR: Row<O> = Row {
        variant: "scalar",
        source: Source { file: "", text: "" },
        function: |_| None,
        elements: &[],
        width: 1,
        workgroup: WORKGROUP,
        lanes: None,
        product: None,
        wide: false,
        sums: None,
        hardware: false,
        reads_batch: false,
        tile: |_| Vec::new(),
        fits: |_| true,
        by_four: None,
        invocations: outputs,
    };

    /// One `Real` of the last argument to an invocation, four floats at a time where they come in fours.
    pub(crate) const ELEMENTWISE: Row<O> =
        Row { by_four: Some(outputs_by_four), invocations: reals, ..Row::SCALAR };

    /// Four floats or integers at a time.
    pub(crate) const VEC4: Row<O> = Row { variant: "vec4", width: 4, ..Row::SCALAR };

    /// Four channels at a time, each of them a group of its own.
    pub(crate) const DEPTHWISE: Row<O> = Row { variant: "depthwise", ..Row::VEC4 };

    /// A tile of outputs in the registers of an invocation, four floats at a time.
    pub(crate) const TILE: Row<O> = Row { variant: "tile", ..Row::VEC4 };

    /// A tile of outputs that a subgroup computes together.
    pub(crate) const SUBGROUP: Row<O> = Row { variant: "subgroup", ..Row::VEC4 };

    /// A block of one factor stays in the registers of a subgroup, [`EIGHTS`](super::kernel::EIGHTS) floats to a lane; the other
    /// passes by.
    pub(crate) const BLOCK: Row<O> = Row { variant: "block", ..Row::VEC4 };

    /// A product whose factors pass through workgroup memory, four floats at a time.
    pub(crate) const WORKGROUP: Row<O> = Row {
        variant: "workgroup",
        elements: &[Element::Vec4F32; 3],
        hardware: true,
        wide: true,
        ..Row::VEC4
    };

    /// The kernels for a step: those of its op's rows that fit it, in their order.
    pub(crate) fn kernels(op: &O) -> Vec<Kernel> {
        let mut kernels = Vec::new();
        for row in O::ROWS {
            if row.by_four.is_some_and(|by_four| by_four(op)) {
                kernels.extend(row.together(op, Self::VEC4.variant, Self::VEC4.width));
                kernels.push(row.kernel(op, Self::VEC4.variant, Self::VEC4.width));
            }
            if row.lanes.is_some() {
                kernels.extend(row.by_lanes(op));
            } else if let Some(product) = row.product.filter(|_| (row.fits)(op)) {
                kernels.extend(row.by_teams(op, product(op)));
            } else if (row.fits)(op) {
                kernels.extend(row.together(op, row.variant, row.width));
                kernels.push(row.kernel(op, row.variant, row.width));
            }
        }
        kernels
    }

    /// The variants that it makes of steps that fit.
    #[cfg(test)]
    pub(crate) fn variants(&self) -> Vec<&'static str> {
        let mut variants: Vec<_> = self.by_four.map(|_| Self::VEC4.variant).into_iter().collect();
        if self.sums.is_some() {
            let alone = [variants.first().copied(), Some(self.variant)];
            let together = TOGETHER.iter().filter(|(variant, _)| alone.contains(&Some(*variant)));
            variants.extend(together.map(|(_, together)| *together));
        }
        if self.product.is_some() {
            variants.extend(self.teams().map(|(.., variant)| *variant));
        } else if self.lanes.is_none() {
            variants.push(self.variant);
        }
        let has_eights = self.elements.contains(&Element::EightF32);
        let of_lanes = VARIANTS.iter().filter(|(stem, _, eights, _)| {
            self.lanes.is_some() && *stem == self.variant && (*eights == Eights::Int64 || has_eights)
        });
        variants.extend(of_lanes.map(|(.., variant)| variant));
        variants
    }

    /// The kernels of a row that lanes share.
    fn by_lanes(&self, op: &O) -> Vec<Kernel> {
        let Some(by_lanes) = &self.lanes else { return Vec::new() };
        let has_eights = self.elements.contains(&Element::EightF32);
        let mut kernels = Vec::new();
        for (stem, lanes, eights, variant) in VARIANTS {
            if stem == self.variant && (eights == Eights::Int64 || has_eights) && (by_lanes.fits)(op, lanes) {
                kernels.push(Kernel {
                    lanes: Some(lanes as u32),
                    int64: eights == Eights::Int64 && has_eights,
                    workgroup: lanes as u32,
                    invocations: (by_lanes.invocations)(op, lanes),
                    constants: all_constants(op.constants(), op.split(), (by_lanes.tile)(op, lanes)),
                    ..self.kernel(op, variant, self.width)
                });
            }
        }
        kernels
    }

    /// The kernel whose invocations share the sums of this one, where they are long.
    fn together(&self, op: &O, variant: &str, width: usize) -> Option<Kernel> {
        let sums = self.sums.as_ref()?;
        let shares = sums.shares(op, width);
        let (_, variant) = TOGETHER.iter().find(|(alone, _)| *alone == variant)?;
        let alone = self.kernel(op, variant, width);
        let mut constants = alone.constants;
        constants.extend([
            ("SHARES", Constant::U32(shares)),
            ("SUMS", Constant::U32(alone.invocations)),
            ("ALONG", Constant::Bool(sums.along)),
        ]);
        (shares > 1).then(|| Kernel {
            workgroup: SHARED_WORKGROUP as u32,
            invocations: alone.invocations.next_multiple_of(SHARED_WORKGROUP / shares) * shares,
            together: true,
            hardware: true,
            constants,
            ..alone
        })
    }

    /// The forms of workgroups that it has.
    fn teams(&self) -> impl Iterator<Item = &'static (&'static str, Teams, &'static str)> {
        TEAMS.iter().filter(|(stem, teams, _)| *stem == self.variant && (self.wide || *teams != Teams::WIDE))
    }

    /// The kernels of a row whose product teams share out.
    fn by_teams(&self, op: &O, product: Product) -> impl Iterator<Item = Kernel> {
        let tile = (self.tile)(op);
        self.teams().filter(move |(_, teams, _)| product.employs(*teams)).map(move |&(_, teams, variant)| {
            Kernel {
                workgroup: teams.workgroup() as u32,
                invocations: product.invocations(teams),
                constants: all_constants(
                    op.constants(),
                    op.split(),
                    [&tile[..], &teams.constants()].concat(),
                ),
                ..self.kernel(op, variant, self.width)
            }
        })
    }

    fn kernel(&self, op: &O, variant: &'static str, width: usize) -> Kernel {
        Kernel {
            kind: op.kind(),
            variant,
            source: self.source,
            function: (self.function)(op),
            changed: None,
            args: op.args(),
            elements: self.elements,
            width,
            workgroup: self.workgroup,
            lanes: None,
            int64: false,
            together: false,
            hardware: self.hardware,
            reads_batch: self.reads_batch,
            invocations: (self.invocations)(op, width),
            constants: all_constants(op.constants(), op.split(), (self.tile)(op)),
        }
    }
}

/// Those of an op, of how its sums are cut, and of a kernel's tile.
fn all_constants(
    mut constants: Constants,
    split: Option<Split>,
    tile: Vec<(&'static str, usize)>,
) -> Constants {
    if let Some(Split { terms, terms_per_part, .. }) = split {
        constants.push(("TERMS", Constant::U32(terms)));
        constants.push(("TERMS_PER_PART", Constant::U32(terms_per_part)));
    }
    constants.extend(tile.into_iter().map(|(name, value)| (name, Constant::U32(value))));
    constants
}

/// Elements of the last argument, which is what most kernels write.
pub(crate) fn outputs<O: OpKind>(op: &O, _: usize) -> usize {
    last_len(&op.args())
}

fn last_len(args: &[ArgSpec]) -> usize {
    args.last().map_or(0, ArgSpec::len)
}

/// `Real`s of the last argument.
pub(crate) fn reals<O: OpKind>(op: &O, width: usize) -> usize {
    outputs(op, width) / width
}

/// Whether the elements of the last argument come in fours.
pub(crate) fn outputs_by_four<O: OpKind>(op: &O) -> bool {
    outputs(op, 1).is_multiple_of(4)
}
