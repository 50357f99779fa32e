//! What an op says of itself.

use super::args::ArgSpec;
use super::batch::BatchParams;
use super::case::Case;
use super::constant::Constants;
use super::fast::FastRow;
use super::inputs::{Draw, Values};
use super::kernel::Row;
use super::kinks::Kinks;
use super::split::Split;
use super::trial::{Bounds, Trial};
use super::twin::{Arg, OtherArguments, Real};

/// An op: what one step computes, with its sizes. Each implementation is the op's whole room; [`Op`](crate::ops::Op) is the
/// list of all.
pub(crate) trait OpKind: Copy + PartialEq + std::fmt::Debug + 'static {
    /// Its kernels: of those that fit a step and that the adapter prefers, the first is taken.
    const ROWS: &'static [Row<Self>];

    /// What computes it on the CPU in place of the twin, where the twin is slow: of those that fit a step, the first is taken.
    const FAST: &'static [FastRow<Self>] = &[];

    /// Its name, shared with the WGSL file.
    fn kind(&self) -> &'static str;

    /// Its arguments, in the order of the shader's bindings.
    fn args(&self) -> Vec<ArgSpec>;

    /// How its long sums are cut; `None` where it has none.
    fn split(&self) -> Option<Split>;

    /// Floating-point operations of one execution; a multiply-add counts as two, a comparison as one.
    fn flops(&self) -> usize;

    /// Most iterations, over all its loops, of one invocation of its plainest kernel.
    fn longest_loop(&self) -> usize;

    /// Sizes and settings, by the names that its shaders use.
    fn constants(&self) -> Constants;

    /// Samples of a whole batch, where it knows of samples.
    fn samples(&self) -> Option<usize>;

    /// Computes it, as the oracle of its kernels: loops in the order of the maths, parallel only over outputs that do not
    /// depend on one another, so that the number of threads never changes a bit.
    ///
    /// # Errors
    /// When the arguments are not those of [`OpKind::args`].
    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments>;

    /// Its sizes and settings in words, for the name of a case.
    fn title(&self) -> String;

    /// The shapes where its kernels could go wrong: those of the tutorial, one element of everything, sizes that no tile
    /// divides, a short batch, sums of over 65,535 terms, groups that fold.
    fn cases() -> Vec<Case<Self>>;

    /// The numbers of an argument that is read.
    fn input(draw: &mut Draw<'_, Self>) -> Values {
        draw.plain()
    }

    /// How far each argument may be from the twin in f64, derived from the accuracy that WGSL asks for.
    fn bounds(trial: &Trial<'_, Self>) -> Bounds;

    /// Where the function bends at these arguments, for tests that differentiate it; nowhere, where it is smooth. They
    /// differentiate plans that are not fused: an op that only fusion makes need not tell.
    fn kinks(&self, _args: &[&[f64]]) -> Kinks {
        Kinks::default()
    }

    /// How many of the weights of an arena a step touches, and how many there are, where it is not all of them.
    fn touched(&self) -> Option<[usize; 2]> {
        None
    }
}
