//! `shadegrad export`.

use std::path::PathBuf;

use super::output::Output;
use crate::io::destination::Destination;
use crate::io::{SavedRun, onnx};
use crate::model::bytes;

/// Write the model of a run folder as an ONNX file
///
/// Input `images`: f32 [N, height, width, channels], bytes divided by 255, or as they are where the model begins with a Rescaling or a
/// Normalization; `features`: f32 [N, features], for rows of numbers. Output `probabilities`: f32 [N, classes]; `values` where the
/// model's target is values.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The run folder, such as runs/tutorial-1
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write, or `-` for standard output; a symbolic link stays, and its target is written
    #[arg(value_name = "FILE.onnx")]
    file: PathBuf,
    /// Replace the file if it is there; pipes and devices are never replaced
    #[arg(long)]
    force: bool,
}

/// Writes the whole file or nothing.
pub fn run(args: &ExportArgs, output: &mut Output) -> anyhow::Result<()> {
    let run = SavedRun::read(&args.run)?;
    let file = Destination::new(&args.file, &args.run, "model.onnx")?;
    file.check_free(args.force)?;
    if file.is_stdout() {
        output.step_aside();
    }
    let model = onnx::to_onnx(&run)?;
    file.write(&model)?;
    output.line(format_args!("Wrote {file}: {}, opset {}", bytes(model.len()), onnx::OPSET))
}
