//! A profile as a table and as JSON: the time of each step, and how it compares with the best of the adapter.

use serde::Serialize;

use super::output::note;
use super::table::{Align, render};
use crate::device::Device;
use crate::gpu::Roofs;
use crate::model::thousands;
use crate::plan::{Phase, Plan, Step};
use crate::profile::Profile;

/// Images of the epoch whose time is printed: those of the MNIST training set.
const EPOCH: usize = 60_000;
/// The longest names that are shown in full, in columns: the table stays within 120.
const STEP_COLUMNS: usize = 31;
const KERNEL_COLUMNS: usize = 27;
/// Printed where there is no value.
const NONE: &str = "-";

/// Everything that is known about the time of a training step.
#[derive(Debug, Serialize)]
pub struct Report {
    pub model: String,
    pub device: String,
    pub batch_size: usize,
    /// How the times of steps were taken.
    pub clock: String,
    /// The number of batches that each time is the median of.
    pub samples: usize,
    pub roofs: Option<RoofFigures>,
    /// In plan order.
    pub steps: Vec<Row>,
    /// All steps together.
    pub kernels: Figures,
    /// Time between batches that no step accounts for; never below 0.
    pub gaps_ms: Option<f64>,
    /// The host's work for one batch, in parallel with the device's.
    pub encode_ms: Option<f64>,
    pub submit_ms: Option<f64>,
    /// From one batch to the next, as in training; where every batch was measured step by step, the sum of the steps.
    pub step_ms: f64,
    pub images_per_second: f64,
    /// For an epoch of 60,000 images.
    pub epoch_seconds: f64,
}

/// The best rates of the adapter.
#[derive(Debug, Serialize)]
pub struct RoofFigures {
    /// Of multiply-adds, each counted as two operations.
    pub gflops: f64,
    /// Of copying, reads and writes together.
    pub gbps: f64,
}

/// One step.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: String,
    pub kind: &'static str,
    pub variant: &'static str,
    #[serde(flatten)]
    pub figures: Figures,
}

/// The values for one step, and for all together.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub ms: f64,
    pub flops: u64,
    pub bytes: u64,
    pub gflops: f64,
    pub gbps: f64,
    /// Share of the whole step, 1 for all of it.
    pub share: f64,
    /// The least time that the adapter needs at its best rates, as a share of the time taken.
    pub of_roof: Option<f64>,
}

impl Report {
    /// The report of a profile.
    pub fn new(plan: &Plan, device: &Device, profile: &Profile, roofs: Option<Roofs>) -> Self {
        let ran: Vec<(&Step, f64)> = plan
            .steps_of(Phase::Train)
            .filter_map(|(index, step)| Some((step, profile.step(index)?)))
            .collect();
        let kernels: f64 = ran.iter().map(|(_, seconds)| seconds).sum();
        let whole = profile.whole();
        let all = whole.map_or(kernels, |whole| whole.max(kernels));
        let figures = |costs: &[(u64, u64)], seconds: f64| figures(costs, seconds, all, roofs.as_ref());
        let costs = |step: &Step| (step.op.flops(), plan.step_bytes(step));
        let steps: Vec<Row> = ran
            .iter()
            .map(|&(step, seconds)| Row {
                name: step.name.clone(),
                kind: step.op.kind(),
                variant: device.kernel(&step.op),
                figures: figures(&[costs(step)], seconds),
            })
            .collect();
        let all_costs: Vec<_> = ran.iter().map(|(step, _)| costs(step)).collect();
        let step_seconds = whole.unwrap_or(kernels);
        Report {
            model: plan.network.name.clone(),
            device: device.title(),
            batch_size: plan.batch,
            clock: profile.clock().to_string(),
            samples: profile.samples(),
            roofs: roofs.map(|roofs| RoofFigures { gflops: roofs.flops / 1e9, gbps: roofs.bytes / 1e9 }),
            steps,
            kernels: figures(&all_costs, kernels),
            gaps_ms: whole.map(|whole| 1e3 * (whole - kernels).max(0.0)),
            encode_ms: profile.encode().map(|seconds| 1e3 * seconds),
            submit_ms: profile.submit().map(|seconds| 1e3 * seconds),
            step_ms: 1e3 * step_seconds,
            images_per_second: ratio(plan.batch as f64, step_seconds),
            epoch_seconds: step_seconds * EPOCH.div_ceil(plan.batch) as f64,
        }
    }

    /// A table of at most 120 columns, and the values of a whole step below it.
    pub fn text(&self) -> String {
        let mut lines = vec![format!(
            "Training step of model \"{}\" in batches of {}; times are medians of {}, by {}",
            self.model, self.batch_size, self.samples, self.clock
        )];
        lines.extend(self.roofs.as_ref().map(|roofs| {
            format!(
                "Best of this adapter: {:.1} GFLOP/s of multiply-adds, {:.1} GB/s of copying",
                roofs.gflops, roofs.gbps
            )
        }));
        lines.push(format!("\n{}\n", self.table()));
        lines.push(format!(
            "{} ms per step, {} images/s, {:.1} s for an epoch of {}",
            milliseconds(self.step_ms),
            thousands(self.images_per_second as usize),
            self.epoch_seconds,
            thousands(EPOCH)
        ));
        lines.join("\n")
    }

