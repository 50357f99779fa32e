//! Does this device compute what the plan says? Every kernel against its twin, on every case of one table.
//!
//! [`verify`] runs each case of [`cases`] on each kernel that fits it, as training does without the shader compiler's
//! checks, some of each kernel's cases also with them, and compares every element with the twin in f64. Arguments lie
//! between guard bands inside over-long bindings; outputs hold NaN before; what no kernel may read holds 1e30.
//!
//! Cases, inputs and bounds stand with the ops, in [`crate::ops`]; a row that is added to an op is run without further ado.

mod band;
mod bench;
mod case;
mod compare;
mod follow;
mod host;
mod race;
mod trace;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use serde::Serialize;

use crate::gpu::{AdapterClass, Checks, Gpu, GpuError, Kernel, variants};
use crate::ops::kit::{Access, Argument, Expected, Source};
pub use crate::ops::{Numbers, Wire, cases};
use band::Band;
use bench::Bench;
pub use case::Case;
use compare::Finding;
pub use follow::{After, FollowedArgument, FollowedElement, FollowedStep, follow};
pub use host::verify_cpu;
pub use race::Outcome;
pub(crate) use race::race;
pub use trace::{TraceInput, TracedStep, trace};

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
    /// One row for each case, kernel and mode that was run, in the order of the cases.
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
/// Only kinds that `wanted` says yes to are run; a case's numbers depend neither on which others are nor on the cases of other
/// kinds.
///
/// A kernel that the driver refuses is a row that did not pass. Two cases run at a time, the second on a device of its
/// own on the same adapter: some drivers compile on the thread that serves the queue, and compiling takes most of the time.
///
/// # Errors
/// When the device is lost, out of memory or does not answer.
pub fn verify(
    gpu: &Gpu,
    wanted: &(dyn Fn(&str) -> bool + Sync),
    on_row: &mut dyn FnMut(&VerifyRow),
) -> Result<VerifyReport, GpuError> {
    verify_all(gpu, What { wanted, edit: None }, on_row)
}

/// [`verify`] for a shader that somebody has changed: the kernels that one file under `shaders/` is part of, with this text in place of its
/// own, always with the shader compiler's checks. The report is empty, and so not passed, where no kernel of the adapter has that file.
///
/// The text is kept until the program ends.
///
/// # Errors
/// As [`verify`].
pub fn verify_edited(
    gpu: &Gpu,
    file: &str,
    text: String,
    on_row: &mut dyn FnMut(&VerifyRow),
) -> Result<VerifyReport, GpuError> {
    let is_of_file = |kernel: &Kernel| has_file(kernel, file);
    let kinds: HashSet<&str> = cases()
        .iter()
        .flat_map(|case| variants(&case.op, gpu.class()).find(is_of_file))
        .map(|kernel| kernel.kind)
        .collect();
    let edit = Source { file: file.to_owned().leak(), text: text.leak() };
    verify_all(gpu, What { wanted: &|kind| kinds.contains(kind), edit: Some(edit) }, on_row)
}

/// Whether a kernel's text has this file in it.
fn has_file(kernel: &Kernel, file: &str) -> bool {
    kernel.files().iter().any(|source| source.file == file)
}

/// Which cases are run, and on what.
#[derive(Clone, Copy)]
struct What<'a> {
    /// The kinds.
    wanted: &'a (dyn Fn(&str) -> bool + Sync),
    /// A file with another text: its kernels alone are run.
    edit: Option<Source>,
}

