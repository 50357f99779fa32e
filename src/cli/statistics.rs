//! What the driver's compiler made of the kernels of a plan.

use std::collections::BTreeMap;

use anyhow::bail;
use serde::Serialize;

use super::table::{Align, render};
use crate::device::Device;
use crate::gpu::{Kernel, KernelStatistics, StatisticsDevice};
use crate::plan::{Plan, Step};

/// What drivers call a figure: RADV, NVK, Honeykrisp, then the other drivers of Mesa and NVIDIA's.
const REGISTERS: [&str; 4] = ["VGPRs", "Number of GPRs", "GPRs", "Register Count"];
/// Not those of NVK from one kind of register to another.
const SPILLS: [&str; 6] =
    ["Spilled SGPRs", "Spilled VGPRs", "Spills to memory", "Spills", "Spill count", "Local Memory Size"];
const MEMORY: [&str; 3] = ["LDS size", "Shared memory size", "Local size"];
const WAVES: [&str; 3] = ["Subgroups per SIMD", "Max warps/SM", "Threads"];
const INSTRUCTIONS: [&str; 2] = ["Instructions", "Instruction count"];
const LATENCY: [&str; 3] = ["Latency", "Static cycle count", "Cycle count"];
/// Instructions for arithmetic, each of which takes one number of every lane, or two.
const ARITHMETIC: [&str; 2] = ["VALU", "ALU"];

/// A step of a plan, and what became of its kernel. A figure that the driver does not tell is `None`.
#[derive(Debug, Serialize)]
pub struct Row {
    step: String,
    kind: &'static str,
    variant: &'static str,
    /// Workgroups.
    groups: u32,
    /// Invocations of a workgroup.
    workgroup_size: u32,
    /// Invocations that run in step.
    lanes: u32,
    registers: Option<f64>,
    /// Registers that did not fit, of any kind.
    spills: Option<f64>,
    /// Bytes that a workgroup shares.
    workgroup_memory: Option<f64>,
    /// Subgroups that a part of the GPU holds at a time.
    waves: Option<f64>,
    instructions: Option<f64>,
    /// Cycles from the first instruction to the last, every loop counted once.
    latency: Option<f64>,
    /// How often its loops run: multiply-adds of an invocation by the instructions for arithmetic, at least once.
    trips: Option<f64>,
    /// All that the driver says, by its own names.
    figures: BTreeMap<String, f64>,
}

impl Row {
    fn new(step: &Step, kernel: &Kernel, per_dimension: u32, found: KernelStatistics) -> Self {
        let groups = kernel.groups(per_dimension).iter().product();
        let sum = |names: &[&str]| -> Option<f64> {
            let figures: Vec<f64> = names.iter().filter_map(|name| found.figure(&[name])).collect();
            (!figures.is_empty()).then(|| figures.iter().sum())
        };
        let arithmetic = found.figure(&ARITHMETIC);
        let invocations = f64::from(groups) * f64::from(kernel.workgroup);
        let multiply_adds = step.op.flops() as f64 / 2.0 / invocations;
        Row {
            step: step.name.clone(),
            kind: kernel.kind,
            variant: kernel.variant,
            groups,
            workgroup_size: kernel.workgroup,
            lanes: found.lanes,
            registers: found.figure(&REGISTERS),
            spills: sum(&SPILLS),
            workgroup_memory: found.figure(&MEMORY),
            waves: found.figure(&WAVES),
            instructions: found.figure(&INSTRUCTIONS),
            latency: found.figure(&LATENCY),
            trips: arithmetic.map(|count| (multiply_adds / count.max(1.0)).max(1.0)),
            figures: found.figures.into_iter().collect(),
        }
    }

    /// Cycles with its loops counted as often as they run.
    fn cycles(&self) -> Option<f64> {
        Some(self.latency? * self.trips?)
    }
}

/// Asks the driver about the kernel of every step of a training batch.
///
/// # Errors
/// When there is no adapter, its driver does not tell, or refuses a kernel.
pub fn statistics(device: &Device, plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let Device::Gpu(gpu) = device else {
        bail!(
            "--statistics asks the driver of an adapter, but this is the CPU executor; name an adapter with --device"
        );
    };
    let Some(asked) = StatisticsDevice::open(gpu)? else {
        bail!(
            "the driver of {} does not report what it made of kernels: it lacks \
             VK_KHR_pipeline_executable_properties; name another adapter with --device",
            gpu.title()
        );
    };
    let per_dimension = gpu.limits().max_compute_workgroups_per_dimension;
    let rows = plan.steps.iter().filter_map(|step| {
        let kernel = gpu.kernel(&step.op)?;
        let found = asked.of(&kernel, &kernel.text(&step.bases(), per_dimension));
        Some(found.map(|found| Row::new(step, &kernel, per_dimension, found)))
    });
    Ok(rows.collect::<Result<_, _>>()?)
}

