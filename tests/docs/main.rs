//! Every fenced block of every Markdown file: run, or checked in a way that has a name, or listed in `elsewhere.rs` with its reason.
//! Rust is compiled by doctests, from the list at the end of `src/lib.rs`.

mod blocks;
mod elsewhere;
mod forms;
mod place;
mod quotes;
mod settings;
mod shell;
mod spans;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use blocks::{Block, all, blocks_of, markdown_files, root};
use quotes::doctested;
use shell::{Shell, check_output};
use texts::Text;

/// Told even where the test passes: the harness does not keep what is written to standard error itself.
fn tell(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error");
}

/// The row of [`elsewhere::BLOCKS`] that names a block.
fn listed(block: &Block) -> Option<usize> {
    let first = block.text.lines().next().unwrap_or_default();
    elsewhere::BLOCKS.iter().position(|(file, line, _)| *file == block.file && *line == first)
}

/// What is done with a block that is not run, in words; `None` for those that are.
fn check(block: &Block) -> Option<Result<&'static str, String>> {
    Some(match block.language.as_str() {
        "sh" | "text" => return None,
        "rust" => quotes::check_rust(block),
        "diff" => quotes::check_diff(block),
        "wgsl" => quotes::check_wgsl(block),
        "js" => quotes::check_js(block),
        "toml" => settings::check_toml(block),
        "json" => settings::check_json(block),
        "" => quotes::check_paths(block),
        other => Err(format!("there is no check for `{other}`: add one to tests/docs/main.rs")),
    })
}

#[test]
fn every_block_is_checked() {
    let (mut counts, mut problems, mut met) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    for block in all() {
        let checked = match listed(&block) {
            Some(row) => {
                met.insert(row);
                Some(Ok(elsewhere::BLOCKS[row].2))
            }
            None => check(&block),
        };
        match checked {
            Some(Ok(how)) => *counts.entry((block.language, how)).or_insert(0) += 1,
            Some(Err(problem)) => problems.push(format!("{} ({}): {problem}", block.place(), block.language)),
            None => {}
        }
    }
    for ((language, how), count) in counts {
        tell(&format!("{count:3} blocks of `{language}`: {how}"));
    }
    let rows = elsewhere::BLOCKS.iter().enumerate().filter(|(row, _)| !met.contains(row));
    problems
        .extend(rows.map(|(_, (file, line, _))| format!("{file} has no block that begins with `{line}`")));
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
#[cfg_attr(not(unix), ignore = "lines are given to sh")]
fn every_command_does_what_it_says() {
    let (shell, mut problems, mut before) = (Shell::new(), Vec::new(), None::<Block>);
    let mut counts = BTreeMap::new();
    for block in all().into_iter().filter(|block| listed(block).is_none()) {
        let text = match block.language.as_str() {
            "text" => Some(Text::of(&block, before.as_ref())),
            _ => None,
        };
        let (what, outcome) = match text {
            Some(Ok(Text::Transcript)) => ("transcripts", shell.transcript(&block)),
            Some(Ok(Text::OutputOf(command))) => {
                ("outputs of the command above", check_output(&shell, &command, &block.text))
            }
            Some(Ok(Text::OfAChange)) => {
                ("outputs after a change, compared by their document's script", Ok(()))
            }
            Some(Ok(Text::Formula)) => ("formulas or numbers", Ok(())),
            Some(Err(problem)) => ("texts of no kind", Err(problem)),
            None if block.language == "sh" => ("blocks of `sh`, run line by line", shell.run(&block)),
            None => ("blocks of other languages, checked by the other test", Ok(())),
        };
        *counts.entry(what).or_insert(0) += 1;
        problems.extend(outcome.err().map(|problem| format!("{}: {problem}", block.place())));
        before = Some(block);
    }
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{count:3} {what}")).collect();
    let (lines, unmet) = shell.counts();
    problems.extend(unmet);
    let (spans, wrong) = spans::check(&shell);
    problems.extend(wrong);
    let counts = counts.join("\n");
    tell(&format!(
        "{counts}\n{lines}\n{spans:3} commands and scripts within text: there, with their options"
    ));
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// What doctests compile is there and has something to compile.
#[test]
fn the_list_of_doctests_holds_no_file_in_vain() {
    let known = markdown_files();
    for file in doctested() {
        assert!(known.contains(&file), "src/lib.rs includes {file}, which is not there");
        let text = std::fs::read_to_string(root().join(&file)).expect("a file that is there");
        let found = blocks_of(&file, &text).unwrap_or_else(|problem| panic!("{file}{problem}"));
        assert!(found.iter().any(|block| block.language == "rust"), "{file} has no block of Rust");
    }
}
