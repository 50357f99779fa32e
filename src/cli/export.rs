//! `shadegrad export`.

use std::path::PathBuf;

use anyhow::{Context, bail};

use super::output::Output;
use crate::io::run::write_whole;
use crate::io::{SavedRun, onnx};
use crate::model::bytes;

/// Write the model of a run folder as an ONNX file
///
/// Input `images`: f32 [N, height, width, channels], bytes divided by 255; output `probabilities`: f32 [N, classes].
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The run folder, such as runs/tutorial-1
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write
    #[arg(value_name = "FILE.onnx")]
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

/// Writes the whole file or none.
pub fn run(args: &ExportArgs, output: &mut Output) -> anyhow::Result<()> {
    let run = SavedRun::read(&args.run)?;
    let file = args.file.display();
    if args.file.is_dir() {
        bail!("`{file}` is a folder; give the name of a file, such as model.onnx");
    }
    if !args.force && args.file.exists() {
        bail!("`{file}` is there already; choose another name, or replace it with --force");
    }
    let model = onnx::to_onnx(&run)?;
    write_whole(&args.file, &model).with_context(|| format!("`{file}` cannot be written"))?;
    output.line(format_args!("Wrote {file}: {}, opset {}", bytes(model.len()), onnx::OPSET))
}
