//! The threads of the view: one draws and answers keys, the other answers signals.

use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event, poll, read};

use super::draw::draw;
use super::keys::{Action, action};
use super::shared::Shared;
use super::state::Phase;
use super::terminal::{self, Screen};
use super::theme::Colours;
use crate::cli::interrupt::{self, Signals};
use crate::cli::output::{note, release};

/// The least time between two drawings, and how long keys are waited for at once.
const DRAW_EVERY: Duration = Duration::from_millis(100);
const LISTEN: Duration = Duration::from_millis(25);
/// Smaller learning rates are not halved.
const LEAST_RATE: f64 = 1e-12;

/// Draws until the view is closed. Where the terminal fails, training goes on with plain lines.
pub fn run(mut screen: Screen, shared: &Shared, colours: Colours) {
    if let Err(error) = watch(&mut screen, shared, colours) {
        terminal::leave();
        release();
        note(format_args!("warning: the live view has ended, training continues: {error}"));
    }
    // Its own end would show the cursor again, on whatever screen.
    std::mem::forget(screen);
}

/// Answers signals until the view is closed. Beside the thread that takes keys, not within it: a terminal that is gone may keep that one
/// for ever.
pub fn heed(shared: &Shared, signals: &Signals) {
    while !shared.is_closed() {
        answer(signals, shared);
        std::thread::sleep(LISTEN);
    }
}

fn watch(screen: &mut Screen, shared: &Shared, colours: Colours) -> io::Result<()> {
    let mut drawn: Option<Instant> = None;
    while !shared.is_closed() {
        if drawn.is_none_or(|at| at.elapsed() >= DRAW_EVERY) {
            // A copy, so that training does not wait for the drawing.
            let state = shared.state().clone();
            terminal::draw(screen, |frame| draw(frame, &state, colours))?;
            drawn = Some(Instant::now());
        }
        if !poll(LISTEN)? {
            continue;
        }
        match read()? {
            Event::Key(key) => {
                if let Some(action) = action(&key) {
                    act(action, shared);
                    if action == Action::Redraw {
                        screen.clear()?;
                    }
                    drawn = None;
                }
            }
            Event::Resize(..) => drawn = None,
            _ => {}
        }
    }
    Ok(())
}

fn act(action: Action, shared: &Shared) {
    match action {
        Action::Stop => stop(shared),
        Action::SaveCheckpoint => {
            shared.ask_for_checkpoint();
            shared.state().tell("a checkpoint is saved after the steps in progress");
        }
        Action::HalveRate => halve(shared),
        Action::Help => {
            let mut state = shared.state();
            state.help = !state.help;
        }
        Action::CloseHelp => shared.state().help = false,
        Action::Redraw => {}
    }
}

/// Asks for half the learning rate, unless it is as good as none.
fn halve(shared: &Shared) {
    let rate = shared.state().learning_rate_now();
    let asked = rate.is_some_and(|rate| shared.ask_to_halve(rate / LEAST_RATE));
    shared.state().tell(if asked {
        "the learning rate is halved from the next steps on"
    } else if rate.is_some() {
        "the learning rate is nearly 0, and is not halved again"
    } else {
        "the learning rate can be halved after the first step"
    });
}

/// Asks training to stop; where that was asked for before, ends the program.
fn stop(shared: &Shared) {
    if interrupt::asked() {
        terminal::leave();
        release();
        interrupt::exit();
    }
    interrupt::ask();
    let mut state = shared.state();
    state.phase = Phase::Stopping;
    state.tell("training stops after the steps in progress; q or Ctrl-C again ends it at once");
}

/// Does what signals ask for.
fn answer(signals: &Signals, shared: &Shared) {
    if signals.take_stop() {
        stop(shared);
    }
    if let Some(signal) = signals.end() {
        terminal::leave();
        release();
        interrupt::end_by(signal);
    }
}
