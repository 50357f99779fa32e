//! `shadegrad devices`.

use serde::Serialize;

use super::output::Output;
use super::table::{Align, render};
use crate::device::{Device, DeviceChoice, how_to_get_an_adapter};
use crate::gpu::{AdapterReport, adapters};
use crate::model::{bytes, thousands};

/// Printed where there is no value.
const NONE: &str = "-";

/// List every adapter with the limits that matter, and say which device `--device auto` takes
#[derive(Debug, clap::Args)]
pub struct DevicesArgs {
    /// Print JSON instead: of each adapter its name, kind, API, driver, place on the PCI bus, memory of its own and
    /// limits (sizes in bytes), and subgroup sizes; the threads of the CPU executor; what `auto` takes
    #[arg(long)]
    json: bool,
}

/// An adapter, for `--json`.
#[derive(Debug, Serialize)]
struct Listed {
    index: usize,
    name: String,
    kind: String,
    backend: &'static str,
    driver: String,
    pci: Option<String>,
    memory: Option<u64>,
    max_buffer_size: u64,
    max_storage_buffer_binding_size: u64,
    max_compute_workgroup_storage_size: u32,
    max_compute_invocations_per_workgroup: u32,
    max_compute_workgroups_per_dimension: u32,
    subgroup_sizes: [u32; 2],
    timestamps: bool,
}

/// All devices, for `--json`.
#[derive(Debug, Serialize)]
struct Devices {
    adapters: Vec<Listed>,
    /// Threads of the CPU executor.
    cpu_threads: usize,
    auto: String,
}

fn listed((index, adapter): (usize, &AdapterReport)) -> Listed {
    let limits = adapter.limits();
    Listed {
        index,
        name: adapter.name(),
        kind: adapter.kind().to_string(),
        backend: adapter.backend(),
        driver: adapter.driver(),
        pci: adapter.pci(),
        memory: adapter.memory(),
        max_buffer_size: limits.max_buffer_size,
        max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
        max_compute_workgroup_storage_size: limits.max_compute_workgroup_storage_size,
        max_compute_invocations_per_workgroup: limits.max_compute_invocations_per_workgroup,
        max_compute_workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
        subgroup_sizes: adapter.subgroup_sizes(),
        timestamps: adapter.has_timestamps(),
    }
}

/// Lists the devices. Having no adapter is not a failure.
pub fn run(args: &DevicesArgs, output: &mut Output) -> anyhow::Result<()> {
    let found = adapters();
    if args.json {
        let devices = Devices {
            adapters: found.iter().enumerate().map(listed).collect(),
            cpu_threads: rayon::current_num_threads(),
            auto: Device::open(&DeviceChoice::Auto)?.1,
        };
        return output.line(serde_json::to_string_pretty(&devices)?);
    }
    output.line(names(&found))?;
    if found.is_empty() {
        output.line(format_args!("\n{}", how_to_get_an_adapter()))?;
        return output.line("\n--device auto takes the CPU executor: there is no adapter");
    }
    output.line(format_args!("\n{}", limits(&found)))?;
    let (_, why) = Device::open(&DeviceChoice::Auto)?;
    output.line(format_args!("\n--device auto takes {why}"))
}

/// The names that `--device` understands, and what they stand for.
fn names(found: &[AdapterReport]) -> String {
    let headings =
        [("Device", Align::Left), ("Name", Align::Left), ("Kind", Align::Left), ("Backend", Align::Left)];
    let [device, name, kind, backend] = headings;
    let driver = ("Driver", Align::Left);
    let mut rows: Vec<[String; 5]> = found
        .iter()
        .enumerate()
        .map(|(index, adapter)| {
            [
                index.to_string(),
                adapter.name(),
                adapter.kind().to_string(),
                adapter.backend().to_owned(),
                adapter.driver(),
            ]
        })
        .collect();
    let threads = format!("{} threads", rayon::current_num_threads());
    let cpu = ["cpu", "CPU executor", "plain Rust", NONE, threads.as_str()];
    rows.push(cpu.map(str::to_owned));
    if found.iter().all(|adapter| adapter.pci().is_none()) {
        return render([device, name, kind, backend, driver], &rows);
    }
    let places =
        found.iter().map(|adapter| adapter.pci().unwrap_or(NONE.to_owned())).chain([NONE.to_owned()]);
    let rows: Vec<_> = rows
        .into_iter()
        .zip(places)
        .map(|([device, name, kind, backend, driver], pci)| [device, name, kind, backend, pci, driver])
        .collect();
    render([device, name, kind, backend, ("PCI", Align::Left), driver], &rows)
}

/// The limits that decide what fits.
fn limits(found: &[AdapterReport]) -> String {
    use Align::{Left, Right};
    let headings = [
        ("Device", Left),
        ("Largest buffer", Right),
        ("Storage binding", Right),
        ("Workgroup memory", Right),
        ("Invocations", Right),
        ("Groups per dim.", Right),
        ("Subgroup", Right),
        ("Timestamps", Left),
    ];
    let rows: Vec<_> = found
        .iter()
        .enumerate()
        .map(|(index, adapter)| {
            let limits = adapter.limits();
            let [smallest, largest] = adapter.subgroup_sizes();
            let subgroup = match (smallest, largest) {
                (0, _) => "-".to_owned(),
                _ if smallest == largest => smallest.to_string(),
                _ => format!("{smallest}-{largest}"),
            };
            [
                index.to_string(),
                bytes(limits.max_buffer_size as usize),
                bytes(limits.max_storage_buffer_binding_size as usize),
                bytes(limits.max_compute_workgroup_storage_size as usize),
                thousands(limits.max_compute_invocations_per_workgroup as usize),
                thousands(limits.max_compute_workgroups_per_dimension as usize),
                subgroup,
                if adapter.has_timestamps() { "yes" } else { "no" }.to_owned(),
            ]
        })
        .collect();
    render(headings, &rows)
}
