//! The fastest kernel for each step of a plan, by measuring. Opt-in, because measurements differ from one machine to
//! the next, and other kernels give other last bits.
//!
//! A kernel is a candidate if the step's op has a row for it that suits the adapter's class ([`variants`]), the driver
//! accepts it, and it computes the same as the twin, within the bounds of [`verify`](crate::verify). [`Choices`] then
//! bring it into a [`Device`](crate::Device) with `choosing`.

use serde::{Deserialize, Serialize};

use crate::data::sha256;
use crate::gpu::{AdapterClass, Choices, Gpu, GpuError, Kernel, choose, variants};
use crate::plan::{Op, Plan};
use crate::verify::{Outcome, race};

/// The share of the default kernel's time that another must save to replace it: less is noise, and not worth
/// different bits.
pub const WORTHWHILE: f64 = 0.05;

/// A step that several kernels can run.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The step's name; of several that are alike, the first one's.
    pub step: String,
    /// What it computes.
    pub op: Op,
    /// Where its arguments begin in their bindings, in 32-bit words; of each step that computes this.
    bases: Vec<Vec<usize>>,
    /// The candidates, the one that is taken without measuring first.
    kernels: Vec<Kernel>,
}

/// The result of a kernel in a [`Trial`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The kernel's variant.
    pub variant: String,
    /// Its result, over all steps that compute the same.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The steps of a plan that this adapter has several kernels for, each once.
pub fn trials(gpu: &Gpu, plan: &Plan) -> Vec<Trial> {
    let mut trials: Vec<Trial> = Vec::new();
    for step in &plan.steps {
        let bases = step.bases();
        match trials.iter_mut().find(|trial| trial.op == step.op) {
            Some(known) if known.bases.contains(&bases) => {}
            Some(known) => known.bases.push(bases),
            None => trials.push(Trial {
                step: step.name.clone(),
                op: step.op,
                bases: vec![bases],
                kernels: default_first(&step.op, gpu.class()),
            }),
        }
    }
    trials.retain(|trial| trial.kernels.len() > 1);
    trials
}

/// The table's choice, then the others in its order: that choice may pass over rows that others of its class run.
fn default_first(op: &Op, class: AdapterClass) -> Vec<Kernel> {
    let default = choose(op, class).map(|kernel| kernel.variant);
    let mut kernels: Vec<_> = variants(op, class).collect();
    kernels.sort_by_key(|kernel| Some(kernel.variant) != default);
    kernels
}

impl Trial {
    /// Identifies what is measured: the adapter, its driver, the step with its sizes, and the texts of all candidates
    /// with the places of their arguments. Another shader gives another key.
    pub fn key(&self, gpu: &Gpu) -> String {
        let per_dimension = gpu.limits().max_compute_workgroups_per_dimension;
        let texts = self.bases.iter().flat_map(|bases| {
            let text = move |kernel: &Kernel| kernel.text(bases, per_dimension);
            self.kernels.iter().map(text)
        });
        key(&gpu.title(), &self.op, &self.variants(), texts)
    }

    /// Runs all candidates.
    ///
    /// # Errors
    /// When the step does not fit the device, or it fails.
    pub fn measure(&self, gpu: &Gpu) -> Result<Vec<Candidate>, GpuError> {
        let mut outcomes = Vec::new();
        for bases in &self.bases {
            let found = race(gpu, self.op, bases, &self.kernels)?;
            outcomes =
                if outcomes.is_empty() { found } else { outcomes.into_iter().zip(found).map(both).collect() };
        }
        let variants = self.variants().into_iter().map(str::to_owned);
        Ok(variants.zip(outcomes).map(|(variant, outcome)| Candidate { variant, outcome }).collect())
    }

    /// Whether [`measure`](Self::measure) could have returned these.
    pub fn accepts(&self, candidates: &[Candidate]) -> bool {
        let plausible = |candidate: &Candidate| match candidate.outcome {
            Outcome::Milliseconds(time) => time.is_finite() && time >= 0.0,
            _ => true,
        };
        candidates.iter().map(|candidate| candidate.variant.as_str()).eq(self.variants())
            && candidates.iter().all(plausible)
    }

    /// The candidates, the default first.
    pub fn variants(&self) -> Vec<&'static str> {
        self.kernels.iter().map(|kernel| kernel.variant).collect()
    }
}

fn key(adapter: &str, op: &Op, variants: &[&str], texts: impl Iterator<Item = String>) -> String {
    let mut all = format!("{adapter}\n{op:?}\n{variants:?}\n");
    // A hash of each text, so that nothing can move from one to the next.
    texts.for_each(|text| all += &format!("{}\n", sha256(text.as_bytes())));
    sha256(all.as_bytes())
}

