//! Fast rows: how the CPU executor computes a step where its twin would be slow.

use std::sync::{Mutex, PoisonError};

use super::batch::BatchParams;
use super::twin::{Arg, OtherArguments};

/// How the CPU executor computes a step in f32, in place of the twin.
///
/// Its sums are cut and ordered by the op's sizes alone: neither the number of threads nor a cache changes a bit. `verify`
/// holds it to the twin within the op's bounds, as it does kernels.
pub(crate) struct FastRow<O> {
    /// Its name, by which runs record it.
    pub(crate) variant: &'static str,
    /// Whether it computes this step; else the twin does.
    pub(crate) fits: fn(&O) -> bool,
    /// What it needs to work in.
    pub(crate) room: fn(&O) -> Room,
    /// Computes the step.
    pub(crate) run: FastRun<O>,
}

/// Computes a step, as its twin does.
pub(crate) type FastRun<O> =
    fn(&O, &BatchParams, &mut [Arg<'_, f32>], &mut Scratch) -> Result<(), OtherArguments>;

impl<O> FastRow<O> {
    /// A row that fits every step and needs no room.
    pub(crate) const fn new(variant: &'static str, run: FastRun<O>) -> Self {
        FastRow { variant, fits: |_| true, room: |_| Room::NONE, run }
    }
}

/// Floats that a fast row needs beside its arguments; what is in them before does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// For all threads together.
    pub shared: usize,
    /// For each thread.
    pub each: usize,
}

impl Room {
    /// No room.
    pub(crate) const NONE: Room = Room { shared: 0, each: 0 };

    /// What is enough for both.
    pub(crate) fn max(self, other: Room) -> Room {
        Room { shared: self.shared.max(other.shared), each: self.each.max(other.each) }
    }
}

/// The room for the fast rows of a plan: made once, then lent to one step after another.
#[derive(Debug, Default)]
pub struct Scratch {
    shared: Vec<f32>,
    threads: Threads,
}

/// A piece of room for each thread.
#[derive(Debug, Default)]
pub(crate) struct Threads(Vec<Mutex<Vec<f32>>>);

impl Scratch {
    /// Enough for each of these rooms, for the threads that compute.
    pub(crate) fn new(rooms: impl IntoIterator<Item = Room>) -> Self {
        let Room { shared, each } = rooms.into_iter().fold(Room::NONE, Room::max);
        let threads = (0..rayon::current_num_threads()).map(|_| Mutex::new(vec![0.0; each]));
        Scratch { shared: vec![0.0; shared], threads: Threads(threads.collect()) }
    }

    /// The bytes of enough for each of these rooms.
    pub(crate) fn bytes(rooms: impl IntoIterator<Item = Room>) -> usize {
        let Room { shared, each } = rooms.into_iter().fold(Room::NONE, Room::max);
        let floats = each.saturating_mul(rayon::current_num_threads()).saturating_add(shared);
        floats.saturating_mul(size_of::<f32>())
    }

    /// What all threads share, and what each has.
    pub(crate) fn parts(&mut self) -> (&mut [f32], &Threads) {
        (&mut self.shared, &self.threads)
    }
}

impl Threads {
    /// Works in the room of this thread. What works in it must not hand out work itself: a thread that waits takes up other
    /// work, and would wait for its own room.
    pub(crate) fn work<R>(&self, work: impl FnOnce(&mut [f32]) -> R) -> R {
        let number = rayon::current_thread_index().unwrap_or_default() % self.0.len().max(1);
        let mut room = self.0[number].lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut room)
    }
}
