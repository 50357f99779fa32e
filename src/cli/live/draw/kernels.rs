//! How long the steps of the plan take.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::super::state::{KernelTimes, State};
use super::super::theme::Colours;
use super::frames::framed;
use super::text::{clip, width};

/// What the longest bar is made of.
const BAR: &str = "▬";
const LONGEST_BAR: usize = 8;
/// Of milliseconds and shares.
const MILLISECONDS: usize = 12;
const SHARE: usize = 6;

/// The width from which on a title has room for how many batches were measured.
const TOLD_FROM: u16 = 50;

/// One step of the plan, and its share of all.
#[derive(Debug, PartialEq)]
struct Time {
    name: String,
    kind: &'static str,
    ms: f64,
    share: f64,
}

/// The times in a frame.
pub fn panel(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let (times, batches) = times(state);
    let mut title = vec![Span::styled(" Kernels ", colours.strong())];
    if batches > 0 {
        let ms: f64 = times.iter().map(|time| time.ms).sum();
        let medians = if area.width < TOLD_FROM { String::new() } else { format!(", medians of {batches}") };
        title.push(Span::styled(format!("{ms:.3} ms a batch{medians} "), colours.quiet()));
    }
    let block = framed(Line::from(title), colours);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    content(frame, inner, (&times, state.facts.kernels), colours);
}

/// The same without a frame, below other figures.
pub fn below(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    content(frame, area, (&times(state).0, state.facts.kernels), colours);
}

fn content(frame: &mut Frame<'_>, area: Rect, (times, kernels): (&[Time], KernelTimes), colours: Colours) {
    if times.is_empty() {
        let why = match kernels {
            KernelTimes::Timed => "no kernel was timed yet",
            KernelTimes::NotAsked => "train --profile times kernels",
            KernelTimes::InParts => "kernels of micro-batches are not timed",
        };
        frame.render_widget(Paragraph::new(why).style(colours.quiet()).wrap(Wrap { trim: true }), area);
        return;
    }
    let shown = times.iter().take(usize::from(area.height));
    let longest = times[0].share;
    let lines: Vec<_> = shown.map(|time| line(time, longest, usize::from(area.width), colours)).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// A step with its time, and, where there is room, a bar beside it; `longest` is the share with the longest one.
fn line(time: &Time, longest: f64, columns: usize, colours: Colours) -> Line<'static> {
    let figures = format!("{:>9.3} ms{:>3.0} %", time.ms, 100.0 * time.share);
    let bar = if columns > 45 { LONGEST_BAR + 1 } else { 0 };
    let room = columns.saturating_sub(MILLISECONDS + SHARE - 1 + bar);
    // The kernel is told where its step has a long enough line.
    let both = format!("{} {}", time.name, time.kind);
    let name = if width(&both) <= room { both } else { time.name.clone() };
    let name = clip(&name, room);
    let gap = " ".repeat(room.saturating_sub(width(&name)));
    let mut spans = vec![Span::raw(name), Span::raw(gap), Span::styled(figures, colours.strong())];
    if bar > 0 {
        let length = (time.share / longest * LONGEST_BAR as f64).ceil() as usize;
        spans.push(Span::styled(format!(" {}", BAR.repeat(length.min(LONGEST_BAR))), colours.training()));
    }
    Line::from(spans)
}

/// The times so far, the longest first, and of how many batches they are medians.
fn times(state: &State) -> (Vec<Time>, usize) {
    let Some(profile) = state.profile.as_ref().map(|profile| profile.get()) else { return (Vec::new(), 0) };
    let steps = state.facts.steps.iter();
    let measured: Vec<_> = steps.filter_map(|step| Some((step, profile.step(step.index)?))).collect();
    let all: f64 = measured.iter().map(|(_, seconds)| seconds).sum();
    let mut times: Vec<Time> = measured
        .into_iter()
        .map(|(step, seconds)| Time {
            name: step.name.clone(),
            kind: step.kind,
            ms: 1e3 * seconds,
            share: if all > 0.0 { seconds / all } else { 0.0 },
        })
        .collect();
    times.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    (times, profile.samples())
}

#[cfg(test)]
mod tests {
    use super::super::super::example::{facts, state};
    use super::super::super::state::{Facts, PlanStep};
    use super::*;
    use crate::profile::{Clock, Profiler, Sampling};

    #[test]
    fn the_longest_step_comes_first() {
        let mut profiler = Profiler::new(Clock::Host, 3);
        let step = |index, name: &str| PlanStep { index, name: name.to_owned(), kind: "matmul" };
        let mut state = state(Facts { steps: vec![step(0, "short"), step(2, "long")], ..facts() });
        assert_eq!(times(&state).0, []);
        state.profile = Some(profiler.sample(Sampling::Every(1)));
        for (index, seconds) in [(0, 0.001), (1, 9.0), (2, 0.003)] {
            profiler.step(index, seconds);
        }
        let (times, batches) = times(&state);
        let found: Vec<_> =
            times.iter().map(|time| (time.name.as_str(), time.ms.round(), time.share)).collect();
        assert_eq!((found, batches), (vec![("long", 3.0, 0.75), ("short", 1.0, 0.25)], 1));
        let text: String = line(&times[0], 0.75, 40, Colours::None)
            .spans
            .iter()
            .map(|span| span.content.to_string())
            .collect();
        assert_eq!(text, "long matmul                3.000 ms 75 %");
    }
}
