//! `shadegrad verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::builder::PossibleValuesParser;

use super::args::{FuseArg, ModelSource, count};
use super::changed_shader;
use super::device_args::DeviceArg;
use super::output::{Output, note};
use super::progress::spinner;
use super::table::{Align, render};
use super::trace::TraceJob;
use crate::device::{Device, DeviceChoice, how_to_get_an_adapter};
use crate::gpu::check_failures;
use crate::verify::{VerifyReport, VerifyRow, cases, verify, verify_cpu, verify_edited};

/// Run every kernel on a device and compare it with its twin, the same computation in plain Rust
///
/// Here `--device auto` is the best adapter, even if it is a software one. With `--device cpu` the fast versions of
/// the CPU executor are compared with their twins. The exit code is 1 if any kernel differs.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Kinds of steps to verify, such as `matmul`; by default all
    #[arg(value_name = "KIND", value_parser = PossibleValuesParser::new(kinds()))]
    kinds: Vec<String>,
    #[command(flatten)]
    device: DeviceArg,
    /// Train a model instead, and compare every step of its plan with its twin on the same inputs: shows the first
    /// step that exceeds its error bound
    #[arg(long, value_name = "tutorial|FILE.toml", conflicts_with = "kinds")]
    trace: Option<ModelSource>,
    /// Verify a changed copy of a file in `shaders` that has kept its name: every kernel that the file is part of runs with the copy in
    /// its place. Nothing is built
    #[arg(long, value_name = "FILE.wgsl", conflicts_with_all = ["kinds", "trace"])]
    shader: Option<PathBuf>,
    /// Training steps to trace
    #[arg(long, value_name = "N", default_value = "3", value_parser = count, requires = "trace")]
    steps: usize,
    #[command(flatten)]
    fuse: FuseArg,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Verifies; the exit code is 1 when any kernel fails.
