//! What a case must give: its twin in f64, with a bound for each element.

use super::accuracy::sum_of_products;
use super::args::Access;
use super::batch::BatchParams;
use super::case::{Case, Numbers};
use super::inputs::{Argument, Values};
use super::kind::OpKind;
use super::trial::{Bounds, Expected, Output, Trial, relative};
use super::twin::{Arg, OtherArguments};

/// What each argument must be after the case ran.
pub(crate) fn expect<O: OpKind>(
    case: &Case<O>,
    arguments: &[Argument],
) -> Result<Vec<Expected>, OtherArguments> {
    let outputs = run_twin(&case.op, &case.batch, arguments, |x| x)?;
    let bounds = O::bounds(&Trial { case, arguments, outputs: &outputs })?;
    Ok(outputs.into_iter().zip(bounds).map(|(output, bound)| Expected { output, bound }).collect())
}

/// Runs a twin in f64 on arguments, each float changed by `map` first.
pub(crate) fn run_twin<O: OpKind>(
    op: &O,
    batch: &BatchParams,
    arguments: &[Argument],
    map: fn(f64) -> f64,
) -> Result<Vec<Output>, OtherArguments> {
    run(arguments, map, &mut |args| op.twin(batch, args))
}

/// The twin of a step in f64.
type Twin<'a> = dyn FnMut(&mut [Arg<'_, f64>]) -> Result<(), OtherArguments> + 'a;

/// Runs this on the arguments, as [`run_twin`] does; compiled once, not for each op.
fn run(
    arguments: &[Argument],
    map: fn(f64) -> f64,
    twin: &mut Twin<'_>,
) -> Result<Vec<Output>, OtherArguments> {
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
    let mut args: Vec<Arg<'_, f64>> = Vec::new();
    for (memory, argument) in memory.iter_mut().zip(arguments) {
        args.push(match (memory, &argument.values, argument.spec.access) {
            (Output::Floats(values), _, Access::In) => Arg::In(values),
            (Output::Floats(values), _, _) => Arg::Out(values),
            (Output::Integers(values), _, Access::In) => Arg::InU32(values),
            (Output::Integers(values), _, _) => Arg::OutU32(values),
            (Output::Unchanged, Values::Bytes(bytes), _) => Arg::Bytes(bytes),
            (Output::Unchanged, _, _) => return Err(OtherArguments),
        });
    }
    twin(&mut args)?;
    drop(args);
    for (memory, argument) in memory.iter_mut().zip(arguments) {
        if argument.spec.access == Access::In {
            *memory = Output::Unchanged;
        }
    }
    Ok(memory)
}

impl<O: OpKind> Trial<'_, O> {
    /// The last argument a sum of at most `terms` products each.
    ///
    /// Eighths and their products are multiples of 1/64 of at most 1: fewer than 2^18 of them, in any order and with any
    /// roundings, give the exact sum.
    pub(crate) fn sum_of_products(&self, terms: usize) -> Bounds {
        if self.case.numbers == Numbers::Eighths && terms < 1 << 18 {
            return Ok(self.exact());
        }
        let magnitudes = self.magnitudes()?.pop().ok_or(OtherArguments)?;
        Ok(self.last(relative(&magnitudes, sum_of_products(terms), terms)))
    }

    /// The last argument a sum of at most `terms` numbers each: a single one is copied.
    pub(crate) fn sum(&self, terms: usize) -> Bounds {
        if terms == 1 { Ok(self.exact()) } else { self.sum_of_products(terms) }
    }

    /// What the twin gives for the magnitudes of all floats.
    pub(crate) fn magnitudes(&self) -> Result<Vec<Output>, OtherArguments> {
        run_twin(&self.case.op, &self.case.batch, self.arguments, f64::abs)
    }
}
