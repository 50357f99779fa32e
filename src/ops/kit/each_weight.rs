//! Updates of weights, one by one, by all threads.

use rayon::prelude::*;

use super::batch::BatchParams;
use super::by_column::wide;
use super::twin::{Arg, OtherArguments, PIECE, Real};
use super::update::held;

/// What an update changes, with what it follows: all `[len]`.
#[derive(Debug)]
pub(crate) struct Weights<'a, T, const SLOTS: usize> {
    pub(crate) gradient: &'a [T],
    pub(crate) state: [&'a mut [T]; SLOTS],
    pub(crate) parameter: &'a mut [T],
}

/// The twin of an update with the arguments of [`update_args`](super::update::update_args): `after(g, state, w)` gives state and
/// weight after it.
pub(crate) fn update_each<T: Real, const SLOTS: usize>(
    batch: &BatchParams,
    args: &mut [Arg<'_, T>],
    after: impl Fn(T, [T; SLOTS], T) -> ([T; SLOTS], T) + Sync,
) -> Result<(), OtherArguments> {
    let (gradient, loss, tripwire, state, parameter) = match args {
        [Arg::In(gradient), Arg::In(loss), Arg::OutU32(tripwire), Arg::Out(parameter)] if SLOTS == 0 => {
            (gradient, loss, tripwire, &mut [][..], parameter)
        }
        [Arg::In(gradient), Arg::In(loss), Arg::OutU32(tripwire), Arg::Out(state), Arg::Out(parameter)] => {
            (gradient, loss, tripwire, &mut **state, parameter)
        }
        _ => return Err(OtherArguments),
    };
    if !held(batch, loss, tripwire) {
        let state = slots(state, parameter.len());
        update_weights(batch, tripwire, Weights { gradient, state, parameter }, after);
    }
    Ok(())
}

/// The slots of a state, so many values each.
pub(crate) fn slots<T, const SLOTS: usize>(state: &mut [T], len: usize) -> [&mut [T]; SLOTS] {
    let mut slots = state.chunks_exact_mut(len.max(1));
    std::array::from_fn(|_| slots.next().unwrap_or_default())
}

/// Updates every weight. Where the step is guarded, one whose gradient is not finite stays as it is, with its state, and trips.
pub(crate) fn update_weights<T: Real, const SLOTS: usize>(
    batch: &BatchParams,
    tripwire: &mut [u32],
    weights: Weights<'_, T, SLOTS>,
    after: impl Fn(T, [T; SLOTS], T) -> ([T; SLOTS], T) + Sync,
) {
    let Weights { gradient, state, parameter } = weights;
    let mut states = state.map(|slot| slot.chunks_mut(PIECE));
    let pieces = gradient.chunks(PIECE).zip(parameter.chunks_mut(PIECE)).map(|(gradient, parameter)| {
        let state = states.each_mut().map(|slot| slot.next().unwrap_or_default());
        Weights { gradient, state, parameter }
    });
    let pieces: Vec<_> = pieces.collect();
    let guarded = batch.guarded != 0;
    let update = |piece| wide(|| update_piece(guarded, piece, &after));
    if pieces.into_par_iter().map(update).reduce(|| false, |one, other| one | other) {
        tripwire[0] = batch.slot + 1;
    }
}

/// Whether a gradient trips.
#[inline(always)]
fn update_piece<T: Real, const SLOTS: usize>(
    guarded: bool,
    weights: Weights<'_, T, SLOTS>,
    after: &impl Fn(T, [T; SLOTS], T) -> ([T; SLOTS], T),
) -> bool {
    let Weights { gradient, state, parameter } = weights;
    let len = parameter.len();
    let (gradient, state) = (&gradient[..len], state.map(|slot| &mut slot[..len]));
    let mut trips = false;
    for i in 0..len {
        let before = std::array::from_fn(|slot| state[slot][i]);
        let (next, w) = after(gradient[i], before, parameter[i]);
        // Without a branch, so that many weights go at once.
        let stays = guarded & !gradient[i].is_finite();
        trips |= stays;
        parameter[i] = if stays { parameter[i] } else { w };
        for slot in 0..SLOTS {
            state[slot][i] = if stays { before[slot] } else { next[slot] };
        }
    }
    trips
}
