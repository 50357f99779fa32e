//! Loops that are compiled for every width of vectors.

use pulp::{Arch, Simd, WithSimd};

/// Loops, with what they work on.
///
/// `run` is to be inlined always, and so is what is long and called by it: only what the compiler inlines is compiled for wide vectors.
/// That is why this is no closure, which it does not inline where that is long.
pub(crate) trait Loops {
    type Output;

    fn run(self) -> Self::Output;
}

/// Runs loops with the widest vectors that this processor has. Rust rounds each product and each sum by itself on all of them, so the
/// bits are the same.
pub(crate) fn wide<L: Loops>(loops: L) -> L::Output {
    Arch::new().dispatch(Dispatched(loops))
}

struct Dispatched<L>(L);

impl<L: Loops> WithSimd for Dispatched<L> {
    type Output = L::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> L::Output {
        self.0.run()
    }
}
