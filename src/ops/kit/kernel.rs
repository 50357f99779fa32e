//! Kernels: the rows of an op, and a row made for one step.

use super::args::ArgSpec;
use super::constant::{Constant, Constants};
use super::source::{Form, Source};
use super::teams::Product;

/// The type of the elements of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// One float.
    F32,
    /// One float or four, as many as the kernel's `Real` has.
    Real,
    /// Four floats.
    Vec4F32,
    /// One integer, or four bytes.
    U32,
    /// Two integers.
    Vec2U32,
    /// One integer that several invocations may write at once.
    AtomicU32,
    /// Eight floats, as four integers of 64 bits; see [`Kernel::int64`].
    EightF32,
    /// Eight floats, as two vectors of four.
    TwoVec4F32,
}

impl Element {
    /// What it is in a kernel of this [`Kernel::width`] and [`Kernel::int64`].
    pub fn by(self, width: usize, int64: bool) -> Self {
        match self {
            Element::Real if width == 1 => Element::F32,
            Element::Real => Element::Vec4F32,
            Element::EightF32 if !int64 => Element::TwoVec4F32,
            other => other,
        }
    }

    /// Number of 32-bit words in a kernel of this [`Kernel::width`].
    pub fn words(self, width: usize) -> usize {
        match self {
            Element::Real => width,
            Element::F32 | Element::U32 | Element::AtomicU32 => 1,
            Element::Vec2U32 => 2,
            Element::Vec4F32 => 4,
            Element::EightF32 | Element::TwoVec4F32 => 8,
        }
    }
}

/// Invocations of a workgroup, where nothing speaks for another number: a multiple of every subgroup size.
pub(super) const WORKGROUP: u32 = 64;

/// Floats that a lane of the kernels in `shaders/lanes` loads at a time.
pub(crate) const EIGHTS: usize = 8;

/// What a row for subgroups says of so many lanes.
pub(crate) struct ByLanes<O> {
    /// Further constants, by the names that the shader uses.
    pub(crate) tile: fn(&O, usize) -> Vec<(&'static str, usize)>,
    /// Whether they can run this step.
    pub(crate) fits: fn(&O, usize) -> bool,
    /// How many invocations this step takes.
    pub(crate) invocations: fn(&O, usize) -> usize,
}

/// What invocations that share sums must know of them.
#[derive(Clone, Copy)]
pub(crate) struct Sums<O> {
    /// Terms of a sum that can be shared out.
    pub(crate) terms: fn(&O) -> usize,
    /// Whether the terms of a sum lie side by side, not neighbouring sums.
    pub(crate) along: bool,
}

impl<O> Sums<O> {
    /// How many invocations of a workgroup share a sum: a power of two, so that some terms are left to each; 1 where it is short.
    pub(super) fn shares(&self, op: &O, width: usize) -> usize {
        let most = if self.along { SHARED_WORKGROUP } else { SHARED_WORKGROUP * width / NEIGHBOURS };
        let terms = (self.terms)(op);
        if terms < LONG_SUM { 1 } else { (1 << (terms / LEAST_SHARE).ilog2()).min(most) }
    }
}

/// Invocations of a workgroup that shares sums.
pub(super) const SHARED_WORKGROUP: usize = 256;
/// Fewest floats of neighbouring sums of such a workgroup, where they lie side by side: a line of memory.
const NEIGHBOURS: usize = 32;
/// Fewest terms of a sum that is shared.
const LONG_SUM: usize = 32;
/// Fewest terms of a share.
const LEAST_SHARE: usize = 4;

/// One way to run an op: of those of an op that fit a step and that the adapter prefers, the first is taken.
pub(crate) struct Row<O> {
    /// What sets it apart from the other rows of its op.
    pub(crate) variant: &'static str,
    /// Its own file; its first lines say which others come before it.
    pub(crate) source: Source,
    /// A file that the step decides, imported as `{function}`.
    pub(crate) function: fn(&O) -> Option<Source>,
    /// Element types of the bindings, in the order of the op's arguments.
    pub(crate) elements: &'static [Element],
    /// Components of the shader's `Real` and `Index`: 1 or 4.
    pub(crate) width: usize,
    /// Invocations of one workgroup, all along x.
    pub(crate) workgroup: u32,
    /// How it is shared out among the lanes of a subgroup; such a row stands for kernels of every size in
    /// `LANES`. `None` for a kernel without subgroups.
    pub(crate) lanes: Option<ByLanes<O>>,
    /// How teams of a workgroup share out a product; such a row stands for kernels with several teams and with one.
    pub(crate) product: Option<fn(&O) -> Product>,
    /// Whether an invocation of them has registers for two Reals of rows by two of columns.
    pub(crate) wide: bool,
    /// Its long sums, which several invocations of a workgroup may share: such a row stands for further kernels, before this one.
    pub(crate) sums: Option<Sums<O>>,
    /// Whether it is chosen on GPUs only, though it can run on drivers that compute on the processor.
    pub(crate) hardware: bool,
    /// Whether it reads the row of the batch.
    pub(crate) reads_batch: bool,
    /// Further constants, such as the sizes of a register tile, by the names that the shader uses.
    pub(crate) tile: fn(&O) -> Vec<(&'static str, usize)>,
    /// Whether it can run this step.
    pub(crate) fits: fn(&O) -> bool,
    /// Which steps the same file can run with four floats to a `Real`: such a row stands for two kernels, `vec4` before this one.
    pub(crate) by_four: Option<fn(&O) -> bool>,
    /// How many invocations this step takes, with so many floats to a `Real`.
    pub(crate) invocations: fn(&O, usize) -> usize,
}

/// A row of an op made for one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    /// What the step computes, as [`Op::kind`](crate::ops::Op::kind).
    pub kind: &'static str,
    /// What sets it apart from the other kernels of its kind.
    pub variant: &'static str,
    /// Its own file; its first lines say which others come before it.
    pub source: Source,
    /// The file that it imports as `{function}`, where it does.
    pub function: Option<Source>,
    /// A file that has another text than its own, while somebody tries it.
    pub changed: Option<Source>,
    /// The step's arguments, in binding order.
    pub args: Vec<ArgSpec>,
    /// Element types of the bindings, in this order.
    pub elements: &'static [Element],
    /// Components of the shader's `Real` and `Index`: 1 or 4.
    pub width: usize,
    /// Invocations of one workgroup, all along x.
    pub workgroup: u32,
    /// The subgroup size that it is made for; `None` for a kernel without subgroups.
    pub lanes: Option<u32>,
    /// Whether it has integers of 64 bits, as which [`Element::EightF32`] is loaded and stored at once.
    pub int64: bool,
    /// Whether several invocations share a sum.
    pub together: bool,
    /// Whether it is chosen on GPUs only, though it can run on drivers that compute on the processor.
    pub hardware: bool,
    /// Whether it reads the row of the batch, [`BatchParams`](super::BatchParams).
    pub reads_batch: bool,
    /// How many invocations the step takes.
    pub invocations: usize,
    /// Sizes and settings of the step, by the names that the shader uses.
    pub(crate) constants: Constants,
}

impl Kernel {
    /// `kind (variant)`, for messages.
    pub fn title(&self) -> String {
        format!("{} ({})", self.kind, self.variant)
    }

