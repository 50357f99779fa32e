//! `shadegrad explain`.

use super::args::{ModelSource, batch_size};
use super::output::Output;
use crate::gpu::choose;
use crate::plan::{Op, Plan};

/// Print the plan of a model: steps, kernels, shapes, bytes, FLOPs and memory; needs no device
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The model: the embedded one or a model file
    #[arg(long, value_name = "tutorial|FILE.toml", default_value = "tutorial")]
    model: ModelSource,
    /// Samples per optimizer step
    #[arg(long, value_name = "N", default_value = "64", value_parser = batch_size, allow_negative_numbers = true)]
    batch_size: usize,
}

/// Prints the plan.
pub fn run(args: &ExplainArgs, output: &mut Output) -> anyhow::Result<()> {
    let file = args.model.read()?;
    let plan = Plan::build(&file.model.network()?, file.loss, file.optimizer, args.batch_size)?;
    output.line(plan.explain(&kernel).trim_end())
}

/// The variant that runs a step on a GPU.
fn kernel(op: &Op) -> String {
    choose(op).map_or("none", |kernel| kernel.variant).to_owned()
}
