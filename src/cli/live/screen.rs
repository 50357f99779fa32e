//! The threads of the view: one draws and answers keys, the other answers signals.

use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event, poll, read};

use super::draw::draw;
use super::keys::{Action, Keys};
use super::shared::Shared;
use super::state::Phase;
use super::stopping::By;
use super::terminal::{self, Screen};
use super::theme::Colours;
use crate::cli::interrupt::{self, Signals, Suspension};
use crate::cli::output::{note, release};

/// The least time between two drawings, and how long keys are waited for at once.
const DRAW_EVERY: Duration = Duration::from_millis(100);
const LISTEN: Duration = Duration::from_millis(25);

/// What the thread that draws works with.
pub struct View {
    pub screen: Screen,
    pub colours: Colours,
    pub suspension: Suspension,
}

/// Draws until the view is closed. Where the terminal fails, training goes on with plain lines.
pub fn run(mut view: View, shared: &Shared) {
    if let Err(error) = view.watch(shared) {
        terminal::leave();
        release();
        interrupt::end_view();
        note(format_args!("warning: the live view has ended, training continues: {error}"));
    }
    // Its own end would show the cursor again, on whatever screen.
    std::mem::forget(view.screen);
}

/// Answers signals until the view is closed. Beside the thread that takes keys, not within it: a terminal that is gone may keep that one
/// for ever.
pub fn heed(shared: &Shared, signals: Signals) -> Signals {
    while !shared.is_closed() {
        answer(&signals, shared);
        std::thread::sleep(LISTEN);
    }
    signals
}

impl View {
    fn watch(&mut self, shared: &Shared) -> io::Result<()> {
        let mut drawn: Option<Instant> = None;
        let mut keys = Keys::default();
        // Since then no event had come, or the last one was read.
        let mut quiet = Instant::now();
        while !shared.is_closed() {
            if self.suspension.take_asked() {
                self.suspend(shared, false)?;
                drawn = None;
            } else if self.suspension.take_continued() {
                // It was stopped by a signal that no program can handle.
                terminal::leave();
                self.come_back(shared)?;
                drawn = None;
            }
            if drawn.is_none_or(|at| at.elapsed() >= DRAW_EVERY) {
                // A copy, so that training does not wait for the drawing.
                let state = shared.state().clone();
                terminal::draw(&mut self.screen, |frame| draw(frame, &state, self.colours))?;
                drawn = Some(Instant::now());
            }
            if !poll(LISTEN)? {
                quiet = Instant::now();
                continue;
            }
            let (event, from) = (read()?, quiet);
            quiet = Instant::now();
            match event {
                Event::Key(key) => {
                    if let Some(action) = keys.action(&key, from, quiet) {
                        self.act(action, shared)?;
                        drawn = None;
                    }
                }
                Event::Resize(..) => drawn = None,
                _ => {}
            }
        }
        Ok(())
    }

    fn act(&mut self, action: Action, shared: &Shared) -> io::Result<()> {
        match action {
            Action::Stop(by) => stop(by, shared),
            Action::SaveCheckpoint => {
                shared.ask_for_checkpoint();
                shared.state().tell("a checkpoint is made after the steps in progress");
            }
            Action::HalveRate => halve(shared),
            Action::DoubleRate => double(shared),
            Action::Suspend => self.suspend(shared, true)?,
            Action::Help => {
                let mut state = shared.state();
                state.help = !state.help;
            }
            Action::CloseHelp => shared.state().help = false,
            Action::Redraw => terminal::draw_anew(&mut self.screen)?,
        }
        Ok(())
    }

    /// Gives the terminal back and stops the program, with its process group or alone, until the shell lets it go on.
    fn suspend(&mut self, shared: &Shared, group: bool) -> io::Result<()> {
        if !interrupt::has_job_control() {
            shared.state().tell("there is no shell to go back to");
            return Ok(());
        }
        terminal::leave();
        self.suspension.stop(group);
        self.come_back(shared)
    }

    /// Takes the terminal again once it belongs to the program. Until then no key is read: that would stop a program in the background.
    fn come_back(&mut self, shared: &Shared) -> io::Result<()> {
        while !shared.is_closed() {
            if interrupt::has_terminal() {
                return terminal::enter_again(&mut self.screen);
            }
            std::thread::sleep(LISTEN);
        }
        Ok(())
    }
}

/// Asks for another learning rate, and tells whether it will be, why it will not, or that no step has ended yet.
fn change_rate(
    shared: &Shared,
    ask: impl Fn(f64) -> bool,
    [will_be, will_not, too_early]: [&'static str; 3],
) {
    let rate = shared.state().learning_rate_now();
    shared.state().tell(match rate.map(ask) {
        Some(true) => will_be,
        Some(false) => will_not,
        None => too_early,
    });
}

/// Asks for half the learning rate, unless it is as good as none.
fn halve(shared: &Shared) {
    let told = [
        "the learning rate is halved from the next steps on",
        "the learning rate is nearly 0, and is not halved again",
        "the learning rate can be halved once a step has ended",
    ];
    change_rate(shared, |rate| shared.ask_to_halve(rate), told);
}

/// Asks for twice the learning rate, unless it is far too large.
fn double(shared: &Shared) {
    let told = [
        "the learning rate is doubled from the next steps on",
        "the learning rate is too large to be doubled any more",
        "the learning rate can be doubled once a step has ended",
    ];
    change_rate(shared, |rate| shared.ask_to_double(rate), told);
}

/// Asks training to stop; where that was asked for before, ends the program.
fn stop(by: By, shared: &Shared) {
    if shared.ends_at_once(by) {
        terminal::leave();
        release();
        interrupt::exit();
    }
    interrupt::ask();
    let mut state = shared.state();
    state.phase = Phase::Stopping;
    state.tell("training stops after the steps in progress; a second later q or Ctrl-C ends it at once");
}

/// Does what signals ask for.
fn answer(signals: &Signals, shared: &Shared) {
    if signals.take_stop() {
        stop(By::Signal, shared);
    }
    if let Some(signal) = signals.end() {
        terminal::leave();
        release();
        interrupt::end_by(signal);
    }
}
