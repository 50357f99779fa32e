//! `shadegrad export`.

use std::path::PathBuf;

use anyhow::bail;

use super::output::Output;
use super::path_text::shell_word;
use super::web_page;
use crate::io::destination::Destination;
use crate::io::{SavedRun, onnx};
use crate::model::bytes;

/// Write the model of a run folder as an ONNX file, or as a web page that runs it
///
/// An ONNX model of images has the input `images`, f32 [N, height, width, channels]: bytes divided by 255, or bytes as
/// they are if the model begins with a Rescaling or a Normalization. A model of rows of numbers has the input
/// `features`, f32 [N, features]. The output is `probabilities`, f32 [N, classes], or `values` if the model's target
/// is values.
///
/// With --web DIR it writes a folder with a page on which the model can be tried on drawings and pictures. Any server
/// of plain files can serve it.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The run folder, such as runs/tutorial-1
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write, or `-` for standard output. If it is a symbolic link, its target is written
    #[arg(value_name = "FILE.onnx", required_unless_present = "web", conflicts_with = "web")]
    file: Option<PathBuf>,
    /// Write a web page with the model into this folder
    #[arg(long, value_name = "DIR")]
    web: Option<PathBuf>,
    /// The folder of the package @shadegrad/web, which runs the model on the page; by default
    /// target/web/site/shadegrad, which scripts/build-web makes, or node_modules/@shadegrad/web
    #[arg(long, value_name = "DIR", requires = "web")]
    engine: Option<PathBuf>,
    /// Replace the file, or the files of the page, if they exist; pipes and devices are never replaced
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
