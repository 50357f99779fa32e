//! What a case must give: its twin in f64, with a bound for each element.

use super::Case;
use super::inputs::{Argument, Values};
use super::tolerance::bounds;
use crate::cpu::{Arg, run};
use crate::plan::Access;

/// The elements of an argument after the twin ran.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    Floats(Vec<f64>),
    Integers(Vec<u32>),
    /// It is not written.
    Unchanged,
}

/// How far from the twin an element may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bound {
    /// Not at all.
    Exact,
    /// By as much as this.
    Each(Vec<f64>),
    /// An integer, one of those whose bits are set.
    Among(Vec<u64>),
    /// Four integers to a word, a byte each, likewise.
    BytesAmong(Vec<u64>),
}

/// The expected elements of an argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expected {
    pub(super) output: Output,
    pub(super) bound: Bound,
}

/// What each argument must be after the case ran; `None` when the twin does not take these arguments.
pub(super) fn expect(case: &Case, arguments: &[Argument]) -> Option<Vec<Expected>> {
    let outputs = twin(case, arguments, |x| x)?;
    let bounds = bounds(case, arguments, &outputs)?;
    Some(outputs.into_iter().zip(bounds).map(|(output, bound)| Expected { output, bound }).collect())
}

/// Runs the twin in f64 on the arguments, each float changed by `map` first.
pub(super) fn twin(case: &Case, arguments: &[Argument], map: fn(f64) -> f64) -> Option<Vec<Output>> {
    let mut memory: Vec<Output> = arguments
        .iter()
        .map(|argument| match &argument.values {
            Values::Floats(values) => {
                Output::Floats(values.iter().map(|&value| map(f64::from(value))).collect())
            }
            Values::Integers(values) => Output::Integers(values.clone()),
            Values::Bytes(_) => Output::Unchanged,
        })
        .collect();
    let mut args: Vec<Arg<'_, f64>> = memory
        .iter_mut()
        .zip(arguments)
        .filter_map(|(memory, argument)| {
            Some(match (memory, &argument.values, argument.spec.access) {
                (Output::Floats(values), _, Access::In) => Arg::In(values),
                (Output::Floats(values), _, _) => Arg::Out(values),
                (Output::Integers(values), _, Access::In) => Arg::InU32(values),
                (Output::Integers(values), _, _) => Arg::OutU32(values),
                (Output::Unchanged, Values::Bytes(bytes), _) => Arg::Bytes(bytes),
                _ => return None,
            })
        })
        .collect();
    let ran = run(&case.op, &case.step, &mut args);
    drop(args);
    for (memory, argument) in memory.iter_mut().zip(arguments) {
        if argument.spec.access == Access::In {
            *memory = Output::Unchanged;
        }
    }
    ran.then_some(memory)
}
