//! Twins: ops as plain Rust loops, in the order of the maths.

use super::args::{Access, ArgSpec, Dtype};
use super::pieces::{each_piece, each_piece_by};

/// The numbers a twin computes with: f32 as the shaders, or f64 as the measure for both.
pub trait Real: num_traits::Float + num_traits::NumAssign + Send + Sync + std::iter::Sum + 'static {
    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// The value in f64; exact for both types.
    fn f64(self) -> f64;
    /// These numbers, if they are of this type.
    fn lent(values: &[f32]) -> Option<&[Self]>;
    /// These arguments as fast rows take them; `None` in f64.
    fn fast<'a, 'b>(args: &'a mut [Arg<'b, Self>]) -> Option<&'a mut [Arg<'b, f32>]>
    where
        Self: Sized;
}

impl Real for f32 {
    fn of(x: f64) -> Self {
        x as f32
    }

    fn f64(self) -> f64 {
        f64::from(self)
    }

    fn lent(values: &[f32]) -> Option<&[Self]> {
        Some(values)
    }

    fn fast<'a, 'b>(args: &'a mut [Arg<'b, f32>]) -> Option<&'a mut [Arg<'b, f32>]> {
        Some(args)
    }
}

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }

    fn f64(self) -> f64 {
        self
    }

    fn lent(_: &[f32]) -> Option<&[Self]> {
        None
    }

    fn fast<'a, 'b>(_: &'a mut [Arg<'b, f64>]) -> Option<&'a mut [Arg<'b, f32>]> {
        None
    }
}

/// One argument of a twin.
#[derive(Debug)]
pub enum Arg<'a, T> {
    /// Floats that are read.
    In(&'a [T]),
    /// Floats that are written, or read and written.
    Out(&'a mut [T]),
    /// Integers that are read.
    InU32(&'a [u32]),
    /// Integers that are written, or read and written.
    OutU32(&'a mut [u32]),
    /// Bytes that are read.
    Bytes(&'a [u8]),
}

/// A twin was given other arguments than its op takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the twin does not take these arguments")]
pub struct OtherArguments;

/// Whether these are the arguments that are specified: as many, of their types and lengths, to be read or written as they say.
pub(crate) fn take<T>(specs: &[ArgSpec], args: &[Arg<'_, T>]) -> bool {
    let fits = |spec: &ArgSpec, arg: &Arg<'_, T>| {
        let (dtype, reads, len) = match arg {
            Arg::In(values) => (Dtype::F32, true, values.len()),
            Arg::Out(values) => (Dtype::F32, false, values.len()),
            Arg::InU32(values) => (Dtype::U32, true, values.len()),
            Arg::OutU32(values) => (Dtype::U32, false, values.len()),
            Arg::Bytes(bytes) => (Dtype::Bytes, true, bytes.len()),
        };
        dtype == spec.dtype && reads == (spec.access == Access::In) && (spec.is_empty() || len == spec.len())
    };
    specs.len() == args.len() && specs.iter().zip(args).all(|(spec, arg)| fits(spec, arg))
}

/// Elements of one piece of work: enough to make up for handing it to another thread.
pub(crate) const PIECE: usize = 4096;

/// `y = f(y)`, element by element.
pub(crate) fn change<T: Real>(y: &mut [T], f: impl Fn(T) -> T + Sync) {
    each_piece(y, PIECE, &|_, piece| piece.iter_mut().for_each(|y| *y = f(*y)));
}

/// `y = f(x, y)`, element by element.
pub(crate) fn change_by<T: Real>(x: &[T], y: &mut [T], f: impl Fn(T, T) -> T + Sync) {
    each_piece_by(y, PIECE, x, PIECE, &|_, y, x| y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x, *y)));
}

/// The place of the first maximum.
pub(crate) fn first_maximum<T: Real>(row: &[T]) -> usize {
    let mut best = 0;
    for (c, &value) in row.iter().enumerate() {
        if value > row[best] {
            best = c;
        }
    }
    best
}
