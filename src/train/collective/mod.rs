//! Several executors that train one model: what they exchange.
//!
//! Every process, or every thread of one, has an executor of its own, a copy of the weights, and all data; each is a **rank**. They run the
//! same code, `fit` with the same options, side by side. In a step each computes the gradients of its own micro-batches; these are added
//! up over all ranks, and each makes the same update of the same weights by the same sums. A [`Collective`] carries what they exchange:
//! bytes, and sums in one fixed order.

mod alone;
#[cfg(feature = "mpi")]
mod mpi;
mod threads;
pub(crate) mod tree;

pub use crate::error::CollectiveError;
pub use alone::Alone;
#[cfg(feature = "mpi")]
pub use mpi::{Mpi, MpiRun};
pub use threads::Threads;

use crate::profile::StepTimes;

/// What the ranks of a run exchange. All of them must call the same methods in the same order.
pub trait Collective: Send {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn size(&self) -> usize;

    /// Adds vectors of the same length up over all ranks, element by element, in a fixed order: the sum of n of them is that of
    /// the first p plus that of the others, both likewise, with p the largest power of two below n. Afterwards each has the sum.
    ///
    /// # Errors
    /// When another rank failed or does something else.
    fn sum(&mut self, values: &mut Vec<f32>, times: &mut StepTimes) -> Result<(), CollectiveError>;

    /// What each rank has to say, in order.
    ///
    /// # Errors
    /// As [`sum`](Self::sum).
    fn gather(&mut self, own: &[u8]) -> Result<Vec<Vec<u8>>, CollectiveError>;
}

/// Who computes the update of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Updates {
    /// Every rank, of its own copy of the weights: on devices of one kind they stay the same to the bit.
    #[default]
    Everywhere,
    /// Rank 0, which hands the weights to the others after each: for devices that round differently.
    FirstOnly,
}

/// What rank 0 says, to all.
///
/// # Errors
/// As [`Collective::gather`].
pub(crate) fn from_first(collective: &mut dyn Collective, own: &[u8]) -> Result<Vec<u8>, CollectiveError> {
    let own = if collective.rank() == 0 { own } else { &[] };
    Ok(collective.gather(own)?.into_iter().next().unwrap_or_default())
}

/// Whether it is so for any rank.
///
/// # Errors
/// As [`Collective::gather`].
pub(crate) fn any(collective: &mut dyn Collective, own: bool) -> Result<bool, CollectiveError> {
    match collective.size() {
        1 => Ok(own),
        _ => Ok(collective.gather(&[u8::from(own)])?.iter().any(|said| said.first() == Some(&1))),
    }
}

/// Which of so many things in a row this rank takes: neighbours, as many as the others or one more or less.
pub(crate) fn share_of(things: usize, rank: usize, size: usize) -> std::ops::Range<usize> {
    things * rank / size..things * (rank + 1) / size
}
