//! Draws a state into a frame of any size.

mod charts;
mod figures;
mod frames;
mod gallery;
mod header;
mod help;
mod kernels;
mod notes;
mod text;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

use super::mistakes::NoMistakes;
use super::state::State;
use super::theme::Colours;
use frames::{PAIR_FROM, WIDE_FROM};

/// Smaller screens get lines of figures alone.
const LEAST: [u16; 2] = [28, 9];
/// From this height on there are panels below the curves, and from this one on they are large.
const PANELS_FROM: u16 = 20;
const LARGE_FROM: u16 = 40;
/// Heights of the panels below the curves.
const PANELS: u16 = 10;
const LARGE_PANELS: u16 = 18;
/// The width of figures and kernels beside large pictures.
const FIGURES_WIDTH: u16 = 56;
const NOTES: u16 = 5;

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, state: &State, colours: Colours) {
    let area = frame.area();
    if area.width < LEAST[0] || area.height < LEAST[1] {
        figures::lines(frame, area, state, colours);
    } else {
        screen(frame, area, state, colours);
    }
    if state.help {
        help::draw(frame, area, colours);
    }
}

fn screen(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let (panels, notes) = match area.height {
        LARGE_FROM.. => (LARGE_PANELS, NOTES),
        PANELS_FROM.. => (PANELS, 1),
        _ => (2, 1),
    };
    let rows = [1, 1].map(Constraint::Length);
    let below = [panels, notes, 1].map(Constraint::Length);
    let [title, progress, curves, panels, notes, keys] = area.layout(&Layout::vertical(
        rows.into_iter().chain([Constraint::Min(1)]).chain(below).collect::<Vec<_>>(),
    ));
    header::title(frame, title, state, colours);
    header::progress(frame, progress, state, colours);
    charts::draw(frame, curves, state, colours);
    if area.height >= PANELS_FROM {
        all_panels(frame, panels, state, colours);
    } else {
        figures::two_lines(frame, panels, state, colours);
    }
    notes::draw(frame, notes, state, colours);
    header::keys(frame, keys, colours);
}

/// Figures, kernels and, of images with classes, mistakes.
fn all_panels(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let wide = area.width >= WIDE_FROM;
    let (left, right) = match area.width {
        width if width < PAIR_FROM => (area, None),
        _ => {
            let left = if wide { Constraint::Length(FIGURES_WIDTH) } else { Constraint::Percentage(50) };
            let [left, right] = area.layout(&Layout::horizontal([left, Constraint::Min(1)]));
            (left, Some(right))
        }
    };
    let without_pictures =
        matches!(state.facts.no_mistakes, Some(NoMistakes::NoImages | NoMistakes::NoClasses));
    if let (Some(right), true) = (right, without_pictures) {
        figures::panel(frame, left, state, colours);
        kernels::panel(frame, right, state, colours);
        return;
    }
    if left.height >= LARGE_PANELS {
        let rows = [Constraint::Length(figures::HEIGHT), Constraint::Min(1)];
        let [figures, kernels] = left.layout(&Layout::vertical(rows));
        figures::panel(frame, figures, state, colours);
        kernels::panel(frame, kernels, state, colours);
    } else {
        figures::with_kernels(frame, left, state, colours);
    }
    if let Some(right) = right {
        gallery::panel(frame, right, state, colours);
    }
}

#[cfg(test)]
mod tests;
