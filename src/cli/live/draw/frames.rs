//! What panels have in common.

use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType};

use super::super::theme::Colours;

/// From this width on two panels stand side by side, and from this one on the screen is wide.
pub const PAIR_FROM: u16 = 70;
pub const WIDE_FROM: u16 = 120;

/// A frame with a title in its upper edge.
pub fn framed(title: Line<'_>, colours: Colours) -> Block<'_> {
    Block::bordered().border_type(BorderType::Rounded).border_style(colours.quiet()).title(title)
}
