//! What the thread that trains and that of the screen tell each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::state::State;
use super::stopping::{By, Stopping};

/// Smaller learning rates are not halved, and larger ones not doubled.
const LEAST_RATE: f64 = 1e-12;
const MOST_RATE: f64 = 1e3;
/// How often a view doubles more than it halves, or halves more than it doubles: the factor must stay finite, whatever a schedule does.
const MOST_DOUBLINGS: i32 = 60;

/// What keys have asked for and training has not done yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    pub checkpoint: bool,
    /// How many times the learning rate is to be doubled; halved where it is negative.
    pub doublings: i32,
}

/// The state, and what keys ask for.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<State>,
    asked: Mutex<(Asked, Before)>,
    closed: AtomicBool,
}

/// What keys have asked for before.
#[derive(Debug, Default)]
struct Before {
    stopping: Stopping,
    /// Those that training has done.
    doublings: i32,
}

impl Shared {
    pub fn new(state: State) -> Self {
        Shared { state: Mutex::new(state), asked: Mutex::default(), closed: AtomicBool::new(false) }
    }

    /// For a moment: training waits for it.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn ask_for_checkpoint(&self) {
        self.asked().0.checkpoint = true;
    }

    /// Asks for half of this learning rate; whether it is halved.
    pub fn ask_to_halve(&self, rate: f64) -> bool {
        self.ask_for_doublings(-1, |factor| rate * factor >= LEAST_RATE)
    }

    /// Asks for twice this learning rate; whether it is doubled.
    pub fn ask_to_double(&self, rate: f64) -> bool {
        self.ask_for_doublings(1, |factor| rate * factor <= MOST_RATE)
    }

    /// Asks for some more doublings, if they may be, given the factor of the rate with those that were asked for and not done yet.
    fn ask_for_doublings(&self, more: i32, may_be: impl Fn(f64) -> bool) -> bool {
        let mut asked = self.asked();
        let (Asked { doublings, .. }, before) = &mut *asked;
        let all = *doublings + more;
        let there = may_be(2f64.powi(all)) && (before.doublings + all).abs() <= MOST_DOUBLINGS;
        if there {
            *doublings = all;
        }
        there
    }

    /// Notes a request to end; whether the program is to end at once.
    pub fn ends_at_once(&self, by: By) -> bool {
        self.asked().1.stopping.ends_at_once(by, Instant::now())
    }

    /// What was asked for since the last call.
    pub fn take_asked(&self) -> Asked {
        let mut asked = self.asked();
        let taken = std::mem::take(&mut asked.0);
        asked.1.doublings += taken.doublings;
        taken
    }

    /// The view is to end.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn asked(&self) -> MutexGuard<'_, (Asked, Before)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{facts, state};
    use super::*;

    #[test]
    fn a_rate_stays_within_its_bounds() {
        let shared = Shared::new(state(facts()));
        assert_eq!([4e-12; 4].map(|rate| shared.ask_to_halve(rate)), [true, true, false, false]);
        assert_eq!(shared.take_asked().doublings, -2);
        assert_eq!([300.0; 3].map(|rate| shared.ask_to_double(rate)), [true, false, false]);
        // Each brings back what the other did.
        assert!(shared.ask_to_halve(300.0));
        assert_eq!(shared.take_asked(), Asked::default());
        for rate in [f64::NAN, 0.0, -1.0] {
            assert!(!shared.ask_to_halve(rate), "{rate}");
        }
        assert!(!shared.ask_to_double(f64::NAN) && !shared.ask_to_double(f64::INFINITY));
    }

    /// A schedule may lower the rate as fast as keys raise it.
    #[test]
    fn the_factor_of_a_rate_stays_finite() {
        let shared = Shared::new(state(facts()));
        let done = (0..1000).filter(|_| shared.ask_to_double(1e-30) && shared.take_asked().doublings == 1);
        assert_eq!(done.count(), MOST_DOUBLINGS as usize);
        assert!(2f32.powi(MOST_DOUBLINGS).is_finite());
    }
}