pub fn run(args: &VerifyArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    // Kernels are what there is to verify, so that even a software adapter comes before the CPU executor.
    let (device, why) = match &args.device.device {
        DeviceChoice::Auto => {
            check_failures()?;
            Device::adapter().with_context(|| {
                format!(
                    "there is no device whose kernels could be verified: {}; --device cpu verifies the CPU executor",
                    how_to_get_an_adapter()
                )
            })?
        }
        named => Device::open(named)?,
    };
    if let Device::Reference = device {
        bail!(
            "--device reference cannot be verified: it runs the twins that all other devices are compared with; \
             choose an adapter or --device cpu"
        );
    }
    if !args.json {
        output.line(format_args!("Device: {why}\n"))?;
    }
    if let Some(model) = &args.trace {
        let Device::Gpu(gpu) = &device else {
            bail!("--trace compares the kernels of an adapter: choose one of `shadegrad devices`");
        };
        let job = TraceJob { model, steps: args.steps, fuse: &args.fuse, json: args.json };
        return job.run(&device, gpu, output);
    }
    let shader = args.shader.as_deref().map(changed_shader::read).transpose()?;
    let spinner = spinner(String::new());
    let mut done = 0;
    let wanted = |kind: &str| args.kinds.is_empty() || args.kinds.iter().any(|wanted| wanted == kind);
    let mut on_row = |row: &VerifyRow| {
        done += 1;
        spinner.set_message(format!("{done} cases: {} {}, {}", row.kind, row.variant, row.case));
    };
    let report = match (&device, shader) {
        (Device::Gpu(gpu), Some((file, text))) => {
            let report = verify_edited(gpu, file, text, &mut on_row)?;
            ensure!(
                !report.rows.is_empty(),
                "{} runs no kernel of shaders/{file}; --device hardware:... runs those of GPUs on any adapter, --device web:... those \
                 of browsers",
                report.device
            );
            report
        }
        (Device::Gpu(gpu), None) => verify(gpu, &wanted, &mut on_row)?,
        (_, Some(_)) => bail!("the CPU executor runs no shaders; choose an adapter of `shadegrad devices`"),
        (Device::Cpu | Device::Reference, None) => verify_cpu(&wanted, &mut on_row),
    };
    spinner.finish_and_clear();
    tell_uncompared(&args.kinds, &report)?;
    output.line(if args.json { serde_json::to_string_pretty(&report)? } else { text(&report) })?;
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says which kinds were asked for and not compared: the CPU executor runs their twins, which others are held against.
///
/// # Errors
/// Where nothing was compared: that is no success.
fn tell_uncompared(wanted: &[String], report: &VerifyReport) -> anyhow::Result<()> {
    let is_compared = |kind: &&String| report.rows.iter().any(|row| row.kind == kind.as_str());
    let uncompared: Vec<&str> = wanted.iter().filter(|kind| !is_compared(kind)).map(String::as_str).collect();
    if uncompared.is_empty() {
        return Ok(());
    }
    let why = format!(
        "nothing to compare of {}: {} has no kernels of its own for that and runs plain Rust, which others are compared with",
        uncompared.join(", "),
        report.device
    );
    ensure!(!report.rows.is_empty(), "{why}; choose an adapter of `shadegrad devices`");
    note(format_args!("note: {why}"));
    Ok(())
}

/// Every kind that has a case.
fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<_> = cases().iter().map(|case| case.op.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// A line per kernel, every failure in full, the verdict.
fn text(report: &VerifyReport) -> String {
    let kernels = by_kernel(&report.rows);
    let mut text = table(&kernels);
    let failed: Vec<_> = report.rows.iter().filter(|row| !row.passed).collect();
    for row in &failed {
        text += &format!("\n\n{}", failure(row));
    }
    let broken = kernels.iter().filter(|rows| rows.iter().any(|row| !row.passed)).count();
    let (comparisons, all, device) = (report.rows.len(), kernels.len(), &report.device);
    let verdict = if report.passed() {
        format!("passed: {comparisons} comparisons of {all} kernels on {device}")
    } else {
        format!(
            "FAILED: {} of {comparisons} comparisons, {broken} of {all} kernels on {device}; do not trust what this \
             device trains: update its driver, or use another device or --device cpu",
            failed.len(),
        )
    };
    format!("{text}\n\n{verdict}")
}

/// The rows of each kind and variant, in order of first appearance.
fn by_kernel(rows: &[VerifyRow]) -> Vec<Vec<&VerifyRow>> {
    let mut kernels: Vec<Vec<&VerifyRow>> = Vec::new();
    for row in rows {
        let same =
            kernels.iter_mut().find(|known| known[0].kind == row.kind && known[0].variant == row.variant);
        match same {
            Some(known) => known.push(row),
            None => kernels.push(vec![row]),
        }
    }
    kernels
}

/// Error as a share of its bound: 0 for no error, infinite where none is allowed or the error is not finite.
fn share(row: &VerifyRow) -> f64 {
    match row.largest_error {
        0.0 => 0.0,
        error if !error.is_finite() || row.bound <= 0.0 => f64::INFINITY,
        error => error / row.bound,
    }
}

fn table(kernels: &[Vec<&VerifyRow>]) -> String {
    use Align::{Left, Right};
    let headings = [
        ("Kernel", Left),
        ("Variant", Left),
        ("Comparisons", Right),
        ("Largest error", Right),
        ("Bound", Right),
        ("Of bound", Right),
        ("Result", Left),
    ];
    let rows: Vec<_> = kernels.iter().filter_map(|rows| line(rows)).collect();
    render(headings, &rows)
}

/// The line of one kernel: the row that comes closest to its bound, or exceeds it most.
fn line(rows: &[&VerifyRow]) -> Option<[String; 7]> {
    let worst = rows.iter().max_by(|a, b| share(a).total_cmp(&share(b)))?;
    let failed = rows.iter().filter(|row| !row.passed).count();
    let number = |number: f64, none: &str| {
        if number == 0.0 { none.to_owned() } else { format!("{number:.2e}") }
    };
    let (error, bound) = (number(worst.largest_error, "0"), number(worst.bound, "exact"));
    let of_bound = match share(worst) {
        share if share.is_finite() => format!("{:.1} %", 100.0 * share),
        _ => "beyond".to_owned(),
    };
    let result = if failed == 0 { "pass".to_owned() } else { format!("FAIL ({failed})") };
    let VerifyRow { kind, variant, .. } = worst;
    Some([kind.to_string(), variant.to_string(), rows.len().to_string(), error, bound, of_bound, result])
}

/// One failed comparison in full.
fn failure(row: &VerifyRow) -> String {
    let VerifyRow { kind, variant, case, checks, output, largest_error, bound, problem, .. } = row;
    let mut text = format!(
        "FAIL {kind} {variant}: {case}, runtime checks {checks}, output `{output}`: \
         largest error {largest_error:e}, bound {bound:e}"
    );
    if let Some(problem) = problem {
        text += &format!("\n     {problem}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &'static str, largest_error: f64, bound: f64) -> VerifyRow {
        let passed = largest_error <= bound;
        VerifyRow {
            kind,
            variant: "scalar",
            case: "3x4".to_owned(),
            checks: "on",
            output: "y".to_owned(),
            largest_error,
            bound,
            passed,
            problem: (!passed).then(|| "element 5 is 7, expected 4".to_owned()),
        }
    }

    #[test]
    fn a_kernel_shows_the_row_nearest_to_its_bound() {
        let rows = vec![row("matmul", 2e-6, 8e-6), row("one_hot", 0.0, 0.0), row("matmul", 1e-6, 2e-6)];
        let text = text(&VerifyReport { device: "d".to_owned(), rows });
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(lines[1], ["matmul", "scalar", "2", "1.00e-6", "2.00e-6", "50.0", "%", "pass"]);
        assert_eq!(lines[2], ["one_hot", "scalar", "1", "0", "exact", "0.0", "%", "pass"]);
        assert!(text.ends_with("\n\npassed: 3 comparisons of 2 kernels on d"), "{text}");
    }

    #[test]
    fn failures_are_told_in_full() {
        let rows = vec![row("matmul", 1e-6, 2e-6), row("matmul", f64::NAN, 2e-6), row("one_hot", 1.0, 0.0)];
        let text = text(&VerifyReport { device: "d".to_owned(), rows });
        for expected in [
            "beyond  FAIL (1)",
            "FAIL matmul scalar: 3x4, runtime checks on, output `y`: largest error NaN, bound 2e-6",
            "FAIL one_hot scalar: 3x4, runtime checks on, output `y`: largest error 1e0, bound 0e0",
            "element 5 is 7, expected 4",
            "FAILED: 2 of 3 comparisons, 2 of 2 kernels on d",
        ] {
            assert!(text.contains(expected), "{expected:?} is missing from\n{text}");
        }
    }
}
