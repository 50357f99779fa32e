//! The numbers of one step, on a device and as its twin.

use super::band::Band;
use super::trace::{Memory, Ran, TraceInput};
use crate::gpu::{Gpu, GpuError};
use crate::ops::kit::{Argument, Bound, Expected, Output, Values, indices};
use crate::plan::{Access, Phase, Plan, Role};

/// A step of the plan that was run, with the numbers of its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowedStep {
    /// Its name in the plan.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// The kernel that ran it.
    pub variant: &'static str,
    /// In binding order.
    pub arguments: Vec<FollowedArgument>,
}

/// An argument of such a step.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowedArgument {
    /// Its name in the shader.
    pub name: &'static str,
    /// How the step uses it.
    pub access: Access,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Whether `elements` are those of one sample; else all.
    pub of_sample: bool,
    /// Its numbers, in their order; none of what is bytes of the data set.
    pub elements: Vec<FollowedElement>,
}

/// A number of such an argument.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowedElement {
    /// Its place along each dimension.
    pub indices: Vec<usize>,
    /// Before the step; `None` where it is only written.
    pub before: Option<f64>,
    /// After it; `None` where it is only read.
    pub after: Option<After>,
}

/// What a step made of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct After {
    /// The shader.
    pub shader: f64,
    /// The twin, which computes in 64 bits.
    pub twin: f64,
    /// How far the first may be from the second; 0 where it must be the same.
    pub allowed: f64,
}

/// Trains the first batch of the input up to the step at this place of the plan, and shows that step: of what holds a value for each sample
/// of the batch the numbers of one sample, of all else all. `None` where training has no such step.
///
/// # Errors
/// When the data does not fit the plan, the device fails, or a step has no kernel.
pub fn follow(
    gpu: &Gpu,
    plan: &Plan,
    input: &TraceInput<'_>,
    place: usize,
    sample: usize,
) -> Result<Option<FollowedStep>, GpuError> {
    let Some(row) = input.rows.first() else { return Ok(None) };
    let mut memory = Memory::new(gpu, plan, input)?;
    for (at, step) in plan.steps_of(Phase::Train) {
        let ran = memory.run(gpu, step, row)?;
        if at == place {
            let roles = step.args.iter().map(|tensor| plan.buffers[tensor.buffer].role);
            let samples = roles.map(|role| {
                let has_samples = matches!(role, Role::Activation | Role::ActivationGradient);
                has_samples.then_some((sample, plan.batch))
            });
            let expected = ran.expected.as_ref().map_err(|error| GpuError::Unsupported {
                adapter: gpu.name().to_owned(),
                problem: format!("step `{}`: {error}", step.name),
            })?;
            let arguments = arguments(&ran, expected, samples);
            return Ok(Some(FollowedStep {
                name: step.name.clone(),
                kind: step.op.kind(),
                variant: ran.variant,
                arguments,
            }));
        }
        memory.keep_all(step, &ran.bands, &ran.got);
    }
    Ok(None)
}

fn arguments(
    ran: &Ran,
    expected: &[Expected],
    samples: impl Iterator<Item = Option<(usize, usize)>>,
) -> Vec<FollowedArgument> {
    let all = ran.arguments.iter().zip(&ran.bands).zip(expected).zip(&ran.got).zip(samples);
    all.map(|((((argument, band), expected), got), sample)| shown(argument, band, expected, got, sample))
        .collect()
}

fn shown(
    argument: &Argument,
    band: &Band,
    expected: &Expected,
    got: &[u32],
    sample: Option<(usize, usize)>,
) -> FollowedArgument {
    let spec = &argument.spec;
    let before: Vec<f64> = match &argument.values {
        Values::Floats(values) => values.iter().map(|&value| value.into()).collect(),
        Values::Integers(values) => values.iter().map(|&value| value.into()).collect(),
        Values::Bytes(_) => Vec::new(),
    };
    let after: Vec<After> = match &expected.output {
        Output::Unchanged => Vec::new(),
        Output::Floats(twins) => {
            let shaders = got[band.range()].iter().map(|&bits| f64::from(f32::from_bits(bits)));
            let allowed = |at: usize| match &expected.bound {
                Bound::Each(bounds) => bounds.get(at).copied().unwrap_or(0.0),
                _ => 0.0,
            };
            let each = shaders.zip(twins).enumerate();
            each.map(|(at, (shader, &twin))| After { shader, twin, allowed: allowed(at) }).collect()
        }
        Output::Integers(twins) => {
            let each = got[band.range()].iter().zip(twins);
            each.map(|(&shader, &twin)| After { shader: shader.into(), twin: twin.into(), allowed: 0.0 })
                .collect()
        }
    };
    let own = sample.filter(|(_, batch)| before.len().is_multiple_of(*batch) && before.len() >= *batch);
    let range = own.map_or(0..before.len(), |(sample, batch)| {
        let each = before.len() / batch;
        sample * each..(sample + 1) * each
    });
    let element = |at: usize| FollowedElement {
        indices: indices(&spec.shape, at),
        before: (spec.access != Access::Out).then_some(before[at]),
        after: after.get(at).copied(),
    };
    FollowedArgument {
        name: spec.name,
        access: spec.access,
        shape: spec.shape.clone(),
        of_sample: own.is_some(),
        elements: range.map(element).collect(),
    }
}