fn verify_all(
    gpu: &Gpu,
    what: What<'_>,
    on_row: &mut dyn FnMut(&VerifyRow),
) -> Result<VerifyReport, GpuError> {
    let table = cases();
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut rows: Vec<Vec<VerifyRow>> = vec![Vec::new(); table.len()];
    let mut take = |told: Told| {
        let (number, row) = told?;
        on_row(&row);
        rows[number].push(row);
        Ok(())
    };
    thread::scope(|scope| {
        let second = sender.clone();
        let (table, next) = (&table, &next);
        let by_thread = move || work(gpu, table, what, next, &mut |told| sender.send(told).is_ok());
        if thread::Builder::new().spawn_scoped(scope, by_thread).is_err() {
            // There are no threads in a browser.
            let mut taken = Ok(());
            work(gpu, table, what, next, &mut |told| {
                taken = take(told);
                taken.is_ok()
            });
            return taken;
        }
        // One device does it as well, more slowly.
        scope.spawn(move || {
            let tell = &mut |told| second.send(told).is_ok();
            gpu.sibling().map(|gpu| work(&gpu, table, what, next, tell))
        });
        for told in receiver {
            if let Err(error) = take(told) {
                // Nobody takes another case.
                next.store(table.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    })?;
    Ok(VerifyReport { device: gpu.title(), rows: rows.concat() })
}

/// What a worker tells: the number of a case and a row of it, or why it cannot go on.
type Told = Result<(usize, VerifyRow), GpuError>;

/// Takes cases until there are none left, or nobody listens.
fn work(gpu: &Gpu, table: &[Case], what: What<'_>, next: &AtomicUsize, tell: &mut dyn FnMut(Told) -> bool) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= table.len() {
            return;
        }
        if !(what.wanted)(table[number].op.kind()) {
            continue;
        }
        let mut heard = true;
        let done = verify_case(gpu, table, (number, what.edit), &mut |row| heard &= tell(Ok((number, row))));
        if let Err(error) = done {
            // Whoever listened may have left with the other worker's error.
            tell(Err(error));
            return;
        }
        if !heard {
            return;
        }
    }
}

/// How many cases of each kernel run with checks, beside the folded ones.
const CHECKED_CASES: usize = 3;

/// Whether a kernel runs the case with this number with checks as well. Kernels that hold a tile or a block in the registers
/// of a subgroup do so once: with checks their loops stay loops, and some drivers take many seconds to compile one.
fn is_checked(table: &[Case], number: usize, kernel: &Kernel) -> bool {
    let fits = |case: &Case| case.op.kernels().iter().any(|other| other.variant == kernel.variant);
    let runs = |case: &&Case| case.op.kind() == kernel.kind && fits(case);
    let before = table[..number].iter().filter(runs).count();
    match kernel.lanes {
        Some(_) => before == 0,
        None => table[number].folded || before < CHECKED_CASES,
    }
}

/// Whether a kernel differs from another one that the device prefers in nothing but how floats are loaded, and has run cases
/// enough: compiling it takes long.
fn is_spare(table: &[Case], number: usize, kernel: &Kernel, class: AdapterClass) -> bool {
    let mut preferred =
        variants(&table[number].op, class).take_while(|other| other.variant != kernel.variant);
    let twin = |other: Kernel| other.source == kernel.source && other.lanes == kernel.lanes;
    if kernel.lanes.is_none() || !preferred.any(twin) {
        return false;
    }
    let fits = |case: &Case| case.op.kernels().iter().any(|other| other.variant == kernel.variant);
    let runs = |case: &&Case| case.op.kind() == kernel.kind && fits(case);
    table[..number].iter().filter(runs).count() >= CHECKED_CASES
}

/// Runs the case with this number on every kernel that fits it.
fn verify_case(
    gpu: &Gpu,
    table: &[Case],
    (number, edit): (usize, Option<Source>),
    on_row: &mut dyn FnMut(VerifyRow),
) -> Result<(), GpuError> {
    let case = &table[number];
    let runs = |kernel: &Kernel| edit.is_none_or(|edit| has_file(kernel, edit.file));
    if edit.is_some() && !variants(&case.op, gpu.class()).any(|kernel| runs(&kernel)) {
        return Ok(());
    }
    let arguments = case_arguments(table, number);
    let expected = match case.expect(&arguments) {
        Ok(expected) => expected,
        Err(error) => {
            on_row(row(case, "none", "", failure(error.to_string())));
            return Ok(());
        }
    };
    let bands = lay_out(&arguments);
    drop(arguments);
    let bench = Bench::new(gpu, case, &bands)?;
    let mut kernels = variants(&case.op, gpu.class()).peekable();
    if kernels.peek().is_none() {
        on_row(row(case, "none", "", failure("no kernel fits".to_owned())));
    }
    for mut kernel in kernels.filter(|kernel| runs(kernel) && !is_spare(table, number, kernel, gpu.class())) {
        let modes = [(Checks::On, "on"), (Checks::Off, "off")];
        let modes = match edit {
            None => &modes[usize::from(!is_checked(table, number, &kernel))..],
            // Without checks only what was written for it is run.
            Some(_) => {
                kernel.changed = edit;
                &modes[..1]
            }
        };
        for (checks, name) in modes {
            let finding = run(&bench, &kernel, *checks, &bands, &expected)?;
            on_row(row(case, kernel.variant, name, finding));
        }
    }
    Ok(())
}

/// The arguments of the case with this number.
fn case_arguments(table: &[Case], number: usize) -> Vec<Argument> {
    let case = &table[number];
    let of_kind = table[..number].iter().filter(|other| other.op.kind() == case.op.kind()).count();
    case.arguments(of_kind as u32)
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
    match bench.ready(kernel, checks).and_then(|ready| bench.run(&ready)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::ModelFile;
    use crate::model::Loss;
    use crate::ops::MAX_ITERATIONS;
    use crate::plan::Plan;
    use bench::side_of_square;

    #[test]
    fn every_kernel_is_run_in_folded_groups() {
        let mut left = HashSet::new();
        let mut folded = HashSet::new();
        for case in cases() {
            for kernel in case.op.kernels() {
                left.insert(kernel.title());
                if case.folded && kernel.groups(side_of_square(&kernel))[1] > 1 {
                    folded.insert(kernel.title());
                }
            }
        }
        left.retain(|title| !folded.contains(title));
        // These are a single group by design.
        let single = ["_metrics (", "_softmax_cross_entropy (", "add_penalty ("];
        left.retain(|title| !single.iter().any(|part| title.contains(part)));
        assert!(left.is_empty(), "no folded case of {left:?}");
    }

    #[test]
    fn every_step_of_the_tutorial_is_a_case() {
        let table = cases();
        let file = ModelFile::tutorial().unwrap();
        let network = file.model.network().unwrap();
        let plan = Plan::build(&network, Loss::default(), file.optimizer, 64).unwrap();
        let fused = plan.clone().fuse();
        for step in plan.steps.iter().chain(&fused.steps) {
            assert!(table.iter().any(|case| case.op == step.op), "{}: {:?}", step.name, step.op);
        }
    }

    #[test]
    fn names_are_unique_and_loops_short_enough() {
        let mut seen = HashSet::new();
        for case in cases() {
            let name = format!("{}: {}", case.op.kind(), case.name());
            assert!(case.op.longest_loop() <= MAX_ITERATIONS, "{name}");
            assert!(seen.insert(name.clone()), "twice: {name}");
        }
    }
}
