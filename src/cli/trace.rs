//! `verify --trace`: where training on a device departs from its plan.

use std::process::ExitCode;

use super::args::{FuseArg, ModelSource};
use super::bench::data;
use super::output::{Output, note, warn_of_loss};
use super::progress::spinner;
use super::table::{Align, render};
use crate::data::batches::epoch_order;
use crate::device::Device;
use crate::gpu::Gpu;
use crate::io::ModelFile;
use crate::plan::BatchParams;
use crate::random::words;
use crate::verify::{TraceInput, TracedStep, trace};

/// The seed of the weights, the order and the draws.
pub(super) const SEED: u64 = 0;

/// What to trace.
pub struct TraceJob<'a> {
    pub model: &'a ModelSource,
    /// Training steps.
    pub steps: usize,
    pub fuse: &'a FuseArg,
    pub json: bool,
}

impl TraceJob<'_> {
    /// Traces training; the exit code is 1 when a step exceeds its bound.
    pub fn run(&self, device: &Device, gpu: &Gpu, output: &mut Output) -> anyhow::Result<ExitCode> {
        let file = self.model.read()?;
        warn_of_loss(&file)?;
        let network = file.model.network()?;
        let batch = file.training.batch_size;
        if file.training.micro_batches.is_some_and(|count| count > 1) {
            note("note: batches are traced as a whole; `micro_batches` of the model file is not used");
        }
        let plain = file.plan(batch)?;
        let plan = self.fuse.prepare(device, plain);
        let data = data(&network, batch)?;
        let order = epoch_order(data.len(), 0, Some(SEED));
        let transforms = file.transforms(SEED, &order);
        let rows = rows(&file, data.len(), batch, self.steps);
        let weights = network.initial_weights(SEED);
        let (weights, data, order) = (&weights, &data, &order);
        let input = TraceInput { weights, data, order, rows: &rows, transforms: &transforms };
        let spinner = spinner(String::new());
        let seen = trace(gpu, &plan, &input, &mut |step| {
            spinner.set_message(format!("training step {}: {}", step.training_step, step.step));
        })?;
        spinner.finish_and_clear();
        let parted = seen.iter().any(|step| step.problem.is_some());
        output.line(if self.json {
            serde_json::to_string_pretty(&seen)?
        } else {
            trace_text(&seen, &device.title())
        })?;
        Ok(if parted { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// Rows of the batch table as training fills them, with the rates of the model file's schedule; with few samples they are repeated.
pub(super) fn rows(file: &ModelFile, samples: usize, batch: usize, steps: usize) -> Vec<BatchParams> {
    let base = file.optimizer.learning_rate();
    let table = BatchParams::of_pass(samples, batch, base);
    let [seed_low, seed_high] = words(SEED);
    (0..steps)
        .map(|step| BatchParams {
            slot: step as u32,
            learning_rate: file.training.schedule.rate(step, base),
            number: step as u32,
            training: 1,
            guarded: 1,
            correction: file.optimizer.correction(step),
            seed_low,
            seed_high,
            ..table[step % table.len()]
        })
        .collect()
}

/// The worst case of each plan step over all training steps, then the verdict.
fn trace_text(seen: &[TracedStep], device: &str) -> String {
    let mut worst: Vec<&TracedStep> = Vec::new();
    let of_bound =
        |step: &TracedStep| if step.largest_error == 0.0 { 0.0 } else { step.largest_error / step.bound };
    for step in seen {
        match worst.iter_mut().find(|known| known.step == step.step) {
            Some(known) if of_bound(step) > of_bound(known) || step.problem.is_some() => *known = step,
            Some(_) => {}
            None => worst.push(step),
        }
    }
    let headings = [
        ("Step", Align::Left),
        ("Kernel", Align::Left),
        ("Variant", Align::Left),
        ("Output", Align::Left),
        ("Largest error", Align::Right),
        ("Bound", Align::Right),
        ("Of bound", Align::Right),
    ];
    let rows = worst.iter().map(|step| {
        [
            step.step.clone(),
            step.kind.to_owned(),
            step.variant.to_owned(),
            step.output.clone(),
            format!("{:.2e}", step.largest_error),
            format!("{:.2e}", step.bound),
            format!("{:.1} %", 1e2 * of_bound(step)),
        ]
    });
    let table = render(headings, &rows.collect::<Vec<_>>());
    let trained = seen.last().map_or(0, |step| step.training_step);
    let verdict = match seen.iter().find_map(|step| Some((step, step.problem.as_ref()?))) {
        Some((step, problem)) => format!(
            "FAILED in training step {}: `{}` ({}, {}) is the first step outside its bound: {problem}",
            step.training_step, step.step, step.kind, step.variant
        ),
        None => format!("passed: {trained} training steps on {device}, no step exceeded its bound"),
    };
    format!("{table}\n\n{verdict}")
}