/// The combined outcome of two steps that compute the same at different places.
fn both((a, b): (Outcome, Outcome)) -> Outcome {
    match (a, b) {
        (Outcome::Milliseconds(a), Outcome::Milliseconds(b)) => Outcome::Milliseconds(a + b),
        (Outcome::Milliseconds(_), problem) | (problem, _) => problem,
    }
}

/// The candidate to run: the fastest, unless the first, which is taken without measuring, is nearly as fast. If the first
/// does not even compute the step, measuring is useless and it stays as well: [`verify`](mod@crate::verify) is there
/// to report that.
pub fn fastest(candidates: &[Candidate]) -> Option<&Candidate> {
    let time = |candidate: &Candidate| match candidate.outcome {
        Outcome::Milliseconds(time) => Some(time),
        _ => None,
    };
    let first = candidates.first()?;
    let Some(default) = time(first) else { return Some(first) };
    let measured = candidates.iter().filter_map(|candidate| Some((candidate, time(candidate)?)));
    let (best, shortest) = measured.min_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(if shortest < default * (1.0 - WORTHWHILE) { best } else { first })
}

/// The choices that follow from the measurements.
pub fn choices<'a>(measured: impl IntoIterator<Item = (&'a Trial, &'a [Candidate])>) -> Choices {
    let mut choices = Choices::default();
    for (trial, candidates) in measured {
        if let Some(candidate) = fastest(candidates) {
            choices.set(trial.op, &candidate.variant);
        }
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{ActivationForward, Relu};

    fn candidates(times: &[(&str, f64)]) -> Vec<Candidate> {
        let candidate = |&(variant, time): &(&str, f64)| {
            let outcome = match time {
                time if time.is_nan() => Outcome::Differs("y[0]".to_owned()),
                time => Outcome::Milliseconds(time),
            };
            Candidate { variant: variant.to_owned(), outcome }
        };
        times.iter().map(candidate).collect()
    }

    #[test]
    fn the_default_stays_unless_another_is_clearly_faster() {
        let none = f64::NAN;
        let rows: [(&[(&str, f64)], &str); 6] = [
            (&[("tile", 1.0), ("vec4", 0.5), ("scalar", 0.7)], "vec4"),
            (&[("tile", 1.0), ("vec4", 0.96)], "tile"),
            (&[("tile", 1.0), ("vec4", 0.94)], "vec4"),
            (&[("tile", 1.0), ("vec4", 2.0)], "tile"),
            (&[("tile", 1.0), ("vec4", none), ("scalar", 0.1)], "scalar"),
            (&[("tile", none), ("vec4", 0.1)], "tile"),
        ];
        for (times, expected) in rows {
            assert_eq!(fastest(&candidates(times)).unwrap().variant, expected, "{times:?}");
        }
        assert!(fastest(&[]).is_none());
    }

    #[test]
    fn whatever_decides_a_time_is_in_the_key() {
        let of = |adapter, len, variants: &[&str], texts: &[&str]| {
            let texts = texts.iter().map(|&text| text.to_owned());
            key(adapter, &ActivationForward { len, function: Relu.into() }.into(), variants, texts)
        };
        let (names, texts) = (["vec4", "scalar"], ["fn a() {}", "fn b() {}"]);
        let base = of("gpu (vulkan, 1.0)", 8, &names, &texts);
        assert_eq!(base, of("gpu (vulkan, 1.0)", 8, &names, &texts));
        let rows = [
            ("driver", of("gpu (vulkan, 1.1)", 8, &names, &texts)),
            ("sizes", of("gpu (vulkan, 1.0)", 16, &names, &texts)),
            ("variants", of("gpu (vulkan, 1.0)", 8, &["tile", "scalar"], &texts)),
            ("text", of("gpu (vulkan, 1.0)", 8, &names, &["fn a() {}", "fn b() { }"])),
            ("borders of texts", of("gpu (vulkan, 1.0)", 8, &names, &["fn a() {}fn b() {}", ""])),
        ];
        for (what, other) in rows {
            assert_ne!(base, other, "{what}");
        }
    }

    #[test]
    fn a_step_at_two_places_is_as_good_as_at_the_worse() {
        let ms = Outcome::Milliseconds;
        let bad = Outcome::Refused("no".to_owned());
        assert_eq!(both((ms(1.0), ms(2.0))), ms(3.0));
        assert_eq!([both((ms(1.0), bad.clone())), both((bad.clone(), ms(1.0)))], [bad.clone(), bad]);
    }
}
