//! Screens of all sizes.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::super::example::{facts, mistakes, state};
use super::super::state::{Facts, Phase, State};
use super::*;

/// What a terminal of this size shows, line by line.
fn shown(state: &State, [width, height]: [u16; 2], colours: Colours) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state, colours)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(line).collect()
}

fn with_mistakes() -> State {
    let mut state = state(facts());
    state.mistakes = Some(mistakes());
    state.note("warning: something is odd");
    state
}

/// Fails with the screen where one of these texts is not on it.
fn holds(lines: &[String], texts: &[&str]) {
    let screen = lines.join("\n");
    for text in texts {
        assert!(screen.contains(text), "`{text}` is not on the screen:\n{screen}");
    }
}

const EVERYWHERE: [&str; 6] = ["tutorial", "runs/tutorial-1", "Epoch 2/2", " 42/100 ", "Loss", "? help"];

#[test]
fn a_usual_screen_shows_everything() {
    let lines = shown(&with_mistakes(), [80, 24], Colours::All);
    holds(&lines, &EVERYWHERE);
    holds(&lines, &["CPU executor", "images/s", "Accuracy", "0.9712", "validated", "1.0000e-3", "--profile"]);
    holds(
        &lines,
        &[
            "12 of 512 images",
            "of the validation set, after epoch 1",
            "4 → 9 0.98",
            "▀",
            "warning: something is odd",
        ],
    );
    holds(&lines, &["q stop", "s save a checkpoint", "h halve the learning rate", "d double it"]);
}

#[test]
fn a_large_screen_shows_large_pictures_and_the_rate() {
    let lines = shown(&with_mistakes(), [160, 50], Colours::All);
    holds(&lines, &EVERYWHERE);
    holds(
        &lines,
        &["Learning rate 1.0000e-3", "Kernels", "Notes", "step 142", "smoothed", "each step", "validation"],
    );
    let pictured = lines.iter().filter(|line| line.contains(&"▀".repeat(28))).count();
    assert_eq!(pictured, 14, "{}", lines.join("\n"));
}

#[test]
fn a_small_screen_shows_the_loss_and_its_figures() {
    let lines = shown(&with_mistakes(), [40, 12], Colours::Sixteen);
    holds(
        &lines,
        &[
            "tutorial",
            "Epoch 2/2",
            "42/100",
            "Loss",
            "accuracy 0.9375",
            "rate 1.0e-3",
            "val_loss 0.1046",
            "q stop s save h halve d double ? help",
            "warning",
        ],
    );
}

#[test]
fn every_size_is_drawn_in_every_phase_and_colour() {
    let mut states = vec![with_mistakes(), State::new(Facts::default(), &[])];
    for phase in [Phase::Judging, Phase::Stopping] {
        let mut state = with_mistakes();
        (state.phase, state.help) = (phase, true);
        states.push(state);
    }
    let mut lost = state(facts());
    lost.end_step(&super::super::example::step_record(143, 2, f32::NAN));
    lost.end_step(&super::super::example::step_record(144, 2, f32::INFINITY));
    states.push(lost);
    for state in &states {
        for width in (1..=12).chain([27, 28, 29, 40, 69, 70, 80, 119, 120, 160, 300]) {
            for height in (1..=26).chain([39, 40, 50, 90]) {
                shown(state, [width, height], Colours::Palette);
            }
        }
        shown(state, [80, 24], Colours::None);
    }
}

#[test]
fn values_have_a_curve_of_the_rate_instead_of_accuracy() {
    let facts = Facts { classes: false, no_mistakes: Some(NoMistakes::NoImages), ..facts() };
    for size in [[80, 24], [160, 50]] {
        let lines = shown(&state(facts.clone()), size, Colours::All);
        holds(&lines, &["Loss", "Learning rate", "Training", "Kernels"]);
        let screen = lines.join("\n");
        assert!(!screen.contains("ccuracy") && !screen.contains("Mistakes"), "{screen}");
    }
}

#[test]
fn without_colours_pictures_are_shades() {
    let lines = shown(&with_mistakes(), [80, 24], Colours::None);
    holds(&lines, &["███████"]);
    assert!(!lines.join("\n").contains('▀'), "{}", lines.join("\n"));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| draw(frame, &with_mistakes(), Colours::None)).unwrap();
    let coloured =
        terminal.backend().buffer().content().iter().filter(|cell| {
            cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset
        });
    assert_eq!(coloured.count(), 0);
}

#[test]
fn help_lies_above_everything() {
    let mut state = with_mistakes();
    state.help = true;
    let lines = shown(&state, [80, 24], Colours::All);
    holds(
        &lines,
        &["Help", "q, Ctrl-C", "a second later: at once", "it stays", "halve the learning rate", "double it"],
    );
}
