//! `shadegrad export`.

use std::path::PathBuf;

use anyhow::bail;

use super::output::Output;
use super::path_text::shell_word;
use super::web_page;
use crate::io::destination::Destination;
use crate::io::{SavedRun, onnx};
use crate::model::bytes;

/// Write the model of a run folder as an ONNX file, or as a page that runs it
///
/// Input `images`: f32 [N, height, width, channels], bytes divided by 255, or as they are where the model begins with a Rescaling or a
/// Normalization; `features`: f32 [N, features], for rows of numbers. Output `probabilities`: f32 [N, classes]; `values` where the
/// model's target is values.
///
/// With --web DIR a folder that any server of plain files shows as a page, in which the model is tried on drawings and pictures.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The run folder, such as runs/tutorial-1
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write, or `-` for standard output; a symbolic link stays, and its target is written
    #[arg(value_name = "FILE.onnx", required_unless_present = "web", conflicts_with = "web")]
    file: Option<PathBuf>,
    /// Write a page with the model into this folder
    #[arg(long, value_name = "DIR")]
    web: Option<PathBuf>,
    /// Where the engine of pages is, the package @shadegrad/web: by default what scripts/build-web has made, or npm installed here
    #[arg(long, value_name = "DIR", requires = "web")]
    engine: Option<PathBuf>,
    /// Replace the file if it is there; pipes and devices are never replaced
    #[arg(long)]
    force: bool,
}

/// Writes the whole file or nothing.
pub fn run(args: &ExportArgs, output: &mut Output) -> anyhow::Result<()> {
    let file = match (&args.file, &args.web) {
        (Some(file), _) => file,
        (None, Some(folder)) => {
            web_page::write(&args.run, folder, args.engine.as_deref(), args.force)?;
            let shown = folder.display();
            return output.line(format_args!(
                "Wrote a page to {shown}; any server of plain files shows it, such as: python3 -m http.server --directory {}",
                shell_word(folder)
            ));
        }
        (None, None) => bail!("name the file to write, or a folder for a page with --web"),
    };
    let run = SavedRun::read(&args.run)?;
    let file = Destination::new(file, &args.run, "model.onnx")?;
    file.check_free(args.force)?;
    if file.is_stdout() {
        output.step_aside();
    }
    let model = onnx::to_onnx(&run)?;
    file.write(&model)?;
    output.line(format_args!("Wrote {file}: {}, opset {}", bytes(model.len()), onnx::OPSET))
}
