//! Updates of weights, one by one, by all threads.

use rayon::prelude::*;

use super::batch::BatchParams;
use super::twin::{Arg, OtherArguments, PIECE, Real};
use super::update::held;
use super::wide::{Loops, wide};

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
        [Arg::In(gradient), Arg::In(loss), Arg::OutU32(tripwire), Arg::Out(state), Arg::Out(parameter)]
            if SLOTS > 0 =>
        {
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
    let update = |weights| wide(Piece { guarded, weights, after: &after });
    if pieces.into_par_iter().map(update).reduce(|| false, |one, other| one | other) {
        tripwire[0] = batch.slot + 1;
    }
}

/// Weights at a time, in arrays of their own: the compiler sees that none of them is another, and computes many at once.
const SOME: usize = 256;

struct Piece<'a, T, F, const SLOTS: usize> {
    guarded: bool,
    weights: Weights<'a, T, SLOTS>,
    after: &'a F,
}

impl<T: Real, F, const SLOTS: usize> Loops for Piece<'_, T, F, SLOTS>
where
    F: Fn(T, [T; SLOTS], T) -> ([T; SLOTS], T),
{
    /// Whether a gradient trips.
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Piece { guarded, weights: Weights { gradient, mut state, parameter }, after } = self;
        let (mut g, mut s, mut w) = ([T::zero(); SOME], [[T::zero(); SOME]; SLOTS], [T::zero(); SOME]);
        let mut trips = false;
        for first in (0..parameter.len()).step_by(SOME) {
            let count = SOME.min(parameter.len() - first);
            let here = first..first + count;
            g[..count].copy_from_slice(&gradient[here.clone()]);
            w[..count].copy_from_slice(&parameter[here.clone()]);
            for (s, state) in s.iter_mut().zip(&state) {
                s[..count].copy_from_slice(&state[here.clone()]);
            }
            let mut stays = [false; SOME];
            for i in 0..SOME {
                let before = std::array::from_fn(|slot| s[slot][i]);
                let (next, moved) = after(g[i], before, w[i]);
                stays[i] = guarded & !g[i].is_finite();
                w[i] = if stays[i] { w[i] } else { moved };
                for slot in 0..SLOTS {
                    s[slot][i] = if stays[i] { before[slot] } else { next[slot] };
                }
            }
            trips |= stays[..count].contains(&true);
            parameter[here.clone()].copy_from_slice(&w[..count]);
            for (s, state) in s.iter().zip(&mut state) {
                state[here.clone()].copy_from_slice(&s[..count]);
            }
        }
        trips
    }
}
