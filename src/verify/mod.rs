//! Does this device compute what the plan says? Every kernel against its twin, on every case of one table.
//!
//! [`verify`] runs each case of [`cases`] on each kernel that fits it, with the shader compiler's checks and without,
//! and compares every element with the twin in f64. Arguments lie between guard bands inside over-long bindings;
//! outputs hold NaN before; what no kernel may read holds 1e30.
//!
//! To add a step kind: a row in `cases`, its inputs in `inputs` where plain numbers will not do, and its bound in
//! `tolerance`. A kernel that is added to [`KERNELS`](crate::gpu::KERNELS) is run without further ado.

mod band;
mod bench;
mod case;
mod cases;
mod compare;
mod inputs;
mod reference;
mod softmax;
mod tolerance;

use serde::Serialize;

use crate::gpu::{Checks, Gpu, GpuError, Kernel, variants};
use crate::plan::Access;
use band::Band;
use bench::Bench;
#[cfg(test)]
use bench::side_of_square;
pub use case::{Case, Numbers};
pub use cases::cases;
use compare::Finding;
use inputs::Argument;
use reference::Expected;

/// How one kernel did on one case.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyRow {
    /// The step kind.
    pub kind: &'static str,
    /// The kernel's variant.
    pub variant: &'static str,
    /// The case; unique together with the kind.
    pub case: String,
    /// Whether the shader compiler's checks were `on` or `off`.
    pub checks: &'static str,
    /// The argument with the worst element: the one whose error takes the largest share of its bound.
    pub output: String,
    /// Error of that element; infinite (`null` in JSON) where no finite number came back.
    pub largest_error: f64,
    /// What is allowed there; 0 where the result must be exact.
    pub bound: f64,
    /// Whether all is well.
    pub passed: bool,
    /// What is not.
    pub problem: Option<String>,
}

/// How all kernels did.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// The device.
    pub device: String,
    /// One row for each case, kernel and mode, in the order of the table.
    pub rows: Vec<VerifyRow>,
}

impl VerifyReport {
    /// Whether every row passed, and there was one.
    pub fn passed(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.passed)
    }
}

/// Runs the whole table on a device; `on_row` sees each row as soon as it is there.
///
/// A kernel that the driver refuses is a row that did not pass.
///
/// # Errors
/// When the device is lost, out of memory or does not answer.
pub fn verify(gpu: &Gpu, on_row: &mut dyn FnMut(&VerifyRow)) -> Result<VerifyReport, GpuError> {
    let mut rows = Vec::new();
    for (case, number) in cases().iter().zip(0..) {
        verify_case(gpu, case, number, &mut |row| {
            on_row(&row);
            rows.push(row);
        })?;
    }
    Ok(VerifyReport { device: gpu.title(), rows })
}

/// Runs the case with this number in the table on every kernel that fits it, with checks and without.
fn verify_case(
    gpu: &Gpu,
    case: &Case,
    number: u32,
    on_row: &mut dyn FnMut(VerifyRow),
) -> Result<(), GpuError> {
    let arguments = inputs::arguments(case, number);
    let Some(expected) = reference::expect(case, &arguments) else {
        on_row(row(case, "none", "", failure("the twin does not take these arguments".to_owned())));
        return Ok(());
    };
    let bands = lay_out(&arguments);
    drop(arguments);
    let bench = Bench::new(gpu, case, &bands)?;
    let mut kernels = variants(&case.op, gpu.class()).peekable();
    if kernels.peek().is_none() {
        on_row(row(case, "none", "", failure("no kernel fits".to_owned())));
    }
    for kernel in kernels {
        for (checks, name) in [(Checks::On, "on"), (Checks::Off, "off")] {
            let finding = run(&bench, kernel, checks, &bands, &expected)?;
            on_row(row(case, kernel.variant, name, finding));
        }
    }
    Ok(())
}

fn lay_out(arguments: &[Argument]) -> Vec<Band> {
    let in_place = arguments.iter().any(|argument| argument.spec.access == Access::InOut);
    arguments.iter().zip(0..).map(|(argument, at)| Band::new(argument, at, in_place)).collect()
}

fn run(
    bench: &Bench<'_>,
    kernel: &Kernel,
    checks: Checks,
    bands: &[Band],
    expected: &[Expected],
) -> Result<Finding, GpuError> {
    match bench.run(kernel, checks) {
        Ok(got) => Ok(compare::judge(bands, expected, &got)),
        Err(error @ (GpuError::Kernel { .. } | GpuError::Limit { .. })) => Ok(failure(error.to_string())),
        Err(error) => Err(error),
    }
}

/// A run that gave nothing to compare.
fn failure(problem: String) -> Finding {
    Finding { name: "", error: f64::INFINITY, bound: 0.0, problem: Some(problem) }
}

fn row(case: &Case, variant: &'static str, checks: &'static str, finding: Finding) -> VerifyRow {
    VerifyRow {
        kind: case.op.kind(),
        variant,
        case: case.name(),
        checks,
        output: finding.name.to_owned(),
        largest_error: finding.error,
        bound: finding.bound,
        passed: finding.problem.is_none(),
        problem: finding.problem,
    }
}
