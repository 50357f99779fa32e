//! `shadegrad explain`.

use super::args::{DeviceArg, FuseArg, ModelSource, batch_size};
use super::init::TrainableArg;
use super::output::{Output, warn_of_loss};
use super::statistics;
use super::tune::TuneArg;
use crate::device::Device;
use crate::gpu::Streaming;
use crate::model::{bytes, thousands};
use crate::plan::{Fusion, Plan};

/// The longest line.
const COLUMNS: usize = 120;
const INDENT: &str = "  ";
const ARROW: &str = "  -> ";

/// Print the plan of a model: steps, kernels, shapes, bytes, FLOPs and memory
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The model: the embedded one or a model file
    #[arg(long, value_name = "tutorial|FILE.toml", default_value = "tutorial")]
    model: ModelSource,
    /// Samples per batch; by default that of the model file, else 64
    #[arg(long, value_name = "N", value_parser = batch_size, allow_negative_numbers = true)]
    batch_size: Option<usize>,
    #[command(flatten)]
    trainable: TrainableArg,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    fuse: FuseArg,
    #[command(flatten)]
    tune: TuneArg,
    /// Print what the driver's compiler made of each kernel instead: registers, spills, bytes that a workgroup shares, subgroups that run
    /// at a time, instructions, cycles. Nothing is run
    #[arg(long)]
    statistics: bool,
    /// Print the statistics as JSON, with all that the driver says
    #[arg(long, requires = "statistics")]
    json: bool,
}

/// Prints the plan.
pub fn run(args: &ExplainArgs, output: &mut Output) -> anyhow::Result<()> {
    let mut file = args.model.read()?;
    args.trainable.apply(&mut file)?;
    warn_of_loss(&file)?;
    let parts = file.training.micro_batches.unwrap_or(1);
    let batch = args.batch_size.unwrap_or(file.training.batch_size.div_ceil(parts));
    let plan = file.plan(batch)?;
    let (device, why) = Device::open(&args.device.device)?;
    if !args.json {
        output.line(format_args!("Device: {why}"))?;
    }
    let before = plan.clone();
    let plan = args.fuse.prepare(&device, plan);
    if args.statistics {
        let (device, _) = args.tune.apply(device, &plan)?;
        let rows = statistics::statistics(&device, &plan)?;
        return output.line(if args.json {
            serde_json::to_string_pretty(&rows)?
        } else {
            format!("\n{}", statistics::text(&rows))
        });
    }
    if plan.steps.len() < before.steps.len() {
        output.line(fusions(before, plan.steps.len()).trim_end())?;
    }
    let (device, tuning) = args.tune.apply(device, &plan)?;
    output.line(plan.explain(&|op| device.kernel(op).to_owned()).trim_end())?;
    if let Some(Streaming { most_resident, bytes: taken }) = device.streaming(&plan) {
        output.line(format_args!(
            "\nData sets of more than {} samples are streamed to this adapter, through {}",
            thousands(most_resident),
            bytes(taken as usize)
        ))?;
    }
    match tuning {
        Some(tuning) => output.line(format_args!("\n{}", tuning.text())),
        None => Ok(()),
    }
}

/// Which steps of the plan as it was lowered were fused into which.
fn fusions(before: Plan, after: usize) -> String {
    let mut text =
        format!("Fused: {after} steps out of {}; --no-fuse runs them one by one\n", before.steps.len());
    for Fusion { before, after } in before.fuse_and_tell().1 {
        let width = COLUMNS - INDENT.len();
        let mut lines = wrapped(&before, " + ", width);
        lines.extend(
            wrapped(&after, ", ", width - ARROW.len()).into_iter().map(|line| format!("{ARROW}{line}")),
        );
        for line in lines {
            text += &format!("{INDENT}{line}\n");
        }
    }
    text
}

/// Names in lines of at most this many columns.
fn wrapped(names: &[String], between: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let name = if at + 1 < names.len() { format!("{name}{between}") } else { name.clone() };
        match lines.last_mut() {
            Some(line) if line.len() + name.trim_end().len() <= width => *line += &name,
            _ => lines.push(name),
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}
