//! What keys mean.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Stop,
    SaveCheckpoint,
    HalveRate,
    /// Shows the help, or closes it.
    Help,
    CloseHelp,
    Redraw,
}

/// What a key asks for, if anything. Letters count with the shift key as without.
pub fn action(key: &KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let KeyCode::Char(letter) = key.code else {
        return (key.code == KeyCode::Esc).then_some(Action::CloseHelp);
    };
    match (control, letter.to_ascii_lowercase()) {
        (true, 'c') | (false, 'q') => Some(Action::Stop),
        (true, 'l') => Some(Action::Redraw),
        // A key that is held down asks once.
        (false, 's') if key.kind == KeyEventKind::Press => Some(Action::SaveCheckpoint),
        (false, 'h') if key.kind == KeyEventKind::Press => Some(Action::HalveRate),
        (false, '?') => Some(Action::Help),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_last_line_says() {
        let key = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        let rows = [
            (key('q'), Some(Action::Stop)),
            (KeyEvent::new(KeyCode::Char('Q'), KeyModifiers::SHIFT), Some(Action::Stop)),
            (control('c'), Some(Action::Stop)),
            (key('c'), None),
            (control('q'), None),
            (control('s'), None),
            (key('s'), Some(Action::SaveCheckpoint)),
            (key('h'), Some(Action::HalveRate)),
            (key('?'), Some(Action::Help)),
            (KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE), Some(Action::CloseHelp)),
            (control('l'), Some(Action::Redraw)),
            (KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE), None),
            (KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release), None),
            (KeyEvent::new_with_kind(KeyCode::Char('h'), KeyModifiers::NONE, KeyEventKind::Repeat), None),
        ];
        for (key, expected) in rows {
            assert_eq!(action(&key), expected, "{key:?}");
        }
    }
}
