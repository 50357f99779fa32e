//! `shadegrad evaluate`.

use std::path::PathBuf;

use serde::Serialize;

use super::args::DataSource;
use super::device_args::DeviceArg;
use super::judging::{self, Judged, ReportArgs, largest_class, print_baseline, print_figures};
use super::layout::LayoutArgs;
use super::output::{Output, note, spare_remarks};
use super::progress::spinner;
use super::ranks::Ranks;
use super::same_data::{TestSet, samples, test_set};
use super::same_ranks::{digest, program_digest};
use crate::device::{Device, TWIN};
use crate::executor::check_data;
use crate::gpu::Choices;
use crate::io::ModelFile;
use crate::io::{Recorded, SavedRun, read_recorded};
use crate::model::thousands;
use crate::plan::Plan;
use crate::train::{Compile, Evaluation, Updates, main_metric};

/// Evaluate the weights of a run folder on a test set
///
/// The flags that say how the data is read (--transpose to --channels) are by default as the run had them.
#[derive(Debug, clap::Args)]
pub struct EvaluateArgs {
    /// The run folder, such as runs/tutorial-1
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The data set to evaluate on: the embedded `mnist`, a folder with pictures or with the files of a test set, or a
    /// table; by default the test set of the data that the run was trained on
    #[arg(long, value_name = "mnist|DIR|FILE.csv")]
    data: Option<DataSource>,
    #[command(flatten)]
    layout: LayoutArgs,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    report: ReportArgs,
    /// Print only the metrics, as JSON, with those of the report
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Figures {
    /// `mnist`, or the folder.
    data: String,
    test_samples: usize,
    /// Whether this test set differs from the one that the run was evaluated on; `None` where that is not known.
    other_test_set: Option<bool>,
    /// `None` where it is not finite.
    test_loss: Option<f64>,
    /// `None` where targets are no classes.
    test_accuracy: Option<f64>,
    /// The accuracy of always naming the class with the most samples in the test set; `None` likewise.
    baseline_accuracy: Option<f64>,
    #[serde(flatten)]
    report: Judged,
}

/// Evaluates in batches of the size that the run used, with the kernels that it used, so that on the same device the
/// metrics are the run's own, bit for bit.
pub fn run(args: &EvaluateArgs, output: &mut Output, ranks: &mut Ranks) -> anyhow::Result<()> {
    if args.json {
        spare_remarks();
    }
    let SavedRun { file, network, weights } = SavedRun::read(&args.run)?;
    args.report.check(&network)?;
    let recorded = read_recorded(&args.run).unwrap_or_else(|error| {
        note(format_args!("warning: {error}"));
        None
    });
    let TestSet { source, set: test, is_other } =
        test_set(&args.run, args.data.as_ref(), &args.layout, recorded.as_ref(), &file, &network)?;
    check_data(&network, &test)?;
    let (device, why) = Device::open_for(&args.device.device, ranks.local())?;

    if !args.json {
        output.line(format_args!("Device: {why}"))?;
        output.line(format_args!("Data: {source}, {} test {}", thousands(test.len()), samples(&network)))?;
    }
    let ran = recorded.as_ref().map(|run| ran_by(&file, &device, run)).transpose()?;
    let (no_fuse, choices) = ran.unwrap_or_default();
    let device = device.choosing(choices);
    let compile = Compile { loss: file.loss, optimizer: file.optimizer, no_fuse, ..Compile::default() };
    let mut model = file.model.compile(&device, compile)?;
    model.set_weights(weights)?;
    ranks.check_same(&[
        ("program".to_owned(), program_digest()),
        ("weights".to_owned(), digest(&model.digest()?)),
        ("data".to_owned(), test.digest()),
        ("device".to_owned(), device.title()),
    ])?;
    model.distribute(ranks.collective(), Updates::Everywhere);
    let spinner = spinner(format!("evaluating on {} test {}", thousands(test.len()), samples(&network)));
    let evaluation = model.evaluate_with(&test, recorded.map(|recorded| recorded.batch_size))?;
    // Accuracy is known already.
    let asked = args.json || args.report.asked() || evaluation.accuracy.is_none();
    let report = asked.then(|| args.report.judge(&mut model, &test, &file.class_names)).transpose()?;
    spinner.finish_and_clear();
    let metric = report.as_ref().map(|report| report.figures.main());
    match report {
        Some(report) if args.json => {
            let Evaluation { loss, accuracy } = evaluation;
            let test_loss = loss.is_finite().then_some(loss);
            return output.line(serde_json::to_string_pretty(&Figures {
                data: source.to_string(),
                test_samples: test.len(),
                other_test_set: is_other,
                test_loss,
                test_accuracy: accuracy,
                baseline_accuracy: largest_class(&test).map(|(_, share)| share),
                report,
            })?);
        }
        Some(report) if args.report.asked() => {
            output.line(format_args!("\n{}\n", judging::text(&report)))?;
        }
        _ => {}
    }
    print_baseline(&test, &file.class_names, output)?;
    let accuracy = evaluation.accuracy.map(|accuracy| (main_metric(network.target), accuracy));
    print_figures(accuracy.or(metric).unwrap_or_default(), evaluation.loss, output)
}

/// Whether a run ran each step unfused, and its kernels for the steps that have the same names on this device.
fn ran_by(file: &ModelFile, device: &Device, run: &Recorded) -> anyhow::Result<(bool, Choices)> {
    let plain = file.plan(run.batch_size)?;
    let fused = device.prepare(plain.clone());
    let ran = |plan: &Plan| plan.steps.iter().all(|step| run.kernels.contains_key(&step.name));
    // The CPU executor never fuses, but an adapter still may.
    let no_fuse = !ran(&fused) && ran(&plain) && run.kernels.values().all(|variant| variant != TWIN);
    Ok((no_fuse, Choices::recorded(if no_fuse { &plain } else { &fused }, &run.kernels)))
}