    /// Workgroups along x and y; groups past the limit of one dimension are folded into y.
    pub fn groups(&self, per_dimension: u32) -> [u32; 2] {
        let groups = self.invocations.div_ceil(self.workgroup as usize).max(1);
        let x = groups.min(per_dimension as usize);
        [x as u32, groups.div_ceil(x) as u32]
    }

    /// The WGSL text: a header of constants, the imported files, the kernel's own file.
    ///
    /// `bases` says where each argument begins in its binding, in 32-bit words.
    pub fn text(&self, bases: &[usize], per_dimension: u32) -> String {
        let mut text = self.header(bases, per_dimension);
        for source in self.files() {
            text += source.text;
        }
        text
    }

    /// What decides which files it imports.
    pub fn form(&self) -> Form {
        Form { width: self.width, int64: self.int64, together: self.together }
    }

    /// Its own file behind those that it imports.
    pub fn files(&self) -> Vec<Source> {
        let changed =
            |source: Source| self.changed.filter(|changed| changed.file == source.file).unwrap_or(source);
        let files = changed(self.source).with_imports(self.form(), self.function);
        files.into_iter().map(changed).collect()
    }

    fn header(&self, bases: &[usize], per_dimension: u32) -> String {
        let (real, index) = if self.width == 4 { ("vec4<f32>", "vec4<u32>") } else { ("f32", "u32") };
        let mut text = format!("alias Real = {real};\nalias Index = {index};\n");
        let layout = [
            ("WIDTH", self.width),
            ("WORKGROUP_SIZE", self.workgroup as usize),
            ("GROUPS_X", self.groups(per_dimension)[0] as usize),
            ("INVOCATIONS", self.invocations),
        ];
        for (name, value) in layout {
            text += &Constant::U32(value).declare(name);
        }
        for ((spec, element), base) in self.args.iter().zip(self.elements).zip(bases) {
            let name = format!("{}_BASE", spec.name.to_uppercase());
            text += &Constant::U32(base / element.words(self.width)).declare(&name);
        }
        if let Some(lanes) = self.lanes {
            text += &Constant::U32(lanes as usize).declare("LANES");
        }
        for (name, value) in &self.constants {
            text += &value.declare(name);
        }
        text
    }

    /// File and line of a line of [`Kernel::text`], both counted from 1.
    pub fn locate(&self, bases: &[usize], per_dimension: u32, line: usize) -> String {
        let header = self.header(bases, per_dimension).lines().count();
        if line <= header {
            return format!("generated header, line {line}");
        }
        let mut left = line - header;
        for source in self.files() {
            let lines = source.text.lines().count();
            if left <= lines {
                return format!("shaders/{}:{left}", source.file);
            }
            left -= lines;
        }
        format!("shaders/{}, after its end", self.source.file)
    }
}
