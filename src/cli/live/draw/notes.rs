//! The last lines that training has printed; the terminal gets all of them in the end.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::super::state::State;
use super::super::theme::Colours;
use super::frames::framed;
use super::text::clip;

/// Less is one line without a frame.
const FRAMED_FROM: u16 = 3;

/// Draws as many as there is room for, the last one at the bottom.
pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let room = usize::from(area.width).saturating_sub(2);
    let line = |text: &str| Line::styled(format!(" {}", clip(text, room)), style(text, colours));
    if area.height < FRAMED_FROM {
        frame.render_widget(Paragraph::new(state.last_note().map_or(Line::default(), line)), area);
        return;
    }
    let block = framed(Line::styled(" Notes ", colours.strong()), colours);
    let first = state.notes.len().saturating_sub(usize::from(block.inner(area).height));
    let lines: Vec<_> = state.notes.iter().skip(first).map(|text| line(text)).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn style(text: &str, colours: Colours) -> Style {
    match text.split(':').next() {
        Some("warning") => colours.warning(),
        Some("error") => colours.wrong(),
        _ => Style::new(),
    }
}
