//! What a case must give: its twin in f64, with a bound for each element.

use super::accuracy::{sum_of_alike, sum_of_products};
use super::args::Access;
use super::case::Numbers;
use super::inputs::{Argument, Values};
use super::kind::OpKind;
use super::trial::{Bounds, Output, Trial, last_of, relative};
use super::twin::{Arg, OtherArguments};

/// The twin of a step in f64.
pub(crate) type Twin<'a> = dyn Fn(&mut [Arg<'_, f64>]) -> Result<(), OtherArguments> + 'a;

/// Runs a twin on arguments, each float changed by `map` first.
pub(crate) fn run_twin(
    arguments: &[Argument],
    map: fn(f64) -> f64,
    twin: &Twin<'_>,
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
        self.sum_within(terms, sum_of_products(terms))
    }

    /// The same, where many products may be alike.
    pub(crate) fn sum_of_alike_products(&self, terms: usize) -> Bounds {
        self.sum_within(terms, sum_of_alike(terms))
    }

    fn sum_within(&self, terms: usize, fraction: f64) -> Bounds {
        if self.case.numbers == Numbers::Eighths && terms < 1 << 18 {
            return Ok(self.exact());
        }
        sum_within(&self.magnitudes()?, terms, fraction)
    }

    /// The last argument a sum of at most `terms` numbers each, which may be alike: a single one is copied.
    pub(crate) fn sum(&self, terms: usize) -> Bounds {
        if terms == 1 { Ok(self.exact()) } else { self.sum_of_alike_products(terms) }
    }

    /// What the twin gives for the magnitudes of all floats.
    pub(crate) fn magnitudes(&self) -> Result<Vec<Output>, OtherArguments> {
        run_twin(self.arguments, f64::abs, &|args| self.case.op.twin(&self.case.batch, args))
    }
}

/// The last argument a sum of at most `terms` products, off by this fraction of what the twin gives for the magnitudes of all
/// floats.
fn sum_within(magnitudes: &[Output], terms: usize, fraction: f64) -> Bounds {
    let sums = magnitudes.last().ok_or(OtherArguments)?;
    Ok(last_of(magnitudes.len(), relative(sums, fraction, terms)))
}
