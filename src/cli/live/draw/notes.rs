//! The last lines that training has printed; the terminal gets all of them in the end.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::super::state::State;
use super::super::theme::Colours;
use super::framed;
use super::text::clip;

/// Draws as many as there is room for, the last one at the bottom.
pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let mut inner = area;
    if area.height > 2 {
        let block = framed(Line::styled(" Notes ", colours.strong()), colours);
        inner = block.inner(area);
        frame.render_widget(block, area);
    }
    let room = usize::from(inner.width).saturating_sub(1);
    let first = state.notes.len().saturating_sub(usize::from(inner.height));
    let line = |text: &String| Line::styled(format!(" {}", clip(text, room)), style(text, colours));
    frame.render_widget(Paragraph::new(state.notes.iter().skip(first).map(line).collect::<Vec<_>>()), inner);
}

fn style(text: &str, colours: Colours) -> Style {
    match text.split(':').next() {
        Some("warning") => colours.warning(),
        Some("error") => colours.wrong(),
        _ => Style::new(),
    }
}
