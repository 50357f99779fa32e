//! What a case gives, and how far from it a kernel may be.

use super::accuracy::FLUSHED;
use super::case::Case;
use super::inputs::Argument;
use super::twin::OtherArguments;

/// The elements of an argument after the twin ran.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    Floats(Vec<f64>),
    Integers(Vec<u32>),
    /// It is not written.
    Unchanged,
}

impl Output {
    /// Its floats; none for anything else.
    pub(crate) fn floats(&self) -> &[f64] {
        match self {
            Output::Floats(values) => values,
            _ => &[],
        }
    }
}

/// How far from the twin an element may be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
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
pub(crate) struct Expected {
    pub(crate) output: Output,
    pub(crate) bound: Bound,
}

/// A bound for each argument, or a twin that does not take them.
pub(crate) type Bounds = Result<Vec<Bound>, OtherArguments>;

/// A case with its arguments before the step and after its twin.
pub(crate) struct Trial<'a, O> {
    pub(crate) case: &'a Case<O>,
    pub(crate) arguments: &'a [Argument],
    pub(crate) outputs: &'a [Output],
}

impl<'a, O> Trial<'a, O> {
    /// The floats of the argument at this place, before the step.
    pub(crate) fn floats(&self, at: usize) -> &'a [f32] {
        self.arguments[at].floats()
    }

    /// Every argument exact: copies, masks, and choices of numbers that are already there.
    pub(crate) fn exact(&self) -> Vec<Bound> {
        vec![Bound::Exact; self.arguments.len()]
    }

    /// Every argument exact but the last.
    pub(crate) fn last(&self, bound: Bound) -> Vec<Bound> {
        last_of(self.arguments.len(), bound)
    }

    /// The last argument off by a relative error and no more.
    pub(crate) fn last_within(&self, error: f64) -> Vec<Bound> {
        self.last(self.outputs.last().map_or(Bound::Exact, |output| relative(output, error, 1)))
    }

    /// The last argument from the elements of the first and, where it is another, of itself.
    pub(crate) fn last_each(&self, bound: impl Fn([f64; 2]) -> f64) -> Vec<Bound> {
        each_of(self.arguments, &bound)
    }
}

fn each_of(arguments: &[Argument], bound: &dyn Fn([f64; 2]) -> f64) -> Vec<Bound> {
    let last = arguments.len() - 1;
    let second = if last > 0 { arguments[last].floats() } else { &[] };
    let second = second.iter().map(|&value| f64::from(value)).chain(std::iter::repeat(0.0));
    let first = arguments[0].floats().iter().map(|&value| f64::from(value));
    last_of(
        arguments.len(),
        Bound::Each(first.zip(second).map(|(first, second)| bound([first, second])).collect()),
    )
}

/// So many arguments exact but the last.
pub(super) fn last_of(arguments: usize, bound: Bound) -> Vec<Bound> {
    let mut bounds = vec![Bound::Exact; arguments];
    if let Some(last) = bounds.last_mut() {
        *last = bound;
    }
    bounds
}

/// A fraction of each magnitude, and what `terms` flushed terms take away.
pub(crate) fn relative(magnitudes: &Output, fraction: f64, terms: usize) -> Bound {
    match magnitudes {
        Output::Floats(values) => {
            let flushed = FLUSHED * terms as f64;
            Bound::Each(values.iter().map(|value| value.abs() * fraction + flushed).collect())
        }
        _ => Bound::Exact,
    }
}