/// As a table.
pub fn text(rows: &[Row]) -> String {
    let shown = |figure: Option<f64>| figure.map_or("-".to_owned(), |figure| format!("{figure:.0}"));
    let cells: Vec<[String; 11]> = rows
        .iter()
        .map(|row| {
            [
                row.step.clone(),
                format!("{} ({})", row.kind, row.variant),
                format!("{} x {}", row.groups, row.workgroup_size),
                shown(row.registers),
                shown(row.spills),
                shown(row.workgroup_memory),
                shown(row.waves),
                shown(row.instructions),
                shown(row.latency),
                row.trips.map_or("-".to_owned(), |trips| format!("{trips:.1}")),
                shown(row.cycles()),
            ]
        })
        .collect();
    let right = |heading| (heading, Align::Right);
    render(
        [
            ("Step", Align::Left),
            ("Kernel", Align::Left),
            right("Groups"),
            right("Registers"),
            right("Spills"),
            right("Memory"),
            right("Waves"),
            right("Instructions"),
            right("Latency"),
            right("Trips"),
            right("With trips"),
        ],
        &cells,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::{AdapterClass, choose};
    use crate::ops::MatmulShape;
    use crate::plan::Stage;

    /// A product as a step, and its kernel on hardware.
    fn product() -> (Step, Kernel) {
        let op: crate::plan::Op = crate::ops::Matmul(MatmulShape { m: 64, n: 64, k: 512 }).into();
        let kernel = choose(&op, AdapterClass { hardware: true, ..AdapterClass::default() }).unwrap();
        (Step { name: "dense/matmul".to_owned(), stage: Stage::Forward, op, args: Vec::new() }, kernel)
    }

    #[test]
    fn figures_of_three_drivers_are_found_by_their_names() {
        // What drivers say; registers, spills, waves, instructions, latency and trips.
        type Told<'a> = &'a [(&'a str, f64)];
        let rows: [(Told<'_>, [Option<f64>; 6]); 3] = [
            (
                &[
                    ("VGPRs", 84.0),
                    ("Spilled SGPRs", 400.0),
                    ("Spilled VGPRs", 98.0),
                    ("Subgroups per SIMD", 18.0),
                    ("Instructions", 2852.0),
                    ("Latency", 118_955.0),
                    ("VALU", 100.0),
                ],
                [Some(84.0), Some(498.0), Some(18.0), Some(2852.0), Some(118_955.0), Some(4.0)],
            ),
            (
                &[
                    ("Number of GPRs", 40.0),
                    ("Spills to reg", 7.0),
                    ("Spills to memory", 0.0),
                    ("Max warps/SM", 48.0),
                    ("Instruction count", 777.0),
                    ("Static cycle count", 21_754.0),
                ],
                [Some(40.0), Some(0.0), Some(48.0), Some(777.0), Some(21_754.0), None],
            ),
            (
                &[("GPRs", 61.0), ("Spills", 3.0), ("Threads", 832.0), ("Instructions", 815.0), ("ALU", 1e9)],
                [Some(61.0), Some(3.0), Some(832.0), Some(815.0), None, Some(1.0)],
            ),
        ];
        let (step, kernel) = product();
        let invocations = f64::from(kernel.groups(65_535).iter().product::<u32>() * kernel.workgroup);
        for (told, expected) in rows {
            let figures = told.iter().map(|&(name, figure)| {
                // So that its loops run four times.
                let figure =
                    if name == "VALU" { step.op.flops() as f64 / 2.0 / invocations / 4.0 } else { figure };
                (name.to_owned(), figure)
            });
            let found = KernelStatistics { lanes: 32, figures: figures.collect() };
            let row = Row::new(&step, &kernel, 65_535, found);
            let found = [row.registers, row.spills, row.waves, row.instructions, row.latency, row.trips];
            assert_eq!(found, expected, "{told:?}");
            assert_eq!(row.cycles(), expected[4].zip(expected[5]).map(|(latency, trips)| latency * trips));
        }
    }
}