    fn table(&self) -> String {
        use Align::{Left, Right};
        let headings = [
            ("Step", Left),
            ("Kernel", Left),
            ("Variant", Left),
            ("ms", Right),
            ("GFLOP/s", Right),
            ("GB/s", Right),
            ("Share", Right),
            ("Of best", Right),
        ];
        let mut rows: Vec<_> = self
            .steps
            .iter()
            .map(|row| {
                line(
                    [&clip(&row.name, STEP_COLUMNS), &clip(row.kind, KERNEL_COLUMNS), row.variant],
                    &row.figures,
                )
            })
            .collect();
        rows.push(line(["all steps", "", ""], &self.kernels));
        let alone = |name: &str, ms: Option<f64>, share: String| {
            let ms = ms.map_or(NONE.to_owned(), milliseconds);
            let [none, kernel, variant] = [NONE, "", ""].map(str::to_owned);
            [name.to_owned(), kernel, variant, ms, none.clone(), none.clone(), share, none]
        };
        let gaps = self.gaps_ms.map(|ms| percent(ratio(ms, ms + self.kernels.ms)));
        rows.push(alone("gaps between steps", self.gaps_ms, gaps.unwrap_or(NONE.to_owned())));
        if self.encode_ms.is_some() {
            rows.push(alone("host meanwhile: encode", self.encode_ms, NONE.to_owned()));
            rows.push(alone("host meanwhile: submit", self.submit_ms, NONE.to_owned()));
        }
        render(headings, &rows)
    }
}

/// The best rates of an adapter; `None` for the CPU executor, and where the probes fail, with a warning on standard
/// error.
pub fn roofs(device: &Device) -> Option<Roofs> {
    let Device::Gpu(gpu) = device else { return None };
    Roofs::measure(gpu)
        .map_err(|error| {
            note(format_args!("warning: the best rates of the adapter could not be measured: {error}"))
        })
        .ok()
}

/// The values of steps with these FLOPs and bytes; `all` is the time of all steps in seconds.
fn figures(costs: &[(u64, u64)], seconds: f64, all: f64, roofs: Option<&Roofs>) -> Figures {
    let flops = costs.iter().map(|(flops, _)| flops).sum();
    let bytes = costs.iter().map(|(_, bytes)| bytes).sum();
    let least = |roofs: &Roofs| costs.iter().map(|&(flops, bytes)| roofs.seconds(flops, bytes)).sum::<f64>();
    Figures {
        ms: 1e3 * seconds,
        flops,
        bytes,
        gflops: ratio(flops as f64, seconds) / 1e9,
        gbps: ratio(bytes as f64, seconds) / 1e9,
        share: ratio(seconds, all),
        of_roof: roofs.map(|roofs| ratio(least(roofs), seconds)),
    }
}

/// `a / b`; 0 where `b` was too short to be measured.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

fn line(names: [&str; 3], figures: &Figures) -> [String; 8] {
    let Figures { ms, flops, gflops, gbps, share, of_roof, .. } = *figures;
    let [step, kernel, variant] = names.map(str::to_owned);
    let gflops = if flops == 0 { NONE.to_owned() } else { format!("{gflops:.1}") };
    let of_roof = of_roof.map_or(NONE.to_owned(), percent);
    [step, kernel, variant, milliseconds(ms), gflops, format!("{gbps:.1}"), percent(share), of_roof]
}

fn milliseconds(ms: f64) -> String {
    format!("{ms:.4}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A name, cut to this many characters.
fn clip(name: &str, columns: usize) -> String {
    if name.chars().count() <= columns {
        return name.to_owned();
    }
    name.chars().take(columns - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_one_step_and_of_all() {
        let roofs = Roofs { flops: 4e9, bytes: 1e9 };
        // Bound by its operations: 2 GFLOP in 1 s of the possible 4 GFLOP/s.
        let one = figures(&[(2_000_000_000, 100)], 1.0, 4.0, Some(&roofs));
        assert_eq!((one.ms, one.gflops, one.share, one.of_roof), (1000.0, 2.0, 0.25, Some(0.5)));
        // Each step has its own bound: 0.5 s of operations, then 1 s of bytes.
        let both = figures(&[(2_000_000_000, 0), (0, 1_000_000_000)], 3.0, 3.0, Some(&roofs));
        assert_eq!((both.gbps, both.of_roof), (1.0 / 3.0, Some(0.5)));
        let unmeasured = figures(&[(5, 5)], 0.0, 1.0, None);
        assert_eq!((unmeasured.gflops, unmeasured.of_roof), (0.0, None));
    }

    #[test]
    fn long_names_are_clipped() {
        assert_eq!([clip("abcd", 4), clip("abcde", 4)], ["abcd", "abc…"]);
    }
}
