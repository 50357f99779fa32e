//! What keys mean.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::stopping::By;

/// A key that comes again within this time is held down. Terminals repeat one some 30 times a second, after half a second or less.
const HELD: Duration = Duration::from_millis(400);

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Stop(By),
    SaveCheckpoint,
    HalveRate,
    DoubleRate,
    /// Gives the terminal back to the shell for a while.
    Suspend,
    /// Shows the help, or closes it.
    Help,
    CloseHelp,
    Redraw,
}

/// What a key asks for, if anything. Letters count with the shift key as without.
fn meaning(key: &KeyEvent) -> Option<Action> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let KeyCode::Char(letter) = key.code else {
        return (key.code == KeyCode::Esc).then_some(Action::CloseHelp);
    };
    match (control, letter.to_ascii_lowercase()) {
        (true, 'c') => Some(Action::Stop(By::ControlC)),
        (false, 'q') => Some(Action::Stop(By::Letter)),
        (true, 'l') => Some(Action::Redraw),
        (true, 'z') if cfg!(unix) => Some(Action::Suspend),
        (false, 's') => Some(Action::SaveCheckpoint),
        (false, 'h') => Some(Action::HalveRate),
        (false, 'd') => Some(Action::DoubleRate),
        (false, '?') => Some(Action::Help),
        _ => None,
    }
}

/// The keys as they come. One that is held down asks once: most terminals tell its repetitions as if it were pressed again.
#[derive(Debug, Default)]
pub struct Keys {
    /// The last one, and when it came.
    last: Option<(KeyCode, KeyModifiers, Instant)>,
}

impl Keys {
    /// What a key asks for, if anything, that was pressed after the time `from` and is read `now`. On a machine that is busy these may lie
    /// apart: a key that may have come within the time of one that is held counts as held.
    pub fn action(&mut self, key: &KeyEvent, from: Instant, now: Instant) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            self.last = None;
            return None;
        }
        let before = self.last.replace((key.code, key.modifiers, now));
        let held = before.is_some_and(|(code, modifiers, at)| {
            (code, modifiers) == (key.code, key.modifiers) && from.saturating_duration_since(at) < HELD
        });
        if held || key.kind == KeyEventKind::Repeat { None } else { meaning(key) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(letter: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)
    }

    #[test]
    fn keys_mean_what_the_last_line_says() {
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        let rows = [
            (key('q'), Some(Action::Stop(By::Letter))),
            (KeyEvent::new(KeyCode::Char('Q'), KeyModifiers::SHIFT), Some(Action::Stop(By::Letter))),
            (control('c'), Some(Action::Stop(By::ControlC))),
            (key('c'), None),
            (control('q'), None),
            (control('s'), None),
            (control('z'), cfg!(unix).then_some(Action::Suspend)),
            (key('z'), None),
            (key('s'), Some(Action::SaveCheckpoint)),
            (key('h'), Some(Action::HalveRate)),
            (key('d'), Some(Action::DoubleRate)),
            (control('d'), None),
            (key('?'), Some(Action::Help)),
            (KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE), Some(Action::CloseHelp)),
            (control('l'), Some(Action::Redraw)),
            (KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE), None),
            (KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release), None),
            (KeyEvent::new_with_kind(KeyCode::Char('h'), KeyModifiers::NONE, KeyEventKind::Repeat), None),
        ];
        for (key, expected) in rows {
            let now = Instant::now();
            assert_eq!(Keys::default().action(&key, now, now), expected, "{key:?}");
        }
    }

    #[test]
    fn a_key_that_is_held_down_asks_once() {
        let begun = Instant::now();
        let taken = |keys: &mut Keys, letter: char, millis: u64| {
            let now = begun + Duration::from_millis(millis);
            keys.action(&key(letter), now, now).is_some()
        };
        let mut keys = Keys::default();
        // As it is repeated, at last long after it was pressed.
        let repeated = (0..60).filter(|at| taken(&mut keys, 'h', 33 * at)).count();
        assert_eq!(repeated, 1);
        // (key, milliseconds, whether it is taken)
        let rows = [
            ('h', 2300, false),
            ('h', 2700, true),
            ('d', 2750, true),
            ('h', 2800, true),
            ('h', 3199, false),
            ('h', 3598, false),
            ('h', 3998, true),
        ];
        for (letter, millis, expected) in rows {
            assert_eq!(taken(&mut keys, letter, millis), expected, "{letter} at {millis}");
        }
        // Where a terminal tells that a key was let go, no time need pass.
        let released = KeyEvent::new_with_kind(KeyCode::Char('h'), KeyModifiers::NONE, KeyEventKind::Release);
        let at = |millis| begun + Duration::from_millis(millis);
        assert_eq!(keys.action(&released, at(4000), at(4000)), None);
        assert!(taken(&mut keys, 'h', 4010));
        // Read late, the first because nobody has looked since the last one.
        assert_eq!(keys.action(&key('h'), at(4020), at(5000)), None);
        assert_eq!(keys.action(&key('h'), at(5400), at(5500)), Some(Action::HalveRate));
    }
}
