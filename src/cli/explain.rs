//! `shadegrad explain`.

use anyhow::bail;

use super::args::{FuseArg, ModelSource, batch_size};
use super::device_args::DeviceArg;
use super::init::TrainableArg;
use super::output::{Output, note, warn_of_loss};
use super::statistics;
use super::tune::TuneArg;
use super::values;
use crate::device::Device;
use crate::gpu::{Gpu, Streaming};
use crate::model::{bytes, nearest, thousands};
use crate::plan::{Fusion, Plan};

/// The longest line.
const COLUMNS: usize = 120;
const INDENT: &str = "  ";
const ARROW: &str = "  -> ";

/// Print the plan of a model: steps, kernels, shapes, bytes, FLOPs and memory
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The model: the embedded `tutorial` or a model file
    #[arg(long, value_name = "tutorial|FILE.toml", default_value = "tutorial")]
    model: ModelSource,
    /// Samples per batch, up to 65536; by default as in the model file, else 64
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
    /// Print instead the shader that is compiled for a step, given by its name or number in the plan: a header with
    /// its sizes, the files that it imports, and its own file
    #[arg(long, value_name = "STEP", conflicts_with = "statistics")]
    shader: Option<String>,
    /// Print instead the numbers of a step, given by its name or number in the plan: what it reads, what the shader
    /// computes from it, and what its twin in plain Rust computes
    ///
    /// A batch is trained up to this step. Of each tensor the eight numbers with the largest magnitude are printed.
    /// The batch is the first one of MNIST if the model takes such images, else random.
    #[arg(long, value_name = "STEP", conflicts_with_all = ["statistics", "shader"])]
    values: Option<String>,
    /// Which sample of the batch --values shows, counted from 0
    #[arg(long, value_name = "N", default_value = "0", requires = "values")]
    sample: usize,
    /// Print instead what the driver's compiler made of each kernel: registers, spills, bytes of workgroup memory,
    /// subgroups that run at a time, instructions, cycles. No kernel is run
    #[arg(long)]
    statistics: bool,
    /// Print the statistics as JSON, with everything that the driver reports
    #[arg(long, requires = "statistics")]
    json: bool,
}

/// Prints the plan.
pub fn run(args: &ExplainArgs, output: &mut Output) -> anyhow::Result<()> {
    let mut file = args.model.read()?;
    args.trainable.apply(&mut file)?;
    warn_of_loss(&file)?;
    let parts = match (&args.values, file.training.micro_batches.unwrap_or(1)) {
        (Some(_), 2..) => {
            note("note: the batch is followed as a whole; `micro_batches` of the model file is not used");
            1
        }
        (_, parts) => parts,
    };
    let batch = args.batch_size.unwrap_or(file.training.batch_size.div_ceil(parts));
    let plan = file.plan(batch)?;
    let (device, why) = Device::open(&args.device.device)?;
    if !args.json && args.shader.is_none() && args.values.is_none() {
        output.line(format_args!("Device: {why}"))?;
    }
    let before = plan.clone();
    let plan = args.fuse.prepare(&device, plan);
    if let Some(asked) = &args.shader {
        let (device, _) = args.tune.apply(device, &plan)?;
        return output.line(shader(asked, &device, &plan)?.trim_end());
    }
    if let Some(asked) = &args.values {
        let (device, _) = args.tune.apply(device, &plan)?;
        let place = place_of(asked, &plan)?;
        return output.line(values::text(&file, &plan, gpu_of(&device)?, place, args.sample)?.trim_end());
    }
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
    output.line(plan.explain(&|op| device.kernel(op).to_owned(), &|op| device.shader(op)).trim_end())?;
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

/// The text that is compiled for a step.
fn shader(asked: &str, device: &Device, plan: &Plan) -> anyhow::Result<String> {
    let gpu = gpu_of(device)?;
    let step = &plan.steps[place_of(asked, plan)?];
    let Some(kernel) = gpu.kernel(&step.op) else {
        bail!("no kernel of this adapter runs `{}`; name another with --device", step.name)
    };
    Ok(kernel.text(&step.bases(), gpu.limits().max_compute_workgroups_per_dimension))
}

fn gpu_of(device: &Device) -> anyhow::Result<&Gpu> {
    let Device::Gpu(gpu) = device else {
        bail!("the CPU executor runs no shaders; name an adapter with --device, such as --device software");
    };
    Ok(gpu)
}

/// The place in the plan of a step that is named, or numbered from 1.
fn place_of(asked: &str, plan: &Plan) -> anyhow::Result<usize> {
    let by_number = asked.parse().ok().and_then(|number: usize| number.checked_sub(1));
    let by_name = || plan.steps.iter().position(|step| step.name == asked);
    if let Some(place) = by_number.filter(|&place| place < plan.steps.len()).or_else(by_name) {
        return Ok(place);
    }
    let near = nearest(asked, plan.steps.iter().map(|step| step.name.as_str()));
    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    bail!("the plan has {} steps, but none is `{asked}`{near}", plan.steps.len());
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
