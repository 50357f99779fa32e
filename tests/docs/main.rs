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

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use blocks::{Block, all, blocks_of, markdown_files, root};
use quotes::doctested;
use shell::{Shell, check_output, commands};

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
    let [mut scripts, mut transcripts, mut outputs] = [0; 3];
    for block in all().into_iter().filter(|block| listed(block).is_none()) {
        let outcome = match (block.language.as_str(), &before) {
            ("sh", _) => {
                scripts += 1;
                shell.run(&block)
            }
            ("text", _) if block.text.starts_with("$ ") => {
                transcripts += 1;
                shell.transcript(&block)
            }
            ("text", Some(above)) if above.file == block.file && commands(&above.text).len() == 1 => {
                outputs += 1;
                check_output(&shell, &commands(&above.text)[0], &block.text)
            }
            ("text", _) => {
                Err("neither a transcript, nor below a block of one command whose output it shows".to_owned())
            }
            _ => Ok(()),
        };
        problems.extend(outcome.err().map(|problem| format!("{}: {problem}", block.place())));
        before = (block.language == "sh").then_some(block);
    }
    let (counts, unmet) = shell.counts();
    problems.extend(unmet);
    let (spans, wrong) = spans::check(&shell);
    problems.extend(wrong);
    tell(&format!(
        "{scripts} blocks of `sh`, {transcripts} transcripts, {outputs} outputs of the command above\n{counts}\n\
         {spans} commands and scripts within text: they are there, with their options"
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
