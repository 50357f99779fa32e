//! Commands within text: spans between single backticks, which are not run. What they name must be there.

use std::fs;

use crate::blocks::{blocks_of, markdown_files, root};
use crate::shell::Shell;

/// The spans of a paragraph's lines, outside of fenced blocks.
fn spans(text: &str) -> Vec<String> {
    let paragraphs = text.split("\n\n");
    let spans = paragraphs.flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2));
    spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// A file without its fenced blocks.
fn text_of(file: &str) -> String {
    let mut text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let blocks = blocks_of(file, &text).unwrap_or_else(|problem| panic!("{file}{problem}"));
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = vec![true; lines.len()];
    for block in blocks {
        let first = block.line - 1;
        kept[first..(first + block.text.lines().count() + 2).min(lines.len())].fill(false);
    }
    let outside = lines.iter().zip(kept).map(|(line, kept)| if kept { *line } else { "" });
    text = outside.collect::<Vec<_>>().join("\n");
    text
}

/// Counts the spans that name a command or a script; problems of those that name what is not there.
pub fn check(shell: &Shell) -> (usize, Vec<String>) {
    let (mut count, mut problems) = (0, Vec::new());
    // The changes of earlier versions speak of what was there then.
    for file in markdown_files().into_iter().filter(|file| !file.ends_with("CHANGELOG.md")) {
        for span in spans(&text_of(&file)) {
            let problem = if let Some(arguments) = span.strip_prefix("shadegrad ") {
                shell.check_options(arguments)
            } else if span.starts_with("scripts/") || span.starts_with("examples/") {
                let path = span.split(' ').next().unwrap_or_default();
                if root().join(path).exists() { Ok(()) } else { Err(format!("there is no {path}")) }
            } else {
                continue;
            };
            count += 1;
            problems.extend(problem.err().map(|problem| format!("{file}: `{span}`: {problem}")));
        }
    }
    (count, problems)
}

#[test]
fn spans_may_go_on_in_the_next_line() {
    let text = "One `a b` and `c\nd`.\n\nA lone ` here.\n\n`e`\n";
    assert_eq!(spans(text), ["a b", "c d", "here.", "e"]);
}
