//! `train --tui`: training as a live view in the terminal.
//!
//! `watcher` is the callback: it tells `state` what happens. A thread of its own, `screen`, draws that state with `draw` and takes keys,
//! whatever training waits for; another heeds signals, and another finds `mistakes` after each epoch.

mod check;
mod draw;
#[cfg(test)]
mod example;
mod judging;
mod keys;
mod mistakes;
mod picture;
mod screen;
mod series;
mod shared;
mod state;
mod stopping;
pub mod terminal;
mod theme;
mod watcher;

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{Builder, JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::interrupt::Signals;
use super::output::{hold, release};
use crate::data::Dataset;
use crate::io::ModelFile;
use crate::train::EpochRecord;
use mistakes::Judged;
use screen::View;
use shared::Shared;
use state::State;
use theme::Colours;

pub use check::check;
pub use mistakes::{NoMistakes, cannot_show};
pub use state::{Facts, KernelTimes, PlanStep};
pub use watcher::Watcher;

/// How long the thread that draws is waited for at the end.
const GRACE: Duration = Duration::from_secs(1);

/// A view that has the terminal until it is dropped. Lines of `note` wait until then.
pub struct Live {
    shared: Arc<Shared>,
    /// What draws, and what heeds signals.
    screen: Option<JoinHandle<()>>,
    signals: Option<JoinHandle<Signals>>,
    judge: Option<SyncSender<Judged>>,
}

impl Live {
    /// Takes the terminal. `before` are the epochs of a run that goes on; mistakes are looked for in `set`, with its name.
    ///
    /// # Errors
    /// When the terminal cannot be prepared.
    pub fn open(
        facts: Facts,
        before: &[EpochRecord],
        file: &ModelFile,
        set: (&'static str, &Dataset),
    ) -> anyhow::Result<Self> {
        let judged = facts.no_mistakes.is_none();
        let shared = Arc::new(Shared::new(State::new(facts, before)));
        let colours = Colours::of(|name| std::env::var(name).ok());
        let screen = terminal::enter().context("--tui: the terminal cannot be prepared")?;
        let listening = Arc::clone(&shared);
        hold(move |line| listening.state().note(line));
        let drawing = Arc::clone(&shared);
        let signals = Signals::counted();
        let view = View { screen, colours, suspension: signals.suspension() };
        let heeding = Arc::clone(&shared);
        let mut live = Live { shared, screen: None, signals: None, judge: None };
        let thread = |name: &str| Builder::new().name(name.to_owned());
        let begun = "--tui: the view cannot be started";
        live.screen = Some(thread("view").spawn(move || screen::run(view, &drawing)).context(begun)?);
        live.signals = Some(thread("signals").spawn(move || screen::heed(&heeding, signals)).context(begun)?);
        if judged {
            live.judge =
                Some(judging::start(Arc::clone(&live.shared), file.clone(), (set.0, set.1.clone()))?);
        }
        Ok(live)
    }

    /// The callback that tells it of training.
    pub fn watcher(&self) -> Watcher {
        Watcher::new(Arc::clone(&self.shared), self.judge.clone())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.close();
        // Panics have been told.
        let signals = self.signals.take().and_then(|signals| signals.join().ok());
        if let Some(screen) = self.screen.take() {
            let begun = Instant::now();
            while !screen.is_finished() && begun.elapsed() < GRACE {
                sleep(GRACE / 100);
            }
            // Else its terminal is gone, and it ends with the program.
            if screen.is_finished() {
                let _ = screen.join();
            }
        }
        terminal::leave();
        release();
        // Not before: a signal that ends the program must find the terminal as it was.
        drop(signals);
    }
}
