//! `shadegrad explain`.

use super::args::{DeviceArg, FuseArg, ModelSource, batch_size};
use super::output::Output;
use super::tune::TuneArg;
use crate::device::Device;
use crate::gpu::Streaming;
use crate::model::{bytes, thousands};
use crate::plan::Plan;

/// Print the plan of a model: steps, kernels, shapes, bytes, FLOPs and memory
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The model: the embedded one or a model file
    #[arg(long, value_name = "tutorial|FILE.toml", default_value = "tutorial")]
    model: ModelSource,
    /// Samples per optimizer step
    #[arg(long, value_name = "N", default_value = "64", value_parser = batch_size, allow_negative_numbers = true)]
    batch_size: usize,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    fuse: FuseArg,
    #[command(flatten)]
    tune: TuneArg,
}

/// Prints the plan.
pub fn run(args: &ExplainArgs, output: &mut Output) -> anyhow::Result<()> {
    let file = args.model.read()?;
    let plan = Plan::build(&file.model.network()?, file.loss, file.optimizer, args.batch_size)?;
    let (device, why) = Device::open(&args.device.device)?;
    output.line(format_args!("Device: {why}"))?;
    let before = plan.steps.len();
    let plan = args.fuse.prepare(&device, plan);
    if plan.steps.len() < before {
        output
            .line(format_args!("Fused: {} steps out of {before}; --no-fuse shows them", plan.steps.len()))?;
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
