//! What the keys do, above everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::super::theme::Colours;
use super::frames::framed;

/// Systems without job control know no such key.
const LINES: &[(&str, &str)] = &[
    ("q, Ctrl-C", "stop after the steps in progress;"),
    ("", "again, a second later: at once"),
    ("s", "save a checkpoint now; it stays"),
    ("h", "halve the learning rate"),
    ("d", "double it"),
    #[cfg(unix)]
    ("Ctrl-Z", "to the shell; fg comes back"),
    ("Ctrl-L", "draw the screen anew"),
    ("?", "close this help"),
    ("", ""),
    ("loss, accuracy", "means of the epoch so far"),
    ("smoothed", "0.95 of it stays each step"),
];
const NAMES: usize = 15;
const WIDTH: u16 = 52;

/// Draws it into the middle of an area.
pub fn draw(frame: &mut Frame<'_>, area: Rect, colours: Colours) {
    let [width, height] = [WIDTH.min(area.width), (LINES.len() as u16 + 2).min(area.height)];
    let place =
        Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
    let line = |&(key, what): &(&'static str, &'static str)| {
        let key = Span::styled(format!(" {key:<NAMES$}"), colours.strong().patch(colours.training()));
        Line::from_iter([key, Span::raw(what)])
    };
    frame.render_widget(Clear, place);
    let block = framed(Line::styled(" Help ", colours.strong()), colours);
    frame.render_widget(Paragraph::new(LINES.iter().map(line).collect::<Vec<_>>()).block(block), place);
}
