//! `train --tui`: training as a live view in the terminal.
//!
//! `watcher` is the callback: it tells `state` what happens. A thread of its own, `screen`, draws that state with `draw` and takes keys,
//! whatever training waits for; another heeds signals, and another finds `mistakes` after each epoch.

mod check;
mod draw;
#[cfg(test)]
mod example;
mod keys;
mod mistakes;
mod picture;
mod screen;
mod series;
mod shared;
mod state;
pub mod terminal;
mod theme;
mod watcher;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::interrupt::Signals;
use super::output::{hold, note, release};
use crate::data::Dataset;
use crate::io::ModelFile;
use crate::panics::quietly;
use crate::train::EpochRecord;
use mistakes::{Judge, Judged};
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
    signals: Option<JoinHandle<()>>,
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
        let terminal = terminal::enter().context("--tui: the terminal cannot be prepared")?;
        let listening = Arc::clone(&shared);
        hold(move |line| listening.state().note(line));
        let drawing = Arc::clone(&shared);
        let signals = Signals::counted();
        let heeding = Arc::clone(&shared);
        let mut live = Live { shared, screen: None, signals: None, judge: None };
        let thread = |name: &str| Builder::new().name(name.to_owned());
        let begun = "--tui: the view cannot be started";
        live.screen =
            Some(thread("view").spawn(move || screen::run(terminal, &drawing, colours)).context(begun)?);
        live.signals =
            Some(thread("signals").spawn(move || screen::heed(&heeding, &signals)).context(begun)?);
        if judged {
            live.judge = Some(judge(Arc::clone(&live.shared), file.clone(), (set.0, set.1.clone()))?);
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
        if let Some(signals) = self.signals.take() {
            let _ = signals.join();
        }
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
    }
}

/// Starts the thread that finds mistakes; it ends with the last sender.
fn judge(
    shared: Arc<Shared>,
    file: ModelFile,
    (set, data): (&'static str, Dataset),
) -> anyhow::Result<SyncSender<Judged>> {
    // While it is busy, weights are left out.
    let (sender, receiver) = sync_channel::<Judged>(1);
    let found_by = Arc::clone(&shared);
    let work = move || -> Result<(), crate::Error> {
        let Some(mut judge) = Judge::new(&file, (set, &data))? else { return Ok(()) };
        for (weights, epoch) in receiver {
            let found = judge.look(weights, epoch)?;
            found_by.state().mistakes = Some(Arc::new(found));
        }
        Ok(())
    };
    let told = move || {
        let ended = quietly(work).and_then(|ended| ended.map_err(|error| error.to_string()));
        if let Err(problem) = ended
            && !shared.is_closed()
        {
            shared.state().failed(NoMistakes::Failed);
            note(format_args!("warning: --tui shows no mistakes: {problem}"));
        }
    };
    Builder::new()
        .name("mistakes".to_owned())
        .spawn(told)
        .context("--tui: the search for mistakes cannot be started")?;
    Ok(sender)
}
