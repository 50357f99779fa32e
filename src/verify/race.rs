//! Every kernel that can run one step: checked as [`verify`](super::verify) does, then timed against each other.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::band::Band;
use super::bench::{Bench, Ready};
use super::case::Case;
use super::compare;
use crate::gpu::{Checks, Gpu, GpuError, Kernel, Stamps};
use crate::ops::Op;
use crate::ops::kit::{Access, Expected};
use crate::profile::median;
use crate::wait::Instant;

/// Times that are taken of each kernel, the kernels by turns, so that a machine that slows down slows all.
const ROUNDS: usize = 9;
/// After this long no further round begins.
const BUDGET: Duration = Duration::from_secs(2);
/// A kernel that took this many times as long as the fastest at first is not timed again, unless it is the default.
const HOPELESS: f64 = 4.0;
/// What the fastest kernel runs for at least when a time is taken, in seconds, so that clocks are fine enough.
const LONG_ENOUGH: f64 = 1e-3;
/// Most dispatches that one time is taken of.
const MOST_DISPATCHES: usize = 32;

/// How a kernel did on a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It computes the step, in this long.
    Milliseconds(f64),
    /// The driver does not take it.
    Refused(String),
    /// It computes something else than the twin.
    Differs(String),
}

/// How each of these kernels did on a step whose arguments begin at these places of their bindings; the first is the
/// default.
///
/// # Errors
/// When the arguments do not fit the device, or it fails.
pub(crate) fn race(gpu: &Gpu, op: Op, bases: &[usize], kernels: &[Kernel]) -> Result<Vec<Outcome>, GpuError> {
    let case: Case = op.case();
    let arguments = case.arguments(0);
    let expected = match case.expect(&arguments) {
        Ok(expected) => expected,
        Err(error) => return Ok(kernels.iter().map(|_| Outcome::Differs(error.to_string())).collect()),
    };
    let in_place = arguments.iter().any(|argument| argument.spec.access == Access::InOut);
    let bands: Vec<Band> =
        arguments.iter().zip(bases).map(|(argument, &base)| Band::at(argument, base, in_place)).collect();
    drop(arguments);
    let bench = Bench::new(gpu, &case, &bands)?;
    let entrants = kernels
        .iter()
        .map(|kernel| check(&bench, kernel, &bands, &expected))
        .collect::<Result<Vec<_>, _>>()?;
    Track { gpu, bench: &bench, stamps: Stamps::new(gpu, 1)? }.run(entrants)
}

/// A kernel that computes the step, or what keeps it out.
type Entrant = Result<Ready, Outcome>;

fn check(
    bench: &Bench<'_>,
    kernel: &Kernel,
    bands: &[Band],
    expected: &[Expected],
) -> Result<Entrant, GpuError> {
    let ready = match bench.ready(kernel, Checks::Off) {
        Ok(ready) => ready,
        Err(error @ (GpuError::Kernel { .. } | GpuError::Limit { .. })) => {
            return Ok(Err(Outcome::Refused(error.to_string())));
        }
        Err(error) => return Err(error),
    };
    let got = bench.run(&ready)?;
    Ok(match compare::judge(bands, expected, &got).problem {
        None => Ok(ready),
        Some(problem) => Err(Outcome::Differs(problem)),
    })
}

/// What times are taken with.
struct Track<'a> {
    gpu: &'a Gpu,
    bench: &'a Bench<'a>,
    /// The host's clock is taken where there are none.
    stamps: Option<Stamps>,
}

impl Track<'_> {
    /// The median time of each kernel. All have run once by now: compiled, and their arguments in place.
    fn run(&self, entrants: Vec<Entrant>) -> Result<Vec<Outcome>, GpuError> {
        let begun = Instant::now();
        let mut times: Vec<Vec<f64>> = Vec::new();
        for entrant in &entrants {
            let first = entrant.as_ref().ok().map(|ready| self.seconds(ready, 1)).transpose()?;
            times.push(first.into_iter().collect());
        }
        let fastest = times.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let dispatches = ((LONG_ENOUGH / fastest) as usize).clamp(1, MOST_DISPATCHES);
        // The first is what the others are held against.
        let hopeless = |place: usize, first: f64| place > 0 && first > HOPELESS * fastest;
        let again: Vec<bool> = times
            .iter()
            .zip(0..)
            .map(|(times, place)| !times.iter().any(|&first| hopeless(place, first)))
            .collect();
        for round in 0..ROUNDS {
            if begun.elapsed() > BUDGET {
                break;
            }
            for ((entrant, times), again) in entrants.iter().zip(&mut times).zip(&again) {
                let (Ok(ready), true) = (entrant, again) else { continue };
                if round == 0 {
                    // The first time was that of a single dispatch.
                    times.clear();
                }
                times.push(self.seconds(ready, dispatches)?);
            }
        }
        let outcomes = entrants.into_iter().zip(times).map(|(entrant, times)| {
            let milliseconds = 1e3 * median(&times).unwrap_or(f64::INFINITY);
            entrant.map_or_else(|problem| problem, |_| Outcome::Milliseconds(milliseconds))
        });
        Ok(outcomes.collect())
    }

    /// Seconds that one dispatch takes, the mean of so many one after another.
    fn seconds(&self, ready: &Ready, dispatches: usize) -> Result<f64, GpuError> {
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("race"),
                timestamp_writes: self.stamps.as_ref().map(|stamps| stamps.of_pass(0)),
            });
            for _ in 0..dispatches {
                self.bench.dispatch(&mut pass, ready);
            }
        }
        if let Some(stamps) = &self.stamps {
            stamps.resolve(&mut encoder);
        }
        let commands = encoder.finish();
        let begun = Instant::now();
        let submission = self.gpu.submit(commands);
        self.gpu.wait(submission)?;
        let host = begun.elapsed().as_secs_f64();
        let stamped = self.stamps.as_ref().map(|stamps| stamps.read(self.gpu)).transpose()?;
        // A counter that stands still, or was set back, says nothing.
        let device = stamped.and_then(|times| times.first().copied()).filter(|&seconds| seconds > 0.0);
        Ok(device.unwrap_or(host) / dispatches as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Device, DeviceChoice};
    use crate::gpu::{Source, choose};
    use crate::ops::SumPartials;

    #[test]
    fn what_computes_wrongly_or_not_at_all_has_no_time() {
        let Device::Gpu(gpu) = Device::open(&DeviceChoice::Software).unwrap().0 else { unreachable!() };
        let op = Op::from(SumPartials { parts: 3, len: 40 });
        let default = choose(&op, gpu.class()).unwrap();
        let with = |text| Kernel { source: Source { file: "strange.wgsl", text }, ..default.clone() };
        let idle = with(
            "@group(0) @binding(0) var<storage> partial: array<Real>;
             @group(0) @binding(1) var<storage, read_write> sum: array<Real>;
             @compute @workgroup_size(WORKGROUP_SIZE) fn main() { sum[SUM_BASE] = partial[PARTIAL_BASE]; }",
        );
        let broken = with("fn main() { nonsense }");
        let found = race(&gpu, op, &[16, 8], &[default.clone(), idle, broken]).unwrap();
        assert!(matches!(found[0], Outcome::Milliseconds(time) if time > 0.0), "{found:?}");
        assert!(matches!(&found[1], Outcome::Differs(problem) if problem.starts_with("sum[")), "{found:?}");
        assert!(
            matches!(&found[2], Outcome::Refused(reason) if reason.contains("strange.wgsl:1")),
            "{found:?}"
        );
    }
}
