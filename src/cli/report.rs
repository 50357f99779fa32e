//! `shadegrad report`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::DataSource;
use super::device_args::DeviceArg;
use super::layout::LayoutArgs;
use super::output::{Output, check_writable};
use super::progress::spinner;
use super::same_data::{TestSet, samples, test_set};
use crate::device::Device;
use crate::executor::check_data;
use crate::io::checkpoint::is_checkpoint;
use crate::io::destination::{Destination, DestinationError};
use crate::io::report::{Judged, Logs, PLOTS, RunReport, is_plot};
use crate::io::run::{REPORT_FILE, is_report, read_result};
use crate::io::{SavedRun, read_recorded};
use crate::model::{bytes, thousands};

/// Write an HTML page about a run
///
/// The page shows curves, the confusion matrix, metrics of each class, the most confident mistakes, which pixels
/// decided, the filters of the first convolution, one image on its way through the layers, the time of each kernel
/// (after `train --profile`), and all settings. It contains its pictures, and needs no network and no other file.
///
/// The flags that say how the data is read (--transpose to --channels) are by default as the run had them.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// The run folder, such as runs/tutorial-1
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write, or `-` for standard output; by default report.html in the run folder, which replaces an
    /// earlier page
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Also write the plots as SVG files into this folder, in which --force replaces only plots
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Replace the file of --out, and plots in the folder of --plots, if they exist
    #[arg(long)]
    force: bool,
    /// The data set to evaluate on: the embedded `mnist`, a folder with pictures or with the files of a test set, or a
    /// table; by default the test set of the data that the run was trained on
    #[arg(long, value_name = "mnist|DIR|FILE.csv")]
    data: Option<DataSource>,
    #[command(flatten)]
    layout: LayoutArgs,
    #[command(flatten)]
    device: DeviceArg,
}

/// Writes the whole page or nothing.
pub fn run(args: &ReportArgs, output: &mut Output) -> anyhow::Result<()> {
    let run = SavedRun::read(&args.run)?;
    let result = read_result(&args.run)?;
    let recorded = read_recorded(&args.run)?;
    let logs = Logs::read(&args.run)?;
    let out = args.page()?;
    if out.is_stdout() {
        output.step_aside();
    }
    if let Some(dir) = args.plots.as_ref().filter(|dir| dir.exists() && !dir.is_dir()) {
        bail!("`{}` is not a folder; give --plots another name", dir.display());
    }
    args.check_plots()?;
    let TestSet { source, set: test, is_other } =
        test_set(&args.run, args.data.as_ref(), &args.layout, recorded.as_ref(), &run.file, &run.network)?;
    check_data(&run.network, &test)?;

    let (device, _) = Device::open(&args.device.device)?;
    let spinner = spinner(format!("evaluating on {} test {}", thousands(test.len()), samples(&run.network)));
    let mut model = run.compile(&device)?;
    let probabilities = model.predict_data(&test)?;
    let judged = Judged { data: source.to_string(), is_other: is_other == Some(true) };
    let report = RunReport::new(&run, result.as_ref(), logs, &test, &probabilities)?
        .with_pixels(&mut model, &test, &probabilities)?
        .on(judged);
    spinner.finish_and_clear();

    if let Some(dir) = &args.plots {
        args.write_plots(dir, &report, output)?;
    }
    write(&out, report.html().as_bytes(), output)
}

impl ReportArgs {
    /// The path of the page. The default path is replaced only if it is a page of ours.
    fn page(&self) -> anyhow::Result<Destination> {
        match &self.out {
            Some(file) => {
                let out = Destination::new(file, &self.run, REPORT_FILE)?;
                out.check_free(self.force)?;
                Ok(out)
            }
            None if is_checkpoint(&self.run) => bail!(
                "`{}` is a checkpoint, and no page is written into it; say where to write it: --out FILE.html",
                self.run.display()
            ),
            None => {
                let out = Destination::new(&self.run.join(REPORT_FILE), &self.run, REPORT_FILE)?;
                out.check_ours(
                    is_report,
                    "a page of `report`",
                    "move it away, or choose another name with --out",
                )?;
                Ok(out)
            }
        }
    }

    /// Checks the folder of plots, and the files there with their names, before anything is evaluated.
    fn check_plots(&self) -> anyhow::Result<()> {
        let Some(dir) = &self.plots else { return Ok(()) };
        check_writable(dir).with_context(|| format!("--plots: `{}` cannot be written", dir.display()))?;
        if dir.exists() {
            PLOTS.iter().try_for_each(|name| self.plot(dir, name).map(|_| ()))?;
        }
        Ok(())
    }

    /// The path of a plot; only one of ours is replaced there.
    fn plot(&self, dir: &Path, name: &str) -> Result<Destination, DestinationError> {
        let file = Destination::new(&dir.join(format!("{name}.svg")), &self.run, "loss.svg")?;
        file.check_free(self.force)?;
        file.check_ours(
            is_plot,
            "a plot of `report`",
            "move it away, or choose another folder with --plots",
        )?;
        Ok(file)
    }

    fn write_plots(&self, dir: &Path, report: &RunReport<'_>, output: &mut Output) -> anyhow::Result<()> {
        let mut files = Vec::new();
        fs::create_dir_all(dir).with_context(|| format!("`{}` cannot be created", dir.display()))?;
        for plot in report.plots() {
            files.push((self.plot(dir, plot.name)?, &plot.svg));
        }
        for (file, svg) in files {
            write(&file, svg.as_bytes(), output)?;
        }
        Ok(())
    }
}

fn write(file: &Destination, content: &[u8], output: &mut Output) -> anyhow::Result<()> {
    file.write(content)?;
    output.line(format_args!("Wrote {file}: {}", bytes(content.len())))
}
