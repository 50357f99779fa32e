//! The last mistakes as pictures.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::super::mistakes::{Mistake, Mistakes, NoMistakes};
use super::super::state::State;
use super::super::theme::Colours;
use super::frames::framed;
use super::text::{clip, width};
use crate::model::thousands;

/// Columns between two pictures.
const GAP: u16 = 2;
/// The least columns that a caption is readable in.
const LEAST_CAPTION: u16 = 10;
/// Names up to this width stand in one line with what they are taken for.
const SHORT: usize = 3;

/// The pictures in a frame.
pub fn panel(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let mistakes = state.mistakes.as_deref();
    let room = usize::from(area.width).saturating_sub(2);
    let mut title = vec![Span::styled(" Mistakes ", colours.strong())];
    title.extend(mistakes.map(|found| Span::styled(counted(found), colours.wrong())));
    let from = mistakes.map_or(String::new(), |found| found_in(found, room));
    let below = Line::styled(from, colours.quiet()).right_aligned();
    let block = framed(Line::from(title), colours).title_bottom(below);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    match mistakes.filter(|found| !found.shown.is_empty()) {
        Some(found) => pictures(frame, inner, &found.shown, colours),
        None => {
            let text = Paragraph::new(why_none(state)).style(colours.quiet()).wrap(Wrap { trim: true });
            frame.render_widget(text, inner);
        }
    }
}

/// How many there are.
fn counted(found: &Mistakes) -> String {
    format!("{} of {} images ", thousands(found.wrong), thousands(found.looked_at))
}

/// Where and when they were found, as much as fits.
fn found_in(found: &Mistakes, columns: usize) -> String {
    let Mistakes { set, epoch, .. } = found;
    let texts = [
        format!(" of the {set} set, after epoch {} ", thousands(*epoch)),
        format!(" {set} set, epoch {} ", thousands(*epoch)),
        format!(" {set} set "),
    ];
    texts.into_iter().find(|text| width(text) <= columns).unwrap_or_default()
}

fn why_none(state: &State) -> String {
    let text = match (state.facts.no_mistakes, &state.mistakes) {
        (Some(NoMistakes::NoImages), _) => "the samples are not images of bytes",
        (Some(NoMistakes::NoClasses), _) => "the targets are not classes",
        (Some(NoMistakes::NoCheckpoints), _) => {
            "they are found in checkpoints, which --no-checkpoints turns off"
        }
        (Some(NoMistakes::Failed), _) => "they could not be looked for: see the notes",
        (None, Some(_)) => "none was found",
        (None, None) => "they are looked for after each epoch",
    };
    text.to_owned()
}

fn pictures(frame: &mut Frame<'_>, area: Rect, mistakes: &[Mistake], colours: Colours) {
    let long = mistakes.iter().any(|mistake| width(&mistake.class).max(width(&mistake.predicted)) > SHORT);
    let caption = if long { 2 } else { 1 };
    let rows = area.height.saturating_sub(caption);
    let mut left = area.x + 1;
    for mistake in mistakes {
        let [columns, used] = mistake.picture.cells(area.width.saturating_sub(2), rows);
        let taken = columns.max(LEAST_CAPTION);
        if columns == 0 || left + taken > area.right() {
            break;
        }
        mistake.picture.draw(Rect::new(left, area.y, columns, used), frame.buffer_mut(), colours);
        let below = Rect::new(left, area.y + used, taken, caption).intersection(area);
        frame.render_widget(Paragraph::new(captioned(mistake, long, usize::from(taken), colours)), below);
        left += taken + GAP;
    }
}

/// The class, the one it is taken for, and the probability of that.
fn captioned(mistake: &Mistake, long: bool, columns: usize, colours: Colours) -> Vec<Line<'static>> {
    let probability = format!("{:.2}", mistake.probability);
    let right = Span::styled(clip(&mistake.class, columns), colours.good());
    let room = columns.saturating_sub(width(&probability) + 3);
    let wrong = Span::styled(clip(&mistake.predicted, room), colours.wrong());
    let taken = [Span::raw("→ "), wrong, Span::styled(format!(" {probability}"), colours.quiet())];
    if long {
        return vec![Line::from(right), Line::from_iter(taken)];
    }
    vec![Line::from_iter([right, Span::raw(" ")].into_iter().chain(taken))]
}

#[cfg(test)]
mod tests {
    use super::super::super::example::mistakes;
    use super::*;

    #[test]
    fn the_edges_tell_what_fits() {
        let found = mistakes();
        assert_eq!(counted(&found), "12 of 512 images ");
        let rows = [
            (38, " of the validation set, after epoch 1 "),
            (36, " validation set, epoch 1 "),
            (20, " validation set "),
            (3, ""),
        ];
        for (columns, expected) in rows {
            assert_eq!(found_in(&found, columns), expected, "{columns}");
        }
    }

    #[test]
    fn a_caption_names_both_classes_and_the_probability() {
        let mistake = mistakes().shown[0].clone();
        let text = |mistake: &Mistake, long| {
            let lines = captioned(mistake, long, 14, Colours::None);
            lines.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(text(&mistake, false), ["4 → 9 0.98"]);
        let boots =
            Mistake { class: "ankle boot of leather".to_owned(), predicted: "sneaker".to_owned(), ..mistake };
        assert_eq!(text(&boots, true), ["ankle boot of…", "→ sneaker 0.98"]);
    }
}
