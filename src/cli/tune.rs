//! `--tune`: the fastest kernel for each step, measured now or known from an earlier run.

use super::kernel_times::{Entry, KernelTimes};
use super::output::note;
use super::progress::spinner;
use super::table::{Align, render};
use crate::device::Device;
use crate::gpu::{Gpu, GpuError};
use crate::plan::Plan;
use crate::tune::{Candidate, Trial, WORTHWHILE, choices, fastest, trials};
use crate::verify::Outcome;

/// Printed where there is no value.
const NONE: &str = "-";

/// `--tune`.
#[derive(Debug, clap::Args)]
pub struct TuneArg {
    /// Measure every kernel that can run a step on this adapter, and use the fastest; the times are kept in the user's
    /// cache folder. Results may differ in their last bits from those without this flag, and between machines
    #[arg(long)]
    tune: bool,
}

impl TuneArg {
    /// Whether it was given.
    pub fn asked(&self) -> bool {
        self.tune
    }
}

/// What is known of each step that several kernels can run.
#[derive(Debug)]
pub struct Tuning {
    steps: Vec<(Trial, Vec<Candidate>)>,
}

impl TuneArg {
    /// The device with the fastest kernels for a plan, if `--tune` is given; otherwise nothing is measured or read.
    pub fn apply(&self, device: Device, plan: &Plan) -> anyhow::Result<(Device, Option<Tuning>)> {
        let gpu = match &device {
            Device::Gpu(gpu) if self.tune => gpu,
            Device::Cpu | Device::Reference if self.tune => {
                note(
                    "note: --tune has no effect on the CPU executor, which has only one way to compute each step; \
                     --device software has kernels to tune",
                );
                return Ok((device, None));
            }
            _ => return Ok((device, None)),
        };
        let tuning = Tuning::of(gpu, plan)?;
        tuning.warn();
        let pairs = tuning.steps.iter().map(|(trial, candidates)| (trial, candidates.as_slice()));
        Ok((device.choosing(choices(pairs)), Some(tuning)))
    }
}

impl Tuning {
    /// Takes from the file what it knows, and measures the rest.
    fn of(gpu: &Gpu, plan: &Plan) -> anyhow::Result<Self> {
        let (mut times, problem) = KernelTimes::open();
        let spinner = spinner("measuring kernels".to_owned());
        let (mut steps, mut measured, mut problems) = (Vec::new(), 0, Vec::new());
        problems.extend(problem);
        for trial in trials(gpu, plan) {
            spinner.set_message(format!("measuring the kernels of {}", trial.step));
            let key = trial.key(gpu);
            if let Some(known) = times.get(&key).filter(|known| trial.accepts(known)) {
                let known = known.to_vec();
                steps.push((trial, known));
                continue;
            }
            let candidates = match trial.measure(gpu) {
                Ok(candidates) => candidates,
                // With its guard regions a binding may be too long that just fits without them.
                Err(error @ GpuError::Limit { .. }) => {
                    problems.push(format!("{} keeps its default kernel: {error}", trial.step));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            measured += 1;
            let (step, kind) = (trial.step.clone(), trial.op.kind().to_owned());
            times.insert(key, Entry { device: gpu.title(), step, kind, candidates: candidates.clone() });
            steps.push((trial, candidates));
        }
        spinner.finish_and_clear();
        problems.extend(times.save().err());
        for problem in problems {
            note(format_args!("warning: {problem}"));
        }
        let tuning = Tuning { steps };
        note(tuning.summary(measured));
        Ok(tuning)
    }

    fn summary(&self, measured: usize) -> String {
        let others = self.steps.iter().filter(|(_, candidates)| {
            fastest(candidates).map(|best| &best.variant) != candidates.first().map(|first| &first.variant)
        });
        format!(
            "Tuned: {} of {} steps run another kernel than by default; {measured} measured now, {} known before",
            others.count(),
            self.steps.len(),
            self.steps.len() - measured
        )
    }

    /// Prints what was left out, and why.
    fn warn(&self) {
        for (trial, candidates) in &self.steps {
            for Candidate { variant, outcome } in candidates {
                let kernel = format!("{} ({variant})", trial.op.kind());
                match outcome {
                    Outcome::Milliseconds(_) => {}
                    Outcome::Refused(reason) => note(format_args!("note: {kernel} is left out: {reason}")),
                    Outcome::Differs(problem) => note(format_args!(
                        "warning: {kernel} computes another result than its twin in step {}, and its time does not \
                         count: {problem}; `shadegrad verify` tells more",
                        trial.step
                    )),
                }
            }
        }
    }

    /// Every candidate with its time, and which one is used.
    pub fn text(&self) -> String {
        use Align::{Left, Right};
        let headings = [("Step", Left), ("Kernel", Left), ("Variant", Left), ("ms", Right), ("", Left)];
        let mut rows = Vec::new();
        for (trial, candidates) in &self.steps {
            let chosen = fastest(candidates).map(|best| best.variant.as_str());
            for (place, candidate) in candidates.iter().enumerate() {
                let names = if place == 0 { [trial.step.as_str(), trial.op.kind()] } else { ["", ""] };
                let [step, kind] = names.map(str::to_owned);
                let (ms, remark) = match &candidate.outcome {
                    Outcome::Milliseconds(ms) => (format!("{ms:.4}"), ""),
                    Outcome::Refused(_) => (NONE.to_owned(), "refused by the driver"),
                    Outcome::Differs(_) => (NONE.to_owned(), "differs from its twin"),
                };
                let runs = if chosen == Some(&candidate.variant) { "runs" } else { "" };
                let default = if place == 0 { "default" } else { "" };
                let remarks: Vec<_> =
                    [default, runs, remark].into_iter().filter(|text| !text.is_empty()).collect();
                rows.push([step, kind, candidate.variant.clone(), ms, remarks.join(", ")]);
            }
        }
        format!(
            "Kernels measured; the default runs unless another takes at least {:.0} % less\n\n{}",
            100.0 * WORTHWHILE,
            render(headings, &rows)
        )
    }
}
