//! What the arguments of a case are drawn from.

use super::args::{ArgSpec, Dtype, Extent};
use super::case::{Case, Numbers};
use crate::random::Stream;

/// Samples of the data sets that are gathered from: one more than a multiple of 4.
pub(super) const SAMPLES: usize = 61;

/// What floats hold that no kernel may use: finite, and too large to be overlooked in any sum.
pub(crate) const HOSTILE_F32: f32 = 1e30;
/// What integers hold that no kernel may use.
pub(crate) const HOSTILE_U32: u32 = 0x7E57_0DD5;
/// What bytes hold that no kernel may use.
pub(crate) const HOSTILE_BYTE: u8 = 0xA5;
/// What outputs hold before they are written; a NaN when read as a float.
pub(crate) const UNWRITTEN: u32 = 0x7FC0_5A5A;

/// The elements of an argument.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Floats(Vec<f32>),
    Integers(Vec<u32>),
    Bytes(Vec<u8>),
}

/// An argument as it is before the step runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) spec: ArgSpec,
    pub(crate) values: Values,
}

impl Argument {
    /// Its floats; none for integers and bytes.
    pub(crate) fn floats(&self) -> &[f32] {
        match &self.values {
            Values::Floats(values) => values,
            _ => &[],
        }
    }
}

impl Numbers {
    /// The next of these numbers.
    pub(crate) fn draw(self, stream: &mut Stream) -> f32 {
        match self {
            Numbers::Uniform => 2.0 * stream.unit_f32() - 1.0,
            Numbers::Eighths => (stream.below(17) as f32 - 8.0) / 8.0,
            Numbers::Large => 160.0 * stream.unit_f32() - 80.0,
            Numbers::Huge => 400.0 * stream.unit_f32() - 200.0,
            Numbers::Equal => 0.75,
        }
    }
}

/// What an argument that is read is to be drawn from.
pub(crate) struct Draw<'a, O> {
    pub(crate) case: &'a Case<O>,
    pub(crate) spec: &'a ArgSpec,
    /// Number of its elements.
    pub(crate) len: usize,
    /// The arguments before it.
    pub(crate) before: &'a [Argument],
    pub(crate) stream: &'a mut Stream,
}

impl<O> Draw<'_, O> {
    /// The same for the case of another type of op.
    pub(crate) fn of<'a, P>(&'a mut self, case: &'a Case<P>) -> Draw<'a, P> {
        Draw { case, spec: self.spec, len: self.len, before: self.before, stream: self.stream }
    }

    /// Plain numbers: the case's floats, samples in an order, and any integers and bytes.
    pub(crate) fn plain(&mut self) -> Values {
        plain(self.spec, self.case.numbers, self.len, self.stream)
    }

    /// The case's floats.
    pub(crate) fn floats(&mut self) -> Vec<f32> {
        floats(self.case.numbers, self.len, self.stream)
    }

    /// Integers below a bound.
    pub(crate) fn integers(&mut self, bound: u32) -> Values {
        integers(bound, self.len, self.stream)
    }

    /// The case's floats, among them both zeros.
    pub(crate) fn with_zeros(&mut self) -> Values {
        self.with(&[0.0])
    }

    /// The case's floats, among them each of these, and of 0 both.
    pub(crate) fn with(&mut self, places: &[f64]) -> Values {
        let mut values = self.floats();
        for (first, &place) in places.iter().enumerate() {
            let some = values.iter_mut().skip(first).step_by(places.len().max(5));
            some.for_each(|value| *value = if place == 0.0 { *value * 0.0 } else { place as f32 });
        }
        Values::Floats(values)
    }

    /// The case's floats in `rows` rows; those past the batch's size are hostile.
    pub(crate) fn rows_of_batch(&mut self, rows: usize) -> Vec<f32> {
        let mut values = self.floats();
        values[self.case.batch.batch_size as usize * (self.len / rows)..].fill(HOSTILE_F32);
        values
    }
}

// No op decides what follows: it is compiled once, not for each of them.

fn plain(spec: &ArgSpec, numbers: Numbers, len: usize, stream: &mut Stream) -> Values {
    match (spec.dtype, spec.extent) {
        (Dtype::F32, _) => Values::Floats(floats(numbers, len, stream)),
        (Dtype::U32, Extent::Order) => integers(SAMPLES as u32, len, stream),
        (Dtype::U32, _) => integers(HOSTILE_U32, len, stream),
        (Dtype::Bytes, _) => bytes(1 + u32::from(u8::MAX), len, stream),
    }
}

fn floats(numbers: Numbers, len: usize, stream: &mut Stream) -> Vec<f32> {
    (0..len).map(|_| numbers.draw(stream)).collect()
}

fn integers(bound: u32, len: usize, stream: &mut Stream) -> Values {
    Values::Integers((0..len).map(|_| stream.below(bound)).collect())
}

fn bytes(bound: u32, len: usize, stream: &mut Stream) -> Values {
    Values::Bytes((0..len).map(|_| stream.below(bound) as u8).collect())
}
