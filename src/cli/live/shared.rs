//! What the thread that trains and that of the screen tell each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::state::State;

/// What keys have asked for and training has not done yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    pub checkpoint: bool,
    /// How many times the learning rate is to be halved.
    pub halvings: u32,
}

/// The state, and what keys ask for.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<State>,
    asked: Mutex<Asked>,
    closed: AtomicBool,
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
        self.asked().checkpoint = true;
    }

    /// Whether the learning rate is halved: as long as what was asked for before leaves `most` room for it, the rate as a multiple of the
    /// least one.
    pub fn ask_to_halve(&self, most: f64) -> bool {
        let mut asked = self.asked();
        let there = 2f64.powi(asked.halvings as i32 + 1) <= most;
        asked.halvings += u32::from(there);
        there
    }

    /// What was asked for since the last call.
    pub fn take_asked(&self) -> Asked {
        std::mem::take(&mut *self.asked())
    }

    /// The view is to end.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
