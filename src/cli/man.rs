//! `shadegrad man`.

use std::path::PathBuf;

use anyhow::Context;

use super::output::Output;
use super::path_text::to_text;

/// Write a man page for every command
///
/// `man shadegrad` and `man shadegrad-train` find the pages if the folder is share/man/man1 beside a folder bin that
/// is in PATH, or the folder man1 in one that `manpath` prints.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The folder to write to; it is created if needed, and files with the names of the pages are replaced
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Writes them.
pub fn run(args: &ManArgs, command: clap::Command, output: &mut Output) -> anyhow::Result<()> {
    let failed = || format!("man pages could not be written to {}", args.dir.display());
    std::fs::create_dir_all(&args.dir).with_context(failed)?;
    clap_mangen::generate_to(command.disable_help_subcommand(true), &args.dir).with_context(failed)?;
    output.line(format_args!("Man pages: {}", to_text(&args.dir)))
}
