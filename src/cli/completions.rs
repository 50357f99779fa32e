//! `shadegrad completions`.

use clap_complete::{Shell, generate};

use super::output::Output;

/// What to type, for the messages of a shell.
const NAME: &str = "shadegrad";

/// Print a script that completes commands and options in a shell
///
/// Bash: shadegrad completions bash > ~/.local/share/bash-completion/completions/shadegrad
///
/// Zsh: shadegrad completions zsh > DIR/_shadegrad, where DIR is one of $fpath
///
/// Fish: shadegrad completions fish > ~/.config/fish/completions/shadegrad.fish
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints them.
pub fn run(args: &CompletionsArgs, mut command: clap::Command, output: &mut Output) -> anyhow::Result<()> {
    let mut text = Vec::new();
    generate(args.shell, &mut command, NAME, &mut text);
    output.line(String::from_utf8(text)?.trim_end())
}
