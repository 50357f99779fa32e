//! The first lines and the last one: what runs, how far it is, and which keys do what.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::state::{Phase, State};
use super::super::theme::Colours;
use super::text::{clip, clip_start, clock, width};
use crate::model::thousands;

/// A cell of a bar that is done, the one at its end, and one to come.
const BAR: [&str; 3] = ["━", "╸", "─"];
/// A bar is left out rather than made shorter, and what is under way rather than a bar shorter than this one.
const LEAST_BAR: usize = 6;
const GOOD_BAR: usize = 12;
/// What parts a line.
const DOT: &str = " · ";
/// The least of a device's or a run's name that is worth its place.
const LEAST_NAME: usize = 10;

/// Keys and what they do, with a shorter word for narrow screens.
const KEYS: [(&str, &str, &str); 5] = [
    ("q", "stop", "stop"),
    ("s", "save a checkpoint", "save"),
    ("h", "halve the learning rate", "halve"),
    ("d", "double it", "double"),
    ("?", "help", "help"),
];

/// Model, device, run, and the clock.
pub fn title(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let mut time = clock(state.elapsed());
    if let Some(left) = state.left() {
        time = format!("{time}{DOT}{} left", clock(left));
    }
    let room = usize::from(area.width).saturating_sub(width(&time) + 4);
    let facts = &state.facts;
    let [model, device, run] = names([&facts.model, &facts.device, &facts.run], room);
    let mut spans = vec![Span::raw(" "), Span::styled(model, colours.strong().patch(colours.training()))];
    for (name, style) in [(device, Style::new()), (run, colours.quiet())] {
        if !name.is_empty() {
            spans.extend([Span::styled(DOT, colours.quiet()), Span::styled(name, style)]);
        }
    }
    frame.render_widget(Line::from(spans), area);
    frame.render_widget(Line::from(format!("{time} ")).alignment(Alignment::Right), area);
}

/// The names of model, device and run in so many columns: the device gives way first, then the beginning of the run's path.
fn names([model, device, run]: [&str; 3], columns: usize) -> [String; 3] {
    let dot = width(DOT);
    let model = clip(model, columns);
    let left = columns.saturating_sub(width(&model));
    let [device, run] = if width(device) + width(run) + 2 * dot <= left {
        [device.to_owned(), run.to_owned()]
    } else if width(run) + LEAST_NAME + 2 * dot <= left {
        [clip(device, left - width(run) - 2 * dot), run.to_owned()]
    } else if LEAST_NAME + dot <= left {
        [String::new(), clip_start(run, left - dot)]
    } else {
        [String::new(), String::new()]
    };
    [model, device, run]
}

/// The epoch, a bar, its steps, and how fast it goes.
pub fn progress(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let (epoch, epochs) = (state.epoch.max(1), state.schedule.epochs.max(1));
    let (done, steps) = (state.so_far.steps(), state.steps_of_epoch());
    let begin = format!(" Epoch {epoch}/{epochs} ");
    let count = format!(" {}/{} ", thousands(done), thousands(steps));
    let (what, style) = told(state, colours);
    let room = usize::from(area.width);
    let taken = width(&begin) + width(&count);
    let what = if !what.is_empty() && taken + GOOD_BAR + width(&what) + 2 <= room {
        format!(" {what} ")
    } else {
        String::new()
    };
    let bar = room.saturating_sub(taken + width(&what));
    let mut spans = vec![Span::raw(begin)];
    if bar >= LEAST_BAR {
        // No step of an empty epoch is done.
        let full = (2 * bar * done.min(steps)).checked_div(steps).unwrap_or(0);
        let half = full % 2;
        spans.push(Span::styled(BAR[0].repeat(full / 2) + &BAR[1].repeat(half), colours.good()));
        spans.push(Span::styled(BAR[2].repeat(bar - full / 2 - half), colours.quiet()));
    }
    spans.extend([Span::raw(count), Span::styled(what, style)]);
    frame.render_widget(Line::from(spans), area);
}

/// What is under way.
fn told(state: &State, colours: Colours) -> (String, Style) {
    match state.phase {
        Phase::Beginning => ("the first batch is in progress".to_owned(), colours.quiet()),
        Phase::Judging => ("the validation set is evaluated".to_owned(), colours.validation()),
        Phase::Stopping => ("stops after the steps in progress".to_owned(), colours.warning()),
        Phase::Training if state.so_far.loss().is_none() => (String::new(), colours.quiet()),
        Phase::Training => {
            let speed = thousands(state.so_far.samples_per_second() as usize);
            (format!("{speed} {}/s", state.facts.samples), colours.strong())
        }
    }
}

/// The keys.
pub fn keys(frame: &mut Frame<'_>, area: Rect, colours: Colours) {
    // With so many columns between two of them.
    let line = |short: bool, gap: usize| {
        let spans = KEYS.iter().zip(0..).flat_map(|(&(key, long, brief), place)| {
            let before = if place == 0 { 1 } else { gap };
            [
                Span::raw(" ".repeat(before)),
                Span::styled(key, colours.strong().patch(colours.training())),
                Span::styled(format!(" {}", if short { brief } else { long }), colours.quiet()),
            ]
        });
        Line::from_iter(spans)
    };
    let lines = [line(false, 3), line(true, 2), line(true, 1)];
    let fits = lines.iter().position(|line| line.width() <= usize::from(area.width));
    let [.., narrow] = &lines;
    frame.render_widget(fits.map_or(narrow, |at| &lines[at]), area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_gives_way_before_the_run() {
        let all = ["tutorial", "llvmpipe (LLVM 15.0.6)", "runs/tutorial-1"];
        let rows = [
            (80, ["tutorial", "llvmpipe (LLVM 15.0.6)", "runs/tutorial-1"]),
            (45, ["tutorial", "llvmpipe (LLVM …", "runs/tutorial-1"]),
            (30, ["tutorial", "", "runs/tutorial-1"]),
            (21, ["tutorial", "", "…utorial-1"]),
            (12, ["tutorial", "", ""]),
            (5, ["tuto…", "", ""]),
        ];
        for (columns, expected) in rows {
            let found = names(all, columns);
            assert_eq!(found, expected, "{columns}");
            let dots = found[1..].iter().filter(|name| !name.is_empty()).count();
            assert!(found.iter().map(|name| width(name)).sum::<usize>() + 3 * dots <= columns, "{columns}");
        }
    }
}
